#include "runner/agent.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "base/crypto.h"
#include "base/logging.h"
#include "runner/disk_keeper.h"
#include "runner/orphans.h"

namespace slipway::runner {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLongestPause{30s};
constexpr std::chrono::seconds kBetweenSweeps{60};
constexpr int kDeniedInARow = 3;

std::chrono::milliseconds jittered(std::chrono::milliseconds most) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::milliseconds{
      std::uniform_int_distribution<long long>{most.count() / 2, most.count()}(random)};
}

// A slot may live on under an agent that was started in another directory.
void make_absolute(std::map<std::string, std::string>& settings, const std::string& name) {
  std::string& path = settings[name];
  if (!path.empty()) path = fs::absolute(path).lexically_normal();
}

}  // namespace

std::string runner_label(const RunnerIdentity& identity) {
  return sha256_hex(identity.token).substr(0, 9);
}

Agent::Agent(const RunnerSettings& settings, RunnerIdentity identity, SlotSource slots)
    : settings_(settings),
      identity_(std::move(identity)),
      label_(runner_label(identity_)),
      signs_(settings.concurrent, to_string(settings.executor)),
      pool_(pool_options(std::move(slots)),
            {[this] { signs_.job_started(); },
             [this](const std::string& result, std::chrono::milliseconds took) {
               signs_.job_ended(result, took);
             },
             [this](int index, const SlotJob& job) {
               {
                 const std::lock_guard lock{mutex_};
                 lost_.emplace_back(index, job);
               }
               changed_.notify_all();
             }}) {}

Agent::~Agent() = default;

SlotPoolOptions Agent::pool_options(SlotSource slots) const {
  make_absolute(slots.settings, "runner_builds_dir");
  make_absolute(slots.settings, "runner_cache_dir");
  const nlohmann::json message{{"say", "settings"},    {"texts", slots.settings},
                               {"url", identity_.url}, {"token", identity_.token},
                               {"label", label_},      {"system_id", identity_.system_id}};
  SlotPoolOptions options;
  options.folder = (fs::absolute(settings_.builds_dir) / label_ / ".slots").lexically_normal();
  options.concurrent = settings_.concurrent;
  options.settings = message.dump();
  options.build = std::move(slots.build);
  options.launch = std::move(slots.launch);
  return options;
}

void Agent::drain() {
  drain_.request_stop();  // first: an interrupted call looks at it before it is made again
  {
    const std::lock_guard lock{mutex_};
    draining_ = true;
    if (polling_ != nullptr) polling_->interrupt();
  }
  pool_.close();
  changed_.notify_all();
}

void Agent::stop() {
  drain();
  pool_.cancel_all();
}

void Agent::pause(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, time, [this] { return draining_; });
}

void Agent::start_job(int index, const HandedJob& job) {
  const auto given = pool_.give(index, job);
  if (given) return;
  log::error("slot.not_started", {{"job", job.id}, {"error", given.error().message}});
  report_failure({job.id, job.token}, given.error().message);
}

Result<std::optional<HandedJob>> Agent::ask(CoordinatorClient& client) {
  {
    const std::lock_guard lock{mutex_};
    if (draining_) return std::optional<HandedJob>{};
    polling_ = &client;
  }
  auto job = client.request_job(drain_.get_token());
  {
    const std::lock_guard lock{mutex_};
    polling_ = nullptr;
  }
  if (!drain_.stop_requested()) signs_.polled(job ? "" : job.error().message);
  return job;
}

Result<void> Agent::poll() {
  auto client = CoordinatorClient::create(identity_, CoordinatorClient::kPollTimeout);
  if (!client) return std::move(client).error();
  std::chrono::milliseconds wait = 500ms;
  int denied = 0;
  while (const auto slot = pool_.wait_for_free()) {
    const auto asked = std::chrono::steady_clock::now();
    const auto job = ask(*client);
    if (job) {
      wait = 500ms;
      denied = 0;
      if (*job) {
        start_job(*slot, **job);
        continue;
      }
      // A server that does not hold requests is not asked more than once a second.
      const auto took = std::chrono::steady_clock::now() - asked;
      if (took < 1s) pause(std::chrono::duration_cast<std::chrono::milliseconds>(1s - took));
      continue;
    }
    if (drain_.stop_requested()) break;
    log::warn("poll.failed", {{"error", job.error().message}});
    denied = job.error().kind == ErrorKind::Denied ? denied + 1 : 0;
    if (denied >= kDeniedInARow) return job.error();
    pause(jittered(wait));
    wait = std::min(wait * 2, kLongestPause);
  }
  return {};
}

Result<void> Agent::run() {
  if (auto opened = pool_.open(); !opened) return opened;
  if (!settings_.listen.empty()) {
    if (auto served = signs_.serve(settings_.listen); !served) return served;
    log::info("signs.served", {{"address", settings_.listen}, {"port", signs_.port()}});
  }
  const std::jthread keeper{[this](const std::stop_token& ended) { keep_order(ended); }};
  const std::jthread disk_keeper{[this](const std::stop_token& ended) {
    keep_disk(settings_, ended,
              [this](const DiskFacts& facts) { signs_.disk_swept(facts.kept, facts.removed); });
  }};
  auto outcome = poll();
  log::info("runner.draining", {});
  pool_.wait_for_the_end();
  return outcome;
}

void Agent::keep_order(const std::stop_token& ended) {
  const auto live = [this] { return pool_.live(); };
  std::unique_lock lock{mutex_};
  while (!ended.stop_requested()) {
    lock.unlock();
    end_orphans(label_, settings_.executor, live);
    lock.lock();
    const auto next = std::chrono::steady_clock::now() + kBetweenSweeps;
    while (changed_.wait_until(lock, ended, next, [this] { return !lost_.empty(); })) {
      const auto [index, job] = lost_.front();
      lost_.pop_front();
      lock.unlock();
      report_lost(index, job);
      lock.lock();
    }
  }
}

// What is left of the job is ended first: once the server knows, it may hand it out again.
void Agent::report_lost(int index, const SlotJob& job) {
  log::error("slot.lost", {{"slot", index}, {"job", job.id}});
  end_orphans(label_, settings_.executor, [this] { return pool_.live(); });
  report_failure(job,
                 "the process that ran the job has died: it was killed, or the machine was out of "
                 "memory; what the job had started was ended");
  signs_.job_ended("runner_system_failure", 0ms);
  pool_.forget(index);
}

// The log may be longer than the agent can know: the server says where it ends.
void Agent::report_failure(const SlotJob& job, const std::string& why) {
  auto client = CoordinatorClient::create(identity_);
  if (!client) return;
  const std::string words = "\n\x1b[31;1mERROR: Job failed (system failure): " + why + "\x1b[0;m\n";
  const auto told = client->append_trace(job.id, job.token, 0, words);
  if (told && told->status == 416 && told->size)
    (void)client->append_trace(job.id, job.token, *told->size, words);
  const auto done =
      client->update(job.id, job.token, {"failed", "runner_system_failure", {}, {}, 0, why});
  if (!done || done->status >= 400)
    log::warn("job.not_reported",
              {{"job", job.id}, {"error", done ? done->message : done.error().message}});
}

}  // namespace slipway::runner
