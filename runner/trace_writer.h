// A job's log on its way to the server: masked, kept in a spool file, sent in pieces by a thread.
//
// What is written is in the spool before write() returns, and is sent until the server has it: a
// server that restarts, refuses an offset or does not answer loses no byte. Nor does a full disk:
// what the spool does not take is kept in memory. The first bytes go out
// at once, later ones are gathered for a moment. The thread also renews the job's lease while it
// prints nothing, and hears when the job is canceled or taken away. write() is for one thread at a
// time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/files.h"
#include "runner/job_link.h"
#include "runner/masker.h"

namespace slipway::runner {

enum class Interruption : std::uint8_t {
  None,
  Cancel,  // stop the script, then clean up and report as usual
  Abort,   // the job is not ours any more: stop everything, report nothing
};

struct TraceOptions {
  std::chrono::milliseconds gather{30};
  std::chrono::milliseconds keep_alive{std::chrono::seconds{3}};
  std::chrono::milliseconds longest_backoff{std::chrono::seconds{10}};
  std::size_t most_in_memory = std::size_t{16} << 20U;  // bytes, once the disk is full
};

class TraceWriter {
 public:
  // `interrupted` is called from the thread, at most once for each kind. `spool` is made anew.
  // `link` stays the caller's when that fails.
  static Result<std::unique_ptr<TraceWriter>> start(std::unique_ptr<JobLink>&& link,
                                                    std::int64_t job, std::string job_token,
                                                    const std::filesystem::path& spool,
                                                    Masker masker,
                                                    std::function<void(Interruption)> interrupted,
                                                    TraceOptions options = {});
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  void write(std::string_view bytes);
  // Waits until the server has taken the first bytes, which tells that the job is ours and makes it
  // run there. False when it is not, or when `stop` asked first.
  bool wait_until_ours(const std::stop_token& stop);
  // Set once neither the spool (a full disk) nor the memory for it takes any more: the log ends
  // with words about it. For the thread that writes.
  [[nodiscard]] const std::optional<Error>& broken() const { return broken_; }

  // Sends what is left and then the result, until the server has taken both or the job is lost.
  // False when it was lost, or `give_up` (asked now and then) said so.
  bool finish(JobState state, const std::function<bool()>& give_up);

  [[nodiscard]] Interruption interruption() const { return interruption_.load(); }
  [[nodiscard]] long long size() const { return size_.load(); }
  // For asking for another one; the thread has this one.
  [[nodiscard]] const JobLink& link() const { return *link_; }
  // Its connection, for the next job. Only after finish(), as the last call.
  std::unique_ptr<JobLink> take_link() { return std::move(link_); }

 private:
  TraceWriter(std::unique_ptr<JobLink> link, std::int64_t job, std::string job_token,
              UniqueFd spool, Masker masker, std::function<void(Interruption)> interrupted,
              TraceOptions options);

  void append(std::string_view bytes);
  void run();
  bool wait_for_work();
  std::string next_piece();
  bool send_piece();
  void keep_alive();
  void heed(const JobAnswer& answer);
  void back_off();
  bool send_rest(const std::function<bool()>& give_up);

  std::unique_ptr<JobLink> link_;
  std::int64_t job_;
  std::string job_token_;
  UniqueFd spool_;
  Masker masker_;
  std::function<void(Interruption)> interrupted_;
  TraceOptions options_;

  std::atomic<long long> size_{0};
  std::atomic<Interruption> interruption_{Interruption::None};
  std::uint32_t crc_ = 0;
  // Moved by the thread, and by finish() once the thread has ended; writers look at it.
  std::atomic<long long> sent_ = 0;
  int failures_ = 0;
  bool out_of_step_ = false;   // the server refused the last offset
  std::optional<Error> full_;  // why the spool takes no more; of the writing thread, as is
  std::optional<Error> broken_;
  std::chrono::steady_clock::time_point last_call_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable gathered_;  // apart: a few more bytes must not wake the sender
  std::condition_variable_any heard_;
  bool finishing_ = false;
  bool ours_ = false;      // the server has answered that it is
  long long spooled_ = 0;  // how much of size_ is in the spool
  std::string tail_;       // and what comes behind it once the spool failed
  std::thread thread_;
};

}  // namespace slipway::runner
