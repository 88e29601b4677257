#include "runner/agent.h"

#include <algorithm>
#include <random>

#include "base/crypto.h"
#include "base/logging.h"
#include "runner/docker_command.h"
#include "runner/job_processes.h"
#include "runner/job_run.h"

namespace slipway::runner {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kLongestPause{30s};
constexpr int kDeniedInARow = 3;

std::chrono::milliseconds jittered(std::chrono::milliseconds most) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::milliseconds{
      std::uniform_int_distribution<long long>{most.count() / 2, most.count()}(random)};
}

}  // namespace

Agent::Agent(const RunnerSettings& settings, RunnerIdentity identity)
    : settings_(settings),
      identity_(std::move(identity)),
      label_(sha256_hex(identity_.token).substr(0, 9)),
      signs_(settings.concurrent, to_string(settings.executor)),
      slots_(static_cast<std::size_t>(settings.concurrent)) {}

Agent::~Agent() {
  stop();
  join_all();
}

void Agent::drain() {
  drain_.request_stop();  // first: an interrupted call looks at it before it is made again
  {
    const std::lock_guard lock{mutex_};
    draining_ = true;
    if (polling_ != nullptr) polling_->interrupt();
  }
  changed_.notify_all();
}

void Agent::stop() {
  drain();
  stop_.request_stop();
}

std::optional<int> Agent::wait_for_slot() {
  std::unique_lock lock{mutex_};
  const auto free = [this] {
    return std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.busy; });
  };
  changed_.wait(lock, [&] { return draining_ || free() != slots_.end(); });
  if (draining_) return std::nullopt;
  return static_cast<int>(free() - slots_.begin());
}

void Agent::pause(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, time, [this] { return draining_; });
}

void Agent::start_job(int index, pipeline::JobSpec spec) {
  Slot& slot = slots_[static_cast<std::size_t>(index)];
  if (slot.thread.joinable()) slot.thread.join();
  {
    const std::lock_guard lock{mutex_};
    slot.busy = true;
  }
  slot.thread = std::thread{[this, index, job = std::move(spec)]() mutable {
    const std::int64_t id = job.id;
    try {
      run_job(index, std::move(job));
    } catch (const std::exception& error) {
      log::error("job.broken", {{"job", id}, {"error", error.what()}});
    }
    {
      const std::lock_guard lock{mutex_};
      slots_[static_cast<std::size_t>(index)].busy = false;
    }
    changed_.notify_all();
  }};
}

void Agent::run_job(int index, pipeline::JobSpec spec) {
  std::unique_ptr<JobLink>& kept = slots_[static_cast<std::size_t>(index)].link;
  if (!kept) {
    auto made = CoordinatorClient::create(identity_);
    if (!made) throw std::runtime_error{made.error().message};
    kept = std::make_unique<CoordinatorClient>(std::move(*made));
  }
  JobRun run{settings_,       identity_,           std::move(kept),
             std::move(spec), {index, label_, {}}, stop_.get_token()};
  signs_.job_started();
  const auto begun = std::chrono::steady_clock::now();
  run.run();
  signs_.job_ended(run.result(), std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::steady_clock::now() - begun));
  kept = run.take_link();
}

Result<void> Agent::run() {
  auto client = CoordinatorClient::create(identity_, CoordinatorClient::kPollTimeout);
  if (!client) return std::move(client).error();
  if (!settings_.listen.empty()) {
    if (auto served = signs_.serve(settings_.listen); !served) return served;
    log::info("signs.served", {{"address", settings_.listen}, {"port", signs_.port()}});
  }
  if (settings_.executor == ExecutorKind::Docker) remove_docker_leftovers(label_);
  JobProcesses::sweep("slipway-" + label_ + "-");
  std::chrono::milliseconds wait = 500ms;
  int denied = 0;
  Result<void> outcome;
  while (const auto slot = wait_for_slot()) {
    {
      const std::lock_guard lock{mutex_};
      if (draining_) break;
      polling_ = &*client;
    }
    const auto asked = std::chrono::steady_clock::now();
    auto job = client->request_job(drain_.get_token());
    {
      const std::lock_guard lock{mutex_};
      polling_ = nullptr;
    }
    if (!drain_.stop_requested()) signs_.polled(job ? "" : job.error().message);
    if (job && *job) {
      wait = 500ms;
      denied = 0;
      start_job(*slot, std::move(**job));
      continue;
    }
    if (job) {
      wait = 500ms;
      denied = 0;
      // A server that does not hold requests is not asked more than once a second.
      const auto took = std::chrono::steady_clock::now() - asked;
      if (took < 1s) pause(std::chrono::duration_cast<std::chrono::milliseconds>(1s - took));
      continue;
    }
    if (drain_.stop_requested()) break;
    log::warn("poll.failed", {{"error", job.error().message}});
    denied = job.error().kind == ErrorKind::Denied ? denied + 1 : 0;
    if (denied >= kDeniedInARow) {
      outcome = job.error();
      break;
    }
    pause(jittered(wait));
    wait = std::min(wait * 2, kLongestPause);
  }
  log::info("runner.draining", {});
  join_all();
  return outcome;
}

void Agent::join_all() {
  for (Slot& slot : slots_)
    if (slot.thread.joinable()) slot.thread.join();
}

}  // namespace slipway::runner
