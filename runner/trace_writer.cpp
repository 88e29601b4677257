#include "runner/trace_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>
#include <algorithm>
#include <cerrno>
#include <random>

#include "base/crypto.h"
#include "base/logging.h"

namespace slipway::runner {
namespace {

constexpr std::size_t kLargestPiece = std::size_t{1} << 20U;
constexpr long long kWorthSending = 64 << 10;  // not gathered any longer

}  // namespace

Result<std::unique_ptr<TraceWriter>> TraceWriter::start(
    std::unique_ptr<JobLink>&& link, std::int64_t job, std::string job_token,
    const std::filesystem::path& spool, Masker masker,
    std::function<void(Interruption)> interrupted, TraceOptions options) {
  UniqueFd fd{::open(spool.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!fd.is_open()) return errno_error("cannot make the spool '" + spool.string() + "'", errno);
  return std::unique_ptr<TraceWriter>{new TraceWriter{std::move(link), job, std::move(job_token),
                                                      std::move(fd), std::move(masker),
                                                      std::move(interrupted), options}};
}

TraceWriter::TraceWriter(std::unique_ptr<JobLink> link, std::int64_t job, std::string job_token,
                         UniqueFd spool, Masker masker,
                         std::function<void(Interruption)> interrupted, TraceOptions options)
    : link_(std::move(link)),
      job_(job),
      job_token_(std::move(job_token)),
      spool_(std::move(spool)),
      masker_(std::move(masker)),
      interrupted_(std::move(interrupted)),
      options_(options),
      last_call_(std::chrono::steady_clock::now()) {
  thread_ = std::thread{[this] { run(); }};
}

TraceWriter::~TraceWriter() {
  {
    const std::lock_guard lock{mutex_};
    finishing_ = true;
  }
  wake_.notify_all();
  gathered_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TraceWriter::write(std::string_view bytes) {
  append(masker_.feed(bytes));
}

bool TraceWriter::wait_until_ours(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  heard_.wait(lock, stop, [this] { return ours_ || interruption_ == Interruption::Abort; });
  return ours_;
}

void TraceWriter::append(std::string_view bytes) {
  if (bytes.empty() || broken_) return;
  if (!full_) {
    if (auto written = write_all(spool_.get(), bytes); !written) {
      log::error("spool.failed", {{"job", job_}, {"error", written.error().message}});
      full_ = std::move(written).error().in("the job's log");
    }
  }
  std::string words;
  if (full_ && tail_.size() + bytes.size() > options_.most_in_memory) {
    broken_ = full_;
    words = "\nERROR: " + broken_->message + "; the log ends here\n";
    bytes = words;
  }
  crc_ = crc32_update(crc_, bytes);
  {
    const std::lock_guard lock{mutex_};
    size_ = size_ + static_cast<long long>(bytes.size());
    if (full_)
      tail_ += bytes;
    else
      spooled_ = size_.load();
  }
  wake_.notify_one();
  if (size_ - sent_ >= kWorthSending) gathered_.notify_one();
}

void TraceWriter::run() {
  while (wait_for_work()) {
    if (interruption_ == Interruption::Abort) continue;
    if (sent_ < size_)
      send_piece();
    else
      keep_alive();
  }
}

// False when it is finish()'s turn.
bool TraceWriter::wait_for_work() {
  std::unique_lock lock{mutex_};
  const auto silent_until = last_call_ + options_.keep_alive;
  wake_.wait_until(lock, silent_until, [&] { return finishing_ || sent_ < size_; });
  // Gathering spares calls, but never holds up the first bytes.
  if (sent_ > 0 && size_ - sent_ < kWorthSending)
    gathered_.wait_until(lock, last_call_ + options_.gather,
                         [&] { return finishing_ || size_ - sent_ >= kWorthSending; });
  if (interruption_ == Interruption::Abort) wake_.wait(lock, [&] { return finishing_; });
  return !finishing_;
}

std::string TraceWriter::next_piece() {
  const std::lock_guard lock{mutex_};
  if (sent_ >= spooled_)
    return tail_.substr(std::min(tail_.size(), static_cast<std::size_t>(sent_ - spooled_)),
                        kLargestPiece);
  const auto length =
      static_cast<std::size_t>(std::min<long long>(spooled_ - sent_, kLargestPiece));
  std::string piece(length, '\0');
  const ssize_t got = ::pread(spool_.get(), piece.data(), length, sent_);
  piece.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return piece;
}

// Sends at most one piece; false when the server did not take it.
bool TraceWriter::send_piece() {
  std::string piece = next_piece();
  if (piece.empty()) {
    back_off();
    return false;
  }
  const auto got = static_cast<long long>(piece.size());
  const auto answer = link_->append_trace(job_, job_token_, sent_, std::move(piece));
  last_call_ = std::chrono::steady_clock::now();
  if (!answer) {
    back_off();
    return false;
  }
  heed(*answer);
  if (answer->status == 202) {
    sent_ += got;
    failures_ = 0;
    out_of_step_ = false;
    return true;
  }
  if (answer->status == 416) {
    sent_ = std::clamp<long long>(answer->size.value_or(0), 0, size_);
    // Once is a matter of a lost answer; a server that keeps refusing is not asked without end.
    if (out_of_step_) back_off();
    out_of_step_ = true;
    return false;
  }
  if (!answer->is_lost()) back_off();
  return false;
}

void TraceWriter::keep_alive() {
  if (std::chrono::steady_clock::now() < last_call_ + options_.keep_alive) return;
  const auto answer = link_->update(job_, job_token_, {"running", {}, {}, {}, 0, {}});
  last_call_ = std::chrono::steady_clock::now();
  if (answer)
    heed(*answer);
  else
    back_off();
}

void TraceWriter::heed(const JobAnswer& answer) {
  const Interruption now = answer.is_lost()        ? Interruption::Abort
                           : answer.is_canceling() ? Interruption::Cancel
                                                   : Interruption::None;
  const bool is_new = now > interruption_.load();
  {
    const std::lock_guard lock{mutex_};
    if (is_new) interruption_ = now;
    if (now != Interruption::Abort && answer.status < 300) ours_ = true;
  }
  heard_.notify_all();
  if (is_new && interrupted_) interrupted_(now);
}

// Anything from nothing to the doubled wait, so that many runners do not come back together.
void TraceWriter::back_off() {
  failures_ = std::min(failures_ + 1, 16);
  static thread_local std::minstd_rand random{std::random_device{}()};
  const long long most = std::min<long long>(options_.longest_backoff.count(), 50LL << failures_);
  const std::chrono::milliseconds pause{
      std::uniform_int_distribution<long long>{most / 2, most}(random)};
  std::unique_lock lock{mutex_};
  const bool was_finishing = finishing_;
  wake_.wait_for(lock, pause, [&] { return finishing_ && !was_finishing; });
}

bool TraceWriter::send_rest(const std::function<bool()>& give_up) {
  while (sent_ < size_) {
    if (interruption_ == Interruption::Abort || give_up()) return false;
    send_piece();
  }
  return true;
}

bool TraceWriter::finish(JobState state, const std::function<bool()>& give_up) {
  append(masker_.flush());
  {
    const std::lock_guard lock{mutex_};
    finishing_ = true;
  }
  wake_.notify_all();
  gathered_.notify_all();
  thread_.join();
  state.bytesize = size_;
  state.checksum = fmt::format("crc32:{:08x}", crc_);
  while (true) {
    if (!send_rest(give_up)) return false;
    const auto answer = link_->update(job_, job_token_, state);
    if (answer && answer->status == 200) return true;
    if (answer && (answer->status == 403 || answer->status == 404)) return false;
    // 412: the server has thrown the log away and wants it from the beginning.
    if (answer && answer->status == 412) sent_ = 0;
    if (give_up()) return false;
    back_off();
  }
}

}  // namespace slipway::runner
