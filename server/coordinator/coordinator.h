// The one writer. All changes of state go through its queue; it takes everything that waits, makes
// the changes in one transaction, commits, and only then answers the callers and tells observers.
// So nothing is acknowledged that a crash could lose, and many requests share one fsync.
//
// Every public member may be called from any thread; completions run on the coordinator's thread
// after the commit and must be quick (post onward). When a commit fails, every caller of that round
// gets Unavailable, the state in memory is read again from disk, and work goes on. A round that the
// database gives up for another transaction (PostgreSQL's deadlocks) is done again first, a few
// times. A full queue answers Unavailable at once.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "server/coordinator/changes.h"
#include "server/coordinator/job_tokens.h"
#include "server/store/database.h"

namespace slipway::pipeline {
struct Plan;
enum class ProcessMode : std::uint8_t;
}  // namespace slipway::pipeline

namespace slipway::server {

struct CoordinatorOptions {
  std::chrono::milliseconds ack_timeout{std::chrono::seconds{30}};
  std::chrono::milliseconds lease{std::chrono::seconds{90}};
  std::chrono::milliseconds cancel_grace{std::chrono::minutes{10}};
  // After so many hand-outs that nobody took up the job fails: no runner understands it.
  int most_dispatches = 5;
  std::size_t queue_limit = 20'000;
};

template <typename T>
using Completion = std::function<void(Result<T>)>;

// Blocks until what `ask` hands its Completion<T> to has called it; never on the coordinator's
// thread.
template <typename T, typename F>
Result<T> wait_for(F&& ask) {
  auto answered = std::make_shared<std::promise<Result<T>>>();
  auto answer = answered->get_future();
  ask(Completion<T>{[answered](Result<T> result) { answered->set_value(std::move(result)); }});
  return answer.get();
}

// A pipeline to be made. In `row` the caller fills: project_id, source, ref, tag, ref_protected,
// sha, before_sha, name, commit fields, user_id; the rest is set here.
struct NewPipeline {
  PipelineRow row;
  std::string variables = "[]";  // JSON, as given with the trigger
  // Null when the file could not be planned: the pipeline is kept as failed, with `findings`.
  std::shared_ptr<const pipeline::Plan> plan;
  std::vector<FindingRow> findings;
  // The delivery that caused it: gets its verdict in the same transaction.
  std::optional<DeliveryId> delivery;
  // The trigger job that it is made for, which must still wait for it: goes on in the same
  // transaction. Conflict when it does not wait.
  std::optional<JobId> bridge;
  // The time of a schedule that it is made for: ends in the same transaction. Conflict when it has
  // ended.
  std::optional<ScheduleRunId> schedule_run;
};

// Who takes a job: a runner, and which of the processes that poll with its token.
struct Taker {
  Taker(RunnerId of, std::string manager = {})  // NOLINT(google-explicit-constructor): one of many
      : runner(of), system_id(std::move(manager)) {}
  RunnerId runner;
  std::string system_id;  // "" when it is not known
};

// A job in the hands of a runner: all that its payload is made from.
struct Assignment {
  JobRow job;
  PipelineRow pipeline;
  ProjectRow project;
  RunnerRow runner;
  std::string plan;       // the planned job, JSON
  std::string token;      // "glcbt-…", nowhere else in plain text
  std::string variables;  // JSON, as given with the trigger
};

enum class JobOutcome : std::uint8_t { Success, Failed };

struct FinishedJob {
  JobOutcome outcome = JobOutcome::Success;
  std::string failure_reason;  // GitLab's words; "" becomes script_failure when it failed
  std::optional<int> exit_code;
  std::optional<double> coverage;  // see coverage_of_trace()
  long long trace_size = 0;
  std::string trace_checksum;
  std::string failure_text;  // what the runner says beside its reason, "" when nothing
  std::string transfers;     // see JobStore::put_transfers(); "" when nothing
};

struct StoredDelivery {
  DeliveryId id;
  bool duplicate = false;  // known already: nothing was stored
  std::string verdict;
};

// Inside a write: the repositories and the time. What was written is undone when the function
// returns an error or throws.
struct WriteTransaction {
  Stores& stores;
  UnixMillis now;
  Changes& changes;  // for ids of projects that pages should read again
};

class Coordinator {
 public:
  // `database`, `clock` and the observers must outlive it. Reads what is alive from the database.
  Coordinator(Database& database, const Clock& clock, CoordinatorOptions options = {});
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // Before start(). The first thing an observer hears is a `reloaded`.
  void observe(CommitObserver& observer);
  // Starts the thread. Without it, run_waiting() does the work on the calling thread (tests).
  void start();
  // Finishes what is in the queue; later requests are Unavailable.
  void stop();
  // One round; the number of requests that it answered.
  std::size_t run_waiting();
  // Looks at every deadline: acknowledgements, leases, delayed jobs. The thread does it by itself.
  void tick();

