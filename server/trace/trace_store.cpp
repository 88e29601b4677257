#include "server/trace/trace_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/files.h"
#include "base/guarded.h"
#include "base/logging.h"

#include <condition_variable>
#include <list>
#include <map>
#include <thread>
#include <unordered_map>
#include <vector>

namespace slipway::server {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = std::size_t{256} << 10U;

// One log that was written lately. Its lock orders appends and truncation.
struct OpenTrace {
  std::mutex mutex;
  UniqueFd file;
  long long size = 0;
  std::optional<std::uint32_t> crc = 0;  // of all of it; unknown of a log that was opened again
  bool dirty = false;
};

Result<std::string> read_at(int fd, long long offset, std::size_t max) {
  std::string bytes(max, '\0');
  ssize_t got = 0;
  do got = ::pread(fd, bytes.data(), bytes.size(), offset);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno_error("cannot read a log", errno);
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

// A short write leaves nothing behind: the size that is told must be what the file has.
Result<void> append_to(OpenTrace& trace, std::string_view bytes) {
  const long long begin = trace.size;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t put = ::pwrite(trace.file.get(), rest.data(), rest.size(),
                                 begin + static_cast<long long>(bytes.size() - rest.size()));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const int code = errno;
      if (::ftruncate(trace.file.get(), begin) != 0)
        log::warn("trace.truncate_failed", {{"errno", errno}});
      return fail(ErrorKind::Unavailable, errno_error("cannot write a log", code).message);
    }
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  trace.size += static_cast<long long>(bytes.size());
  if (trace.crc) trace.crc = crc32_update(*trace.crc, bytes);
  trace.dirty = true;
  return {};
}

// The disk takes its time: appends go on meanwhile.
Result<void> sync(OpenTrace& trace) {
  {
    const std::lock_guard lock{trace.mutex};
    if (!std::exchange(trace.dirty, false)) return {};
  }
  if (::fdatasync(trace.file.get()) == 0) return {};
  const int code = errno;
  const std::lock_guard lock{trace.mutex};
  trace.dirty = true;
  return errno_error("cannot sync a log", code);
}

// Size and checksum of all of it; by reading it only when the checksum was not kept.
Result<TraceSummary> summary_of(OpenTrace& trace) {
  const std::lock_guard lock{trace.mutex};
  if (trace.crc) return TraceSummary{trace.size, *trace.crc};
  TraceSummary summary;
  for (;;) {
    auto chunk = read_at(trace.file.get(), summary.size, kChunk);
    if (!chunk) return chunk.error();
    if (chunk->empty()) break;
    summary.crc32 = crc32_update(summary.crc32, *chunk);
    summary.size += static_cast<long long>(chunk->size());
  }
  trace.crc = summary.crc32;
  return summary;
}

}  // namespace

struct TraceStore::State {
  State(fs::path used_directory, TraceOptions used_options)
      : directory(std::move(used_directory)), options(used_options) {}

  struct Cache {
    // Front: used last. The map points into the list.
    std::list<std::pair<std::int64_t, std::shared_ptr<OpenTrace>>> order;
    std::unordered_map<std::int64_t, decltype(order)::iterator> by_job;
  };
  struct Listeners {
    std::uint64_t last = 0;
    std::unordered_map<std::int64_t, std::map<std::uint64_t, Listener>> by_job;
  };

  const fs::path directory;
  const TraceOptions options;
  Guarded<Cache> cache;
  // Shared with subscriptions, which may outlive the store.
  std::shared_ptr<Guarded<Listeners>> listeners = std::make_shared<Guarded<Listeners>>();
  std::mutex stop_mutex;
  std::condition_variable stop_signal;
  bool stopping = false;
  std::thread syncer;

  [[nodiscard]] fs::path path_of(std::int64_t job) const {
    return directory / std::to_string(job / 1000) / (std::to_string(job) + ".log");
  }
  Result<std::shared_ptr<OpenTrace>> open_for_writing(std::int64_t job);
  void close_oldest(Cache& open);
  void forget(std::int64_t job);
  void notify(std::int64_t job);
  void sync_all();
  void run_syncer();
};

struct TraceStore::Subscription::State {
  std::shared_ptr<Guarded<TraceStore::State::Listeners>> listeners;
  std::int64_t job = 0;
  std::uint64_t number = 0;

  ~State() {
    auto access = listeners->lock();
    const auto found = access->by_job.find(job);
    if (found == access->by_job.end()) return;
    found->second.erase(number);
    if (found->second.empty()) access->by_job.erase(found);
  }
};

TraceStore::Subscription::Subscription(std::unique_ptr<State> state) : state_(std::move(state)) {}
TraceStore::Subscription::Subscription(Subscription&&) noexcept = default;
TraceStore::Subscription& TraceStore::Subscription::operator=(Subscription&&) noexcept = default;
TraceStore::Subscription::~Subscription() = default;

Result<std::unique_ptr<TraceStore>> TraceStore::open(const fs::path& directory,
                                                     TraceOptions options) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return errno_error("cannot make '" + directory.string() + "'", failed.value());
  return std::unique_ptr<TraceStore>{new TraceStore{std::make_unique<State>(directory, options)}};
}

TraceStore::TraceStore(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->syncer = std::thread{[this] { state_->run_syncer(); }};
}

TraceStore::~TraceStore() {
  {
    const std::lock_guard lock{state_->stop_mutex};
    state_->stopping = true;
  }
  state_->stop_signal.notify_all();
  state_->syncer.join();
  state_->sync_all();
}

