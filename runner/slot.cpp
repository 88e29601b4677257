#include "runner/slot.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/logging.h"
#include "runner/job_run.h"

namespace slipway::runner {
namespace {

using nlohmann::json;
using Steady = std::chrono::steady_clock;

long long ms_since(Steady::time_point begun) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begun).count();
}

}  // namespace

Slot::Slot(UniqueFd listener, SlotOptions options)
    : listener_(std::move(listener)),
      options_(std::move(options)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Slot::~Slot() = default;

void Slot::wake() const {
  ::eventfd_write(wake_.get(), 1);
}

int Slot::time_to_wait() {
  const std::lock_guard lock{mutex_};
  if (work_ || agent_) return -1;
  return static_cast<int>(std::max<long long>(0, options_.alone.count() - ms_since(alone_since_)) +
                          1);
}

bool Slot::stays() {
  const std::lock_guard lock{mutex_};
  if (work_) return true;
  return !leaving_ && (agent_ || ms_since(alone_since_) < options_.alone.count());
}

void Slot::run() {
  const std::jthread other{[this] { serve(); }};
  serve();
}

// Two threads take turns: who hears of a job runs it, and the other one listens meanwhile. So a job
// waits for no thread but the one that was waiting for it.
void Slot::serve() {
  while (true) {
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return over_ || !listening_; });
      if (over_) return;
      listening_ = true;
    }
    const auto work = listen();
    {
      const std::lock_guard lock{mutex_};
      listening_ = false;
      over_ = work == nullptr;
    }
    changed_.notify_one();
    if (!work) return;
    run_to_the_end(*work);
  }
}

// Until there is a job for this thread; nullptr when the slot is to leave.
std::shared_ptr<Slot::Work> Slot::listen() {
  while (stays()) {
    std::array<pollfd, 4> fds{{{listener_.get(), POLLIN, 0},
                               {agent_ ? agent_->fd() : -1, POLLIN, 0},
                               {wake_.get(), POLLIN, 0},
                               {told_to_end_ ? -1 : options_.end_fd, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), time_to_wait());
    eventfd_t woken = 0;
    if (fds[2].revents != 0) ::eventfd_read(wake_.get(), &woken);
    if (fds[3].revents != 0) {
      told_to_end_ = true;
      obey(R"({"say":"leave"})");
      obey(R"({"say":"cancel"})");
    }
    if (fds[1].revents != 0) hear();
    if (fds[0].revents != 0) take_connection();
    if (begun_) return std::exchange(begun_, nullptr);
  }
  return nullptr;
}

// The agent that comes last is the one that lives.
void Slot::take_connection() {
  auto socket = accept_from(listener_.get());
  if (!socket) {
    log::warn("slot.refused", {{"slot", options_.index}, {"error", socket.error().message}});
    return;
  }
  const std::lock_guard lock{mutex_};
  agent_ = std::make_unique<SlotChannel>(std::move(*socket));
  json hello{{"say", "hello"}, {"build", options_.build}, {"pid", ::getpid()}, {"job", nullptr}};
  if (work_)
    hello["job"] = {{"id", work_->id}, {"token", work_->token}, {"ran_ms", ms_since(work_->begun)}};
  (void)agent_->send(hello.dump());
}

void Slot::hear() {
  std::vector<std::string> messages;
  const bool open = agent_->receive(messages);
  for (const std::string& message : messages) obey(message);
  if (open) return;
  const std::lock_guard lock{mutex_};
  agent_.reset();
  alone_since_ = Steady::now();
  if (work_) log::info("slot.alone", {{"slot", options_.index}, {"job", work_->id}});
}

void Slot::obey(const std::string& message) {
  auto said = json::parse(message, nullptr, false);
  const std::string word = said.is_object() ? said.value("say", "") : "";
  if (word == "settings") {
    auto terms = std::make_shared<Terms>();
    for (const Setting& row : settings_table(terms->settings))
      if (const auto value = said["texts"].find(row.name); value != said["texts"].end())
        (void)row.set(value->get<std::string>());  // the agent has taken it already
    terms->identity = {said["url"], said["token"], said["system_id"],
                       std::string{to_string(terms->settings.executor)}, terms->settings.name};
    terms->label = said["label"];
    const std::lock_guard lock{mutex_};
    terms_ = std::move(terms);
  } else if (word == "job") {
    auto work = std::make_shared<Work>();
    work->id = said["id"];
    work->token = said["token"];
    auto spec = pipeline::job_spec_from_json(said["payload"]);
    if (spec)
      work->spec = std::move(*spec);
    else
      work->broken = std::move(spec).error();
    begin(std::move(work));
  } else if (word == "cancel") {
    std::shared_ptr<Work> work;
    {
      const std::lock_guard lock{mutex_};
      work = work_;
    }
    if (work) work->stop.request_stop();
  } else if (word == "leave") {
    const std::lock_guard lock{mutex_};
    leaving_ = true;
  } else {
    log::warn("slot.not_understood", {{"slot", options_.index}, {"said", word}});
  }
}

void Slot::begin(std::shared_ptr<Work> work) {
  const std::lock_guard lock{mutex_};
  if (work_ || !terms_) {
    log::error("slot.not_free", {{"slot", options_.index}, {"job", work->id}});
    return;
  }
  work->terms = terms_;
  work_ = work;
  begun_ = std::move(work);
}

void Slot::run_to_the_end(Work& work) {
  std::string result = "runner_system_failure";
  try {
    result = run_one(work);
  } catch (const std::exception& error) {
    log::error("job.broken", {{"job", work.id}, {"error", error.what()}});
  }
  if (options_.after_job) options_.after_job();
  const std::lock_guard lock{mutex_};
  // First: the answer to `ended` may be the next job.
  work_.reset();
  alone_since_ = Steady::now();
  if (agent_)
    (void)agent_->send(json{
        {"say", "ended"}, {"id", work.id}, {"result", result}, {"took_ms", ms_since(work.begun)}}
                           .dump());
  if (!agent_ || leaving_) wake();
}

std::string Slot::run_one(Work& work) {
  if (!link_ || linked_with_ != work.terms) {
    auto made = CoordinatorClient::create(work.terms->identity);
    if (!made) throw std::runtime_error{made.error().message};
    link_ = std::make_unique<CoordinatorClient>(std::move(*made));
    linked_with_ = work.terms;
  }
  if (work.broken) {
    JobState state{"failed", "runner_system_failure", {}, {}, 0};
    (void)link_->update(work.id, work.token, state);
    throw std::runtime_error{work.broken->message};
  }
  JobRun run{work.terms->settings,
             work.terms->identity,
             std::move(link_),
             std::move(work.spec),
             {options_.index, work.terms->label, {}},
             work.stop.get_token()};
  run.run();
  link_ = run.take_link();
  return run.result();
}

}  // namespace slipway::runner
