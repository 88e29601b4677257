#include "server/coordinator/coordinator.h"

#include "base/crypto.h"
#include "base/guarded.h"
#include "base/logging.h"
#include "server/coordinator/work.h"

#include <random>
#include <unordered_map>

namespace slipway::server {

namespace {

// How often deadlines are looked at; every deadline is many times longer.
constexpr std::chrono::milliseconds kTickInterval{1000};
// Requests in one transaction, so that the first of a flood does not wait for the last.
constexpr std::size_t kRoundLimit = 1000;
// How often a transaction is tried that the database gives up for another one's sake, and how long
// it waits at most before the second time; doubled each time.
constexpr int kMostTries = 5;
constexpr std::chrono::milliseconds kFirstPause{20};
constexpr UnixMillis kContactGrain = 60'000;

std::string contact_key(RunnerId runner, const std::string& system_id) {
  return std::to_string(runner.value) + '/' + system_id;
}

// Anything up to `most`, so that two who were in each other's way do not meet again.
void pause_up_to(std::chrono::milliseconds most) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<long long> any{0, most.count()};
  std::this_thread::sleep_for(std::chrono::milliseconds{any(random)});
}

}  // namespace

struct Coordinator::State {
  State(Database& used_database, const Clock& used_clock, CoordinatorOptions used_options)
      : database(used_database),
        options(used_options),
        clock(used_clock),
        work(used_database, used_clock, options, tokens) {}

  Database& database;
  const CoordinatorOptions options;
  const Clock& clock;
  JobTokens tokens;
  Work work;
  std::vector<CommitObserver*> observers;
  bool announced = false;
  bool must_load = false;

  struct Queue {
    std::vector<std::unique_ptr<Request>> waiting;
    bool stopped = false;
  };
  Guarded<Queue> queue;
  std::condition_variable arrived;
  Guarded<std::shared_ptr<const RunnerTable>> runners;
  struct Contact {
    UnixMillis at = 0;
    std::string from;  // version and address: a change of these is news at once
  };
  Guarded<std::unordered_map<std::string, Contact>> contacts;  // see contact_key()
  std::atomic<std::uint64_t> commits{0};
  std::atomic<bool> healthy{true};
  std::thread thread;

  std::vector<std::unique_ptr<Request>> take();
  // False: the same was noted within the last minute.
  bool note_contact(RunnerId runner, const std::string& system_id,
                    const std::optional<std::string>& from, UnixMillis now);
  void announce();
  std::optional<Error> run_one(Request& request);
  using Round = std::vector<std::unique_ptr<Request>>;
  using Refusals = std::vector<std::optional<Error>>;  // one for each request
  // All of the round, committed; throws when nothing of it is stored.
  Refusals commit_all(const Round& round);
  Result<Refusals> run_transaction(const Round& round);
  void recover();
  void loop(Coordinator& coordinator);
  // Until there is something, or it is time to look at the deadlines; false: it is to end.
  bool wait_for_work();
};

Coordinator::Coordinator(Database& database, const Clock& clock, CoordinatorOptions options)
    : state_(std::make_unique<State>(database, clock, options)) {
  *state_->runners.lock() = state_->work.runners();
}

Coordinator::~Coordinator() {
  stop();
  const Error stopped = fail(ErrorKind::Unavailable, "the server is stopping");
  for (auto& request : state_->queue.lock()->waiting) request->answer(&stopped);
}

void Coordinator::observe(CommitObserver& observer) {
  state_->observers.push_back(&observer);
}

void Coordinator::start() {
  state_->thread = std::thread{[this] { state_->loop(*this); }};
}