void TraceStore::State::run_syncer() {
  std::unique_lock lock{stop_mutex};
  while (!stop_signal.wait_for(lock, options.sync_interval, [&] { return stopping; })) {
    lock.unlock();
    sync_all();
    lock.lock();
  }
}

void TraceStore::State::sync_all() {
  std::vector<std::shared_ptr<OpenTrace>> open;
  for (const auto& [job, trace] : cache.lock()->order) open.push_back(trace);
  for (const auto& trace : open)
    if (auto synced = sync(*trace); !synced)
      log::error("trace.sync_failed", {{"error", synced.error().message}});
}

Result<std::shared_ptr<OpenTrace>> TraceStore::State::open_for_writing(std::int64_t job) {
  auto open = cache.lock();
  if (const auto found = open->by_job.find(job); found != open->by_job.end()) {
    open->order.splice(open->order.begin(), open->order, found->second);
    return found->second->second;
  }
  const fs::path path = path_of(job);
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  auto trace = std::make_shared<OpenTrace>();
  trace->file.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  struct stat status {};
  if (!trace->file.is_open() || ::fstat(trace->file.get(), &status) != 0)
    return fail(ErrorKind::Unavailable,
                errno_error("cannot open '" + path.string() + "'", errno).message);
  trace->size = status.st_size;
  if (trace->size > 0) trace->crc.reset();
  open->order.emplace_front(job, trace);
  open->by_job[job] = open->order.begin();
  if (open->order.size() > options.open_files) close_oldest(*open);
  return trace;
}

void TraceStore::State::close_oldest(Cache& open) {
  const auto [job, trace] = open.order.back();
  // Synced first: an unsynced file that is opened again would never be marked dirty. One that is
  // in use keeps its place until its user is done, or its size would be known twice.
  if (trace.use_count() > 2) return;
  if (auto synced = sync(*trace); !synced) return;
  open.by_job.erase(job);
  open.order.pop_back();
}

void TraceStore::State::forget(std::int64_t job) {
  auto open = cache.lock();
  const auto found = open->by_job.find(job);
  if (found == open->by_job.end()) return;
  open->order.erase(found->second);
  open->by_job.erase(found);
}

void TraceStore::State::notify(std::int64_t job) {
  // Under the lock, so that a subscription that has ended is never called again.
  auto access = listeners->lock();
  const auto found = access->by_job.find(job);
  if (found == access->by_job.end()) return;
  for (const auto& [number, listener] : found->second) listener();
}

Result<AppendOutcome> TraceStore::append(std::int64_t job, long long offset,
                                         std::string_view bytes) {
  auto trace = state_->open_for_writing(job);
  if (!trace) return trace.error();
  AppendOutcome outcome;
  {
    const std::lock_guard lock{(*trace)->mutex};
    outcome.size = (*trace)->size;
    if (offset != outcome.size) {
      outcome.verdict = AppendVerdict::WrongOffset;
      return outcome;
    }
    if (outcome.size + static_cast<long long>(bytes.size()) > state_->options.limit) {
      outcome.verdict = AppendVerdict::TooLong;
      return outcome;
    }
    if (auto put = append_to(**trace, bytes); !put) return put.error();
    outcome.size = (*trace)->size;
  }
  state_->notify(job);
  return outcome;
}

Result<std::string> TraceStore::read(std::int64_t job, long long offset, std::size_t max) const {
  const fs::path path = state_->path_of(job);
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) {
    if (errno == ENOENT) return std::string{};
    return errno_error("cannot open '" + path.string() + "'", errno);
  }
  // No more memory than there are bytes to come.
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || status.st_size <= offset) return std::string{};
  return read_at(file.get(), offset,
                 std::min(max, static_cast<std::size_t>(status.st_size - offset)));
}

long long TraceStore::size(std::int64_t job) const {
  struct stat status {};
  return ::stat(state_->path_of(job).c_str(), &status) == 0 ? status.st_size : 0;
}

Result<TraceSummary> TraceStore::finish(std::int64_t job) {
  auto trace = state_->open_for_writing(job);
  if (!trace) return trace.error();
  if (auto synced = sync(**trace); !synced) return synced.error();
  auto summary = summary_of(**trace);
  state_->notify(job);
  return summary;
}

Result<void> TraceStore::truncate(std::int64_t job) {
  auto trace = state_->open_for_writing(job);
  if (!trace) return trace.error();
  {
    const std::lock_guard lock{(*trace)->mutex};
    if (::ftruncate((*trace)->file.get(), 0) != 0)
      return errno_error("cannot truncate a log", errno);
    (*trace)->size = 0;
    (*trace)->crc = 0;
    (*trace)->dirty = true;
  }
  state_->notify(job);
  return {};
}

void TraceStore::remove(std::int64_t job) {
  state_->forget(job);
  std::error_code ignored;
  fs::remove(state_->path_of(job), ignored);
}

TraceStore::Subscription TraceStore::subscribe(std::int64_t job, Listener listener) {
  auto subscription = std::make_unique<Subscription::State>();
  subscription->listeners = state_->listeners;
  subscription->job = job;
  auto access = state_->listeners->lock();
  subscription->number = ++access->last;
  access->by_job[job].emplace(subscription->number, std::move(listener));
  return Subscription{std::move(subscription)};
}

bool TraceStore::has_subscribers(std::int64_t job) const {
  return state_->listeners->lock()->by_job.contains(job);
}

}  // namespace slipway::server