  // Pipelines and jobs.
  // Cancels older pipelines of the same branch as far as their `workflow:auto_cancel` says.
  void create_pipeline(NewPipeline pipeline, Completion<PipelineId> done);
  // `by` is who the reasons name, here and below.
  void cancel_pipeline(PipelineId id, Completion<void> done, std::string_view by = "a user");
  // New tries for its failed and canceled jobs. `by` is who the jobs are by, here and below.
  void retry_pipeline(PipelineId id, Completion<void> done, std::optional<UserId> by = {});
  // Conflict when it has ended. Pending ends at once; running becomes "canceling" and the runner is
  // told by its next call, unless it is forced to end without waiting for that.
  void cancel_job(JobId id, Completion<void> done, std::string_view by = "a user",
                  bool force = false);
  // The id of the new try. Conflict when it has not ended or was retried already.
  void retry_job(JobId id, Completion<JobId> done, std::optional<UserId> by = {});
  // Starts a manual or delayed job now.
  void play_job(JobId id, Completion<void> done, std::optional<UserId> by = {});

  // Deployments.
  // What somebody says of one that has not begun. Conflict when it has, or when it is not of that
  // commit. A rejected one fails; one that has all its approvals goes on.
  void approve_deployment(ApprovalRow approval, std::string sha, Completion<void> done);
  // After the rules of a project have changed, or a freeze has ended.
  void reconsider_deployments(ProjectId project, Completion<void> done);
  // Starts the job that stops it, which is the answer; without one it is stopped now. Conflict when
  // it is not available.
  void stop_environment(EnvironmentId id, Completion<std::optional<JobId>> done,
                        std::optional<UserId> by = {});

  // Trigger jobs, while their downstream pipeline is to be made. Conflict when they do not wait.
  // Fails with one of GitLab's words; `text` says more.
  void fail_bridge(JobId job, std::string failure_reason, std::string text, Completion<void> done);
  // It takes over the status of that pipeline from now on.
  void follow_pipeline(JobId job, PipelineId pipeline, Completion<void> done);

  // Which waiting job of a resource group is next from now on. NotFound when no job had the group.
  void set_process_mode(ProjectId project, std::string group, pipeline::ProcessMode mode,
                        Completion<void> done);

  // Runners at work. `dispatch` is the fencing number: Denied when the job is with another one.
  // Conflict when it is not waiting any more: somebody else was faster.
  void assign(JobId job, const Taker& taker, Completion<Assignment> done);
  // The answer did not reach the runner: the job waits again, the token is void.
  void give_back(JobId job, int dispatch);
  // Who this token is; nullopt: none, or revoked. Does not touch the database.
  [[nodiscard]] std::optional<JobCredential> find_job(std::string_view token) const;
  // Call for every authenticated call of a job: renews the lease, acknowledges when it is the first
  // one, and shows that the runner is there: one that is busy does not poll.
  void heard_from(const JobCredential& who);
  // As heard_from, answered once it is durable, with the status for `Job-Status`.
  void acknowledge(const JobCredential& who, Completion<std::string> done);
  // Repeating the same is harmless. Answers the job's status ("canceled" when it was canceling).
  void finish_job(const JobCredential& who, FinishedJob result, Completion<std::string> done);

