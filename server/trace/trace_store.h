// Job logs: one append-only file for each job, written by offset, read while it grows.
//
// Thread-safe. Appends to one job are serialised, different jobs do not wait for each other. An
// append that returned is in the file; it is synced to disk by a background thread about each
// second, and by finish(). After a power cut the file may be shorter: the writer is then told the
// smaller size and sends the rest again.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::server {

struct TraceOptions {
  long long limit = 100LL << 20;  // bytes a log may have
  std::size_t open_files = 128;   // kept open between appends
  std::chrono::milliseconds sync_interval{1000};
};

enum class AppendVerdict : std::uint8_t {
  Stored,
  WrongOffset,  // a gap or a repeat: nothing was written, go on at `size`
  TooLong,      // the limit would be passed: nothing was written
};

struct AppendOutcome {
  AppendVerdict verdict = AppendVerdict::Stored;
  long long size = 0;  // what the log has now
};

struct TraceSummary {
  long long size = 0;
  std::uint32_t crc32 = 0;
};

class TraceStore {
 public:
  // Called when the log has grown, was truncated or is finished, on the thread that did it; must
  // be quick and must not call back into the store.
  using Listener = std::function<void()>;

  // Ends the subscription when destroyed; the listener is not running any more afterwards.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&&) noexcept;
    Subscription& operator=(Subscription&&) noexcept;
    ~Subscription();

   private:
    friend class TraceStore;
    struct State;
    explicit Subscription(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };

  // Files are `directory`/<job / 1000>/<job>.log; `directory` is made when missing.
  static Result<std::unique_ptr<TraceStore>> open(const std::filesystem::path& directory,
                                                  TraceOptions options = {});
  ~TraceStore();

  // Unavailable when the disk does not take it.
  Result<AppendOutcome> append(std::int64_t job, long long offset, std::string_view bytes);
  // At most `max` bytes from `offset`; "" at the end and for a job without a log.
  [[nodiscard]] Result<std::string> read(std::int64_t job, long long offset, std::size_t max) const;
  [[nodiscard]] long long size(std::int64_t job) const;

  // Syncs and sums up the whole file: size and CRC-32, to be compared with the runner's.
  Result<TraceSummary> finish(std::int64_t job);
  // Back to nothing: the writer starts again from 0, or the log was erased.
  Result<void> truncate(std::int64_t job);
  void remove(std::int64_t job);

  [[nodiscard]] Subscription subscribe(std::int64_t job, Listener listener);
  [[nodiscard]] bool has_subscribers(std::int64_t job) const;

 private:
  struct State;
  explicit TraceStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