void Coordinator::stop() {
  state_->queue.lock()->stopped = true;
  state_->arrived.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void Coordinator::State::loop(Coordinator& coordinator) {
  auto last_tick = std::chrono::steady_clock::now();
  announce();
  while (wait_for_work()) {
    if (const auto now = std::chrono::steady_clock::now(); now - last_tick >= kTickInterval) {
      last_tick = now;
      coordinator.tick();
    }
    coordinator.run_waiting();
  }
}

bool Coordinator::State::wait_for_work() {
  auto access = queue.lock();
  arrived.wait_for(access.lock(), kTickInterval,
                   [&] { return access->stopped || !access->waiting.empty(); });
  return !access->stopped || !access->waiting.empty();
}

std::vector<std::unique_ptr<Coordinator::Request>> Coordinator::State::take() {
  auto access = queue.lock();
  std::vector<std::unique_ptr<Request>> round;
  if (access->waiting.size() <= kRoundLimit) {
    round.swap(access->waiting);
    return round;
  }
  const auto end = access->waiting.begin() + kRoundLimit;
  round.assign(std::make_move_iterator(access->waiting.begin()), std::make_move_iterator(end));
  access->waiting.erase(access->waiting.begin(), end);
  return round;
}

void Coordinator::State::announce() {
  if (std::exchange(announced, true)) return;
  const Changes all = work.everything();
  for (CommitObserver* observer : observers) observer->committed(all);
}

std::optional<Error> Coordinator::State::run_one(Request& request) {
  database.savepoint();
  work.begin_request();
  std::optional<Error> refused;
  try {
    if (auto acted = request.act(work); !acted) refused = acted.error();
  } catch (const StoreFailure& failure) {
    // A broken disk concerns the whole round; a broken rule of the schema only this request.
    if (failure.error().kind == ErrorKind::Unavailable) throw;
    refused = failure.error();
  } catch (const std::exception& bug) {
    log::error("coordinator.request_failed", {{"error", bug.what()}});
    refused = fail(ErrorKind::Internal, std::string{"internal error: "} + bug.what());
  }
  if (refused) {
    database.rollback_to_savepoint();
    work.forget_changes();
  } else {
    database.release_savepoint();
    work.keep_changes();
  }
  return refused;
}

Coordinator::State::Refusals Coordinator::State::commit_all(const Round& round) {
  auto pause = kFirstPause;
  for (int tries = 1;; ++tries) {
    try {
      Refusals refusals;
      refusals.reserve(round.size());
      database.begin();
      for (const auto& request : round) refusals.push_back(run_one(*request));
      database.commit();
      return refusals;
    } catch (const TransactionGivenUp& given_up) {
      if (tries == kMostTries) throw;
      log::info("coordinator.commit_again",
                {{"requests", round.size()}, {"error", given_up.error().message}});
      database.rollback();
      work.forget_round();
    }
    pause_up_to(pause);
    pause *= 2;
  }
}

Result<Coordinator::State::Refusals> Coordinator::State::run_transaction(const Round& round) {
  try {
    if (std::exchange(must_load, false)) recover();
    return commit_all(round);
  } catch (const std::exception& broken) {
    log::error("coordinator.commit_failed", {{"requests", round.size()}, {"error", broken.what()}});
    database.rollback();
    must_load = true;
    return fail(ErrorKind::Unavailable, std::string{"nothing was stored: "} + broken.what());
  }
}

void Coordinator::State::recover() {
  try {
    work.load();
  } catch (const std::exception&) {
    must_load = true;
    throw;
  }
  announced = false;
  announce();
}

std::size_t Coordinator::run_waiting() {
  State& state = *state_;
  state.announce();
  const auto round = state.take();
  if (round.empty()) return 0;
  const auto refusals = state.run_transaction(round);
  state.healthy = refusals.has_value();
  if (!refusals) {
    for (const auto& request : round) request->answer(&refusals.error());
    return round.size();
  }
  ++state.commits;
  const Changes changes = state.work.finish_round();
  if (!changes.runners.empty()) *state.runners.lock() = state.work.runners();
  if (!changes.empty())
    for (CommitObserver* observer : state.observers) observer->committed(changes);
  for (std::size_t i = 0; i < round.size(); ++i)
    round[i]->answer((*refusals)[i] ? &*(*refusals)[i] : nullptr);
  try {
    state.database.checkpoint_when_large();
  } catch (const StoreFailure& failure) {
    log::warn("database.checkpoint_failed", {{"error", failure.error().message}});
  }
  return round.size();
}

void Coordinator::enqueue(std::unique_ptr<Request> request) {
  std::string refusal;
  {
    auto queue = state_->queue.lock();
    if (queue->stopped)
      refusal = "the server is stopping";
    else if (queue->waiting.size() >= state_->options.queue_limit)
      refusal = "the server has too much to do, try again";
    else
      queue->waiting.push_back(std::move(request));
  }
  if (refusal.empty()) {
    state_->arrived.notify_one();
    return;
  }
  const Error error = fail(ErrorKind::Unavailable, refusal);
  request->answer(&error);  // NOLINT(bugprone-use-after-move): it was not
}

WriteTransaction Coordinator::transaction_of(Work& work) {
  return {work.stores(), work.now(), work.changes()};
}

void Coordinator::tick() {
  enqueue_call<void>([](Work& work) { return work.check_deadlines(); }, nullptr);
}

void Coordinator::create_pipeline(NewPipeline pipeline, Completion<PipelineId> done) {
  auto made = std::make_shared<NewPipeline>(std::move(pipeline));
  enqueue_call<PipelineId>([made](Work& work) { return work.create_pipeline(*made); },
                           std::move(done));
}

void Coordinator::cancel_pipeline(PipelineId id, Completion<void> done, std::string_view by) {
  const auto why = pipeline::make_reason(pipeline::ReasonCode::CanceledByUser, by);
  enqueue_call<void>(
      [id, why](Work& work) {
        return work.pipeline_event(id, pipeline::EventKind::CancelPipeline, why);
      },
      std::move(done));
}

void Coordinator::retry_pipeline(PipelineId id, Completion<void> done, std::optional<UserId> by) {
  enqueue_call<void>(
      [id, by](Work& work) {
        work.act_for(by);
        return work.pipeline_event(id, pipeline::EventKind::RetryPipeline);
      },
      std::move(done));
}

void Coordinator::cancel_job(JobId id, Completion<void> done, std::string_view by, bool force) {
  const auto why = pipeline::make_reason(pipeline::ReasonCode::CanceledByUser, by);
  enqueue_call<void>([id, why, force](Work& work) { return work.cancel_job(id, why, force); },
                     std::move(done));
}

void Coordinator::retry_job(JobId id, Completion<JobId> done, std::optional<UserId> by) {
  enqueue_call<JobId>(
      [id, by](Work& work) {
        work.act_for(by);
        return work.retry_job(id);
      },
      std::move(done));
}

void Coordinator::play_job(JobId id, Completion<void> done, std::optional<UserId> by) {
  enqueue_call<void>(
      [id, by](Work& work) {
        work.act_for(by);
        return work.play_job(id);
      },
      std::move(done));
}

void Coordinator::approve_deployment(ApprovalRow approval, std::string sha, Completion<void> done) {
  enqueue_call<void>([approval = std::move(approval), sha = std::move(sha)](
                         Work& work) { return work.approve_deployment(approval, sha); },
                     std::move(done));
}

void Coordinator::reconsider_deployments(ProjectId project, Completion<void> done) {
  enqueue_call<void>([project](Work& work) { return work.reconsider_deployments(project); },
                     std::move(done));
}

void Coordinator::stop_environment(EnvironmentId id, Completion<std::optional<JobId>> done,
                                   std::optional<UserId> by) {
  enqueue_call<std::optional<JobId>>(
      [id, by](Work& work) {
        work.act_for(by);
        return work.stop_environment(id);
      },
      std::move(done));
}

void Coordinator::fail_bridge(JobId job, std::string failure_reason, std::string text,
                              Completion<void> done) {
  enqueue_call<void>([job, reason = std::move(failure_reason), text = std::move(text)](
                         Work& work) { return work.fail_bridge(job, reason, text); },
                     std::move(done));
}

void Coordinator::follow_pipeline(JobId job, PipelineId pipeline, Completion<void> done) {
  enqueue_call<void>([job, pipeline](Work& work) { return work.follow_pipeline(job, pipeline); },
                     std::move(done));
}

void Coordinator::set_process_mode(ProjectId project, std::string group, pipeline::ProcessMode mode,
                                   Completion<void> done) {
  enqueue_call<void>([project, group = std::move(group),
                      mode](Work& work) { return work.set_process_mode(project, group, mode); },
                     std::move(done));
}

void Coordinator::assign(JobId job, const Taker& taker, Completion<Assignment> done) {
  enqueue_call<Assignment>([job, taker](Work& work) { return work.assign(job, taker); },
                           std::move(done));
}

void Coordinator::give_back(JobId job, int dispatch) {
  enqueue_call<void>([job, dispatch](Work& work) { return work.give_back(job, dispatch); },
                     nullptr);
}

std::optional<JobCredential> Coordinator::find_job(std::string_view token) const {
  return state_->tokens.find(token, state_->clock.steady());
}

void Coordinator::runner_seen(const JobCredential& who) {
  const auto at = state_->clock.now();
  if (!state_->note_contact(who.runner_id, who.system_id, std::nullopt, at)) return;
  enqueue_call<void>([id = who.runner_id, manager = who.system_id,
                      at](Work& work) { return work.runner_seen(id, manager, at); },
                     nullptr);
}

void Coordinator::heard_from(const JobCredential& who) {
  runner_seen(who);
  if (state_->tokens.heard_from(who.job_id, who.dispatch, state_->clock.steady())) return;
  if (!who.acknowledged && !who.finished) acknowledge(who, nullptr);
}

void Coordinator::acknowledge(const JobCredential& who, Completion<std::string> done) {
  runner_seen(who);
  state_->tokens.heard_from(who.job_id, who.dispatch, state_->clock.steady());
  enqueue_call<std::string>([who](Work& work) { return work.acknowledge(who); }, std::move(done));
}

void Coordinator::finish_job(const JobCredential& who, FinishedJob result,
                             Completion<std::string> done) {
  enqueue_call<std::string>(
      [who, result = std::move(result)](Work& work) { return work.finish_job(who, result); },
      std::move(done));
}

void Coordinator::create_runner(RunnerRow row, Completion<RunnerId> done) {
  enqueue_call<RunnerId>([row = std::move(row)](Work& work) { return work.create_runner(row); },
                         std::move(done));
}

void Coordinator::update_runner(RunnerId id, std::function<void(RunnerRow&)> change,
                                Completion<void> done) {
  enqueue_call<void>(
      [id, change = std::move(change)](Work& work) { return work.update_runner(id, change); },
      std::move(done));
}

void Coordinator::delete_runner(RunnerId id, Completion<void> done) {
  enqueue_call<void>([id](Work& work) { return work.delete_runner(id); }, std::move(done));
}

std::optional<RunnerRow> Coordinator::find_runner(std::string_view token) const {
  const std::shared_ptr<const RunnerTable> table = *state_->runners.lock();
  const auto found = table->by_token_hash.find(token_hash(token));
  if (found == table->by_token_hash.end()) return std::nullopt;
  return table->rows[found->second];
}

std::optional<RunnerRow> Coordinator::find_runner(RunnerId id) const {
  const std::shared_ptr<const RunnerTable> table = *state_->runners.lock();
  const RunnerRow* found = table->find(id);
  if (found == nullptr) return std::nullopt;
  return *found;
}

void Coordinator::runner_contacted(RunnerManagerRow manager) {
  manager.contacted_at = state_->clock.now();
  if (!state_->note_contact(manager.runner_id, manager.system_id,
                            manager.version + '/' + manager.ip_address, manager.contacted_at))
    return;
  enqueue_call<void>(
      [manager = std::move(manager)](Work& work) { return work.runner_contacted(manager); },
      nullptr);
}

void Coordinator::forget_contact(RunnerId runner, const std::string& system_id) {
  state_->contacts.lock()->erase(contact_key(runner, system_id));
}

bool Coordinator::State::note_contact(RunnerId runner, const std::string& system_id,
                                      const std::optional<std::string>& from, UnixMillis now) {
  auto access = contacts.lock();
  // Keys come from outside: a client that makes up names must not fill the memory.
  if (access->size() > 10'000) access->clear();
  Contact& last = (*access)[contact_key(runner, system_id)];
  const bool same = !from || *from == last.from;
  if (same && last.at != 0 && now - last.at < kContactGrain) return false;
  last.at = now;
  if (from) last.from = *from;
  return true;
}

void Coordinator::delete_project(ProjectId id, Completion<void> done) {
  enqueue_call<void>([id](Work& work) { return work.delete_project(id); }, std::move(done));
}

void Coordinator::store_delivery(DeliveryRow row, Completion<StoredDelivery> done) {
  enqueue_call<StoredDelivery>(
      [row = std::move(row)](Work& work) { return work.store_delivery(row); }, std::move(done));
}

std::size_t Coordinator::queue_length() const {
  return state_->queue.lock()->waiting.size();
}

std::uint64_t Coordinator::commits() const {
  return state_->commits;
}

bool Coordinator::healthy() const {
  return state_->healthy;
}

}  // namespace slipway::server
