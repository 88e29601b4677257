// Uploaded files (artifacts) on disk: received in pieces beside their place, synced, renamed into
// it. What has a name is complete; what was being received when the server died is swept at start.
//
// Thread-safe; one upload or open blob is used by one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"

namespace slipway::server {

struct StoredBlob {
  std::string name;  // relative: "12/12345/<random>", for opening and removing it
  long long size = 0;
  std::string sha256;
};

// Leaves nothing behind unless commit() succeeded.
class BlobUpload {
 public:
  BlobUpload(BlobUpload&&) noexcept;
  BlobUpload& operator=(BlobUpload&&) noexcept;
  ~BlobUpload();

  // TooLarge once the limit is passed, Unavailable when the disk does not take it.
  Result<void> write(std::string_view bytes);
  // Durable when it returns.
  Result<StoredBlob> commit();

 private:
  friend class BlobStore;
  struct State;
  explicit BlobUpload(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct OpenBlob {
  UniqueFd file;
  long long size = 0;

  // At most `max` bytes from `offset`; "" at the end.
  [[nodiscard]] Result<std::string> read(long long offset, std::size_t max) const;
};

// A walk through the store's directory, one blob at a time.
class EarlierBlobs {
 public:
  // nullopt at the end; what cannot be read is passed over.
  std::optional<std::string> next();

 private:
  friend class BlobStore;
  EarlierBlobs(std::filesystem::path directory, std::string mark);

  std::filesystem::path directory_;
  std::string mark_;
  std::filesystem::recursive_directory_iterator at_;
};

class BlobStore {
 public:
  // Makes `directory` when missing and removes what unfinished uploads left in it.
  static Result<BlobStore> open(const std::filesystem::path& directory);

  // For a file of `job`, of at most `limit` bytes.
  [[nodiscard]] Result<BlobUpload> receive(std::int64_t job, long long limit) const;
  [[nodiscard]] Result<OpenBlob> open_blob(std::string_view name) const;
  // Fine when it is not there. Takes the directories that are empty then with it.
  [[nodiscard]] Result<void> remove(std::string_view name) const;
  // The names of all blobs but those that this object or a copy of it has received: what was there
  // when it was opened, and still is.
  [[nodiscard]] EarlierBlobs earlier() const;
  // Conflict when the file is not the one that was received.
  [[nodiscard]] Result<void> verify(const StoredBlob& blob) const;

 private:
  explicit BlobStore(std::filesystem::path directory);
  [[nodiscard]] Result<std::filesystem::path> path_of(std::string_view name) const;

  std::filesystem::path directory_;
  std::string mark_;  // how the names of what it receives begin
};

}  // namespace slipway::server
