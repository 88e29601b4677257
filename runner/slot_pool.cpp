#include "runner/slot_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/logging.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kSocketSuffix = ".socket";
constexpr std::chrono::seconds kHelloTime{5};
constexpr std::chrono::seconds kTimeToLeave{10};
constexpr const char* kCancel = R"({"say":"cancel"})";
constexpr const char* kLeave = R"({"say":"leave"})";

}  // namespace

SlotPool::SlotPool(SlotPoolOptions options, SlotEvents events)
    : options_(std::move(options)),
      events_(std::move(events)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (int index = 0; index < options_.concurrent; ++index) entries_[index];
}

SlotPool::~SlotPool() {
  {
    const std::lock_guard lock{mutex_};
    over_ = true;
  }
  wake();
  if (listener_.joinable()) listener_.join();
}

void SlotPool::wake() const {
  ::eventfd_write(wake_.get(), 1);
}

fs::path SlotPool::socket_of(int index) const {
  return options_.folder / (std::to_string(index) + kSocketSuffix);
}

Result<void> SlotPool::open() {
  std::error_code failed;
  fs::create_directories(options_.folder, failed);
  if (!failed) fs::permissions(options_.folder, fs::perms::owner_all, failed);
  if (failed) return errno_error("cannot make '" + options_.folder.string() + "'", failed.value());
  const fs::path file = options_.folder / "lock";
  lock_file_.reset(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_file_.is_open()) return errno_error("cannot open '" + file.string() + "'", errno);
  if (::flock(lock_file_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorKind::Conflict, "another agent of this runner works in '" +
                                         options_.folder.parent_path().parent_path().string() + "'")
        .with_hint("stop it first, or give this one its own runner_builds_dir");
  if (auto adopted = adopt(); !adopted) return adopted;
  listener_ = std::thread{[this] { listen(); }};
  std::unique_lock lock{mutex_};
  const bool all = changed_.wait_for(lock, kHelloTime, [this] {
    return std::none_of(entries_.begin(), entries_.end(),
                        [](const auto& entry) { return entry.second.state == State::Joining; });
  });
  if (!all) log::warn("slot.silent", {{"folder", options_.folder.string()}});
  return {};
}

Result<void> SlotPool::adopt() {
  std::error_code failed;
  for (const auto& file : fs::directory_iterator{options_.folder, failed}) {
    int index = 0;
    const std::string name = file.path().filename();
    const auto read = std::from_chars(name.data(), name.data() + name.size(), index);
    if (read.ec != std::errc{} || std::string_view{read.ptr} != kSocketSuffix) continue;
    auto socket = connect_to(file.path());
    if (!socket && socket.error().kind == ErrorKind::NotFound) continue;
    if (!socket) return std::move(socket).error();
    Entry& entry = entries_[index];
    entry.state = State::Joining;
    entry.channel = std::make_shared<SlotChannel>(std::move(*socket));
    (void)entry.channel->send(options_.settings);
  }
  return {};
}

bool SlotPool::is_free(const Entry& entry) const {
  return entry.state == State::Idle || entry.state == State::Absent;
}

int SlotPool::taken() const {
  return static_cast<int>(
      std::count_if(entries_.begin(), entries_.end(),
                    [this](const auto& entry) { return !is_free(entry.second); }));
}

std::optional<int> SlotPool::wait_for_free() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return closed_ || taken() < options_.concurrent; });
  if (closed_) return std::nullopt;
  for (const auto& [index, entry] : entries_)
    if (is_free(entry)) return index;
  return std::nullopt;
}

Result<void> SlotPool::launch(int index, Entry& entry) {
  auto listener = listen_at(socket_of(index));
  if (!listener) return std::move(listener).error();
  const auto pid = options_.launch(index, std::move(*listener));
  if (!pid) return pid.error();
  auto socket = connect_to(socket_of(index));
  if (!socket) return std::move(socket).error();
  if (*pid > 0) children_.push_back(*pid);
  entry = Entry{};
  entry.pid = *pid;
  entry.channel = std::make_shared<SlotChannel>(std::move(*socket));
  return entry.channel->send(options_.settings);
}

Result<void> SlotPool::give(int index, const HandedJob& job) {
  const std::string message = R"({"say":"job","id":)" + std::to_string(job.id) + R"(,"token":)" +
                              json(job.token).dump() + R"(,"payload":)" + job.payload + "}";
  std::shared_ptr<SlotChannel> channel;
  bool canceled = false;
  {
    const std::lock_guard lock{mutex_};
    Entry& entry = entries_[index];
    if (entry.state == State::Absent) {
      if (auto launched = launch(index, entry); !launched) return launched;
      wake();
    }
    entry.state = State::Busy;
    entry.job = {job.id, job.token};
    entry.since = Steady::now();
    channel = entry.channel;
    canceled = canceled_;
  }
  events_.started();
  // A slot that is gone is noticed by the thread that listens.
  (void)channel->send(message);
  if (canceled) (void)channel->send(kCancel);
  return {};
}

void SlotPool::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  changed_.notify_all();
}

