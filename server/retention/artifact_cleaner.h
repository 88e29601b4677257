// Removes artifacts whose time is up, and the files of all that were removed.
//
// First the row goes, and the same transaction notes that the blob is nobody's; then the file;
// then the note. So a server that dies in between goes on where it was, and no file goes while a
// row names it. Files that no row ever named (the server died between the two) go after a start.
// All in small steps, so that nobody waits for it. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "server/blobs/blob_store.h"
#include "server/coordinator/coordinator.h"
#include "server/store/database.h"

namespace slipway::server {

class ArtifactCleaner {
 public:
  // What is referred to must outlive it.
  ArtifactCleaner(Coordinator& coordinator, Database& database, const BlobStore& blobs,
                  const Clock& clock);
  ~ArtifactCleaner();
  ArtifactCleaner(const ArtifactCleaner&) = delete;
  ArtifactCleaner& operator=(const ArtifactCleaner&) = delete;

  void start();
  void stop();
  // One step on the calling thread; false when it has been through everything. The thread does it
  // by itself; not while that runs.
  bool step();

 private:
  void work();
  // False when it is to stop.
  bool sleep(std::chrono::milliseconds time);
  // Each is true when there is more.
  bool remove_expired();
  Result<int> remove_rows(const std::vector<ArtifactId>& ids, UnixMillis now);
  bool remove_dead_blobs();
  bool remove_lost_blobs();

  Coordinator& coordinator_;
  Database& database_;
  const BlobStore& blobs_;
  const Clock& clock_;
  ExpiryPlace expired_;
  std::int64_t dead_ = 0;
  EarlierBlobs earlier_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slipway::server