  // Runners.
  void create_runner(RunnerRow row, Completion<RunnerId> done);
  void update_runner(RunnerId id, std::function<void(RunnerRow&)> change, Completion<void> done);
  void delete_runner(RunnerId id, Completion<void> done);
  // By the token in plain text, from memory.
  [[nodiscard]] std::optional<RunnerRow> find_runner(std::string_view token) const;
  [[nodiscard]] std::optional<RunnerRow> find_runner(RunnerId id) const;
  // Noted at most once a minute for each manager; nobody waits for it.
  void runner_contacted(RunnerManagerRow manager);
  // The manager was unregistered: its next contact is news.
  void forget_contact(RunnerId runner, const std::string& system_id);

  // The rest.
  void delete_project(ProjectId id, Completion<void> done);
  void store_delivery(DeliveryRow row, Completion<StoredDelivery> done);

  // Any other change. `act` runs on the coordinator's thread inside the transaction; it may run
  // more than once, when that has to begin anew, so it finds all beside the database as it was.
  template <typename T>
  void submit(std::function<Result<T>(WriteTransaction&)> act, Completion<T> done);
  // As submit, but waits. Never call it on the coordinator's thread.
  template <typename T>
  Result<T> write(std::function<Result<T>(WriteTransaction&)> act);

  // For the gauges.
  [[nodiscard]] std::size_t queue_length() const;
  [[nodiscard]] std::uint64_t commits() const;
  // False once a round has failed, until one succeeds.
  [[nodiscard]] bool healthy() const;

 private:
  class Work;

  // The manager that has the job is there.
  void runner_seen(const JobCredential& who);

  // One request in the queue.
  class Request {
   public:
    virtual ~Request() = default;
    // Inside the transaction. An error undoes what this request wrote.
    virtual Result<void> act(Work& work) = 0;
    // After the commit, or with the reason why nothing was kept.
    virtual void answer(const Error* failure) noexcept = 0;
  };
  template <typename T>
  class CallRequest;

  void enqueue(std::unique_ptr<Request> request);
  template <typename T>
  void enqueue_call(std::function<Result<T>(Work&)> act, Completion<T> done);
  static WriteTransaction transaction_of(Work& work);

  struct State;
  std::unique_ptr<State> state_;
};

template <typename T>
class Coordinator::CallRequest final : public Request {
 public:
  CallRequest(std::function<Result<T>(Work&)> act, Completion<T> done)
      : act_(std::move(act)), done_(std::move(done)) {}
  Result<void> act(Work& work) override {
    result_.emplace(act_(work));
    if (!*result_) return result_->error();
    return {};
  }
  void answer(const Error* failure) noexcept override {
    if (!done_) return;
    if (failure != nullptr)
      done_(*failure);
    else
      done_(std::move(*result_));
  }

 private:
  std::function<Result<T>(Work&)> act_;
  Completion<T> done_;
  std::optional<Result<T>> result_;
};

template <typename T>
void Coordinator::enqueue_call(std::function<Result<T>(Work&)> act, Completion<T> done) {
  enqueue(std::make_unique<CallRequest<T>>(std::move(act), std::move(done)));
}

template <typename T>
void Coordinator::submit(std::function<Result<T>(WriteTransaction&)> act, Completion<T> done) {
  enqueue_call<T>(
      [act = std::move(act)](Work& work) {
        WriteTransaction transaction = transaction_of(work);
        return act(transaction);
      },
      std::move(done));
}

template <typename T>
Result<T> Coordinator::write(std::function<Result<T>(WriteTransaction&)> act) {
  return wait_for<T>([&](Completion<T> done) { submit<T>(std::move(act), std::move(done)); });
}

}  // namespace slipway::server