void SlotPool::cancel_all() {
  const std::lock_guard lock{mutex_};
  canceled_ = true;
  for (auto& [index, entry] : entries_)
    if (entry.state == State::Busy) (void)entry.channel->send(kCancel);
}

void SlotPool::dismiss(Entry& entry) {
  (void)entry.channel->send(kLeave);
  if (entry.pid > 0) dismissed_[entry.pid] = Steady::now();
  entry = Entry{};
}

void SlotPool::wait_for_the_end() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return taken() == 0; });
  for (auto& [index, entry] : entries_)
    if (entry.state == State::Idle) dismiss(entry);
}

void SlotPool::forget(int index) {
  {
    const std::lock_guard lock{mutex_};
    entries_[index] = Entry{};
  }
  changed_.notify_all();
}

LiveSlots SlotPool::live() {
  const std::lock_guard lock{mutex_};
  LiveSlots found;
  for (const auto& [index, entry] : entries_) {
    if (entry.state == State::Busy) found.jobs.insert(entry.job.id);
    if (entry.state == State::Busy || entry.state == State::Joining) found.busy.insert(index);
    if (entry.state == State::Idle) found.idle[index] = entry.pid;
  }
  for (auto at = dismissed_.begin(); at != dismissed_.end();) {
    if (Steady::now() - at->second > kTimeToLeave) {
      at = dismissed_.erase(at);
    } else {
      found.leaving.insert(at->first);
      ++at;
    }
  }
  return found;
}

// When the next idle slot has been so for too long.
milliseconds SlotPool::dismiss_idle() {
  milliseconds next = std::chrono::hours{1};
  for (auto& [index, entry] : entries_) {
    if (entry.state != State::Idle) continue;
    const auto left = std::chrono::ceil<milliseconds>(entry.since + options_.idle - Steady::now());
    if (left <= milliseconds{0})
      dismiss(entry);
    else
      next = std::min(next, left);
  }
  return next;
}

void SlotPool::listen() {
  std::vector<pollfd> fds;
  std::vector<int> indices;
  std::vector<std::shared_ptr<SlotChannel>> channels;  // so that no descriptor is another's by now
  while (true) {
    milliseconds next{};
    fds.assign(1, {wake_.get(), POLLIN, 0});
    indices.assign(1, -1);
    channels.assign(1, nullptr);
    {
      const std::lock_guard lock{mutex_};
      if (over_) return;
      next = dismiss_idle();
      reap();
      for (const auto& [index, entry] : entries_) {
        if (!entry.channel) continue;
        fds.push_back({entry.channel->fd(), POLLIN, 0});
        indices.push_back(index);
        channels.push_back(entry.channel);
      }
    }
    ::poll(fds.data(), fds.size(), static_cast<int>(next.count()));
    eventfd_t woken = 0;
    if (fds[0].revents != 0) ::eventfd_read(wake_.get(), &woken);
    for (std::size_t i = 1; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      const std::lock_guard lock{mutex_};
      if (entries_[indices[i]].channel == channels[i]) hear(indices[i]);
    }
  }
}

void SlotPool::hear(int index) {
  std::vector<std::string> messages;
  const bool open = entries_[index].channel->receive(messages);
  for (const std::string& message : messages) obey(index, message);
  if (!open && entries_[index].channel) lose(index);
}

void SlotPool::obey(int index, const std::string& message) {
  const auto said = json::parse(message, nullptr, false);
  const std::string word = said.is_object() ? said.value("say", "") : "";
  Entry& entry = entries_[index];
  if (word == "hello") {
    entry.pid = said.value("pid", 0);
    if (entry.state != State::Joining) return;  // it was started here and has its job
    entry.leaves = said.value("build", "") != options_.build || index >= options_.concurrent;
    entry.since = Steady::now();
    if (said["job"].is_object()) {
      entry.state = State::Busy;
      entry.job = {said["job"]["id"], said["job"]["token"]};
      log::info("slot.found_busy", {{"slot", index}, {"job", entry.job.id}});
      events_.started();
      if (canceled_) (void)entry.channel->send(kCancel);
    } else if (entry.leaves) {
      dismiss(entry);
    } else {
      entry.state = State::Idle;
    }
  } else if (word == "ended" && entry.state == State::Busy) {
    events_.ended(said["result"], milliseconds{said["took_ms"].get<long long>()});
    entry.state = State::Idle;
    entry.job = {};
    entry.since = Steady::now();
    if (entry.leaves) dismiss(entry);
  }
  changed_.notify_all();
}

void SlotPool::lose(int index) {
  Entry& entry = entries_[index];
  const bool with_job = entry.state == State::Busy;
  const SlotJob job = entry.job;
  entry = Entry{};
  if (with_job) {
    entry.state = State::Lost;
    events_.lost(index, job);
  }
  changed_.notify_all();
}

// Those that have ended since.
void SlotPool::reap() {
  children_.erase(
      std::remove_if(children_.begin(), children_.end(),
                     [](pid_t child) { return ::waitpid(child, nullptr, WNOHANG) == child; }),
      children_.end());
}

}  // namespace slipway::runner
