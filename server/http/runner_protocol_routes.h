// The runner's side of the protocol, JSON calls: verify, ask for a job, report its state, leave.
//
// Every call may come twice, since a lost answer makes the runner repeat it. 403 is for tokens that
// are really unknown: for anything that passes by itself the answer is 503, or the runner would
// stop asking for an hour.
#pragma once

#include <chrono>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <unordered_map>

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/dispatch/dispatch.h"
#include "server/http/ports.h"
#include "server/http/route.h"
#include "server/http/worker_pool.h"
#include "server/trace/trace_store.h"

namespace slipway::server::http {

class RunnerProtocolRoutes {
 public:
  RunnerProtocolRoutes(Coordinator& coordinator, Dispatch& dispatch, TraceStore& traces,
                       JobPayloads& payloads, WorkerPool& workers, const Clock& clock,
                       std::chrono::milliseconds poll_hold);

  Result<Response> verify(const Call& call);
  void request_job(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);
  void update_job(const SharedCall& call, const std::shared_ptr<Exchange>& exchange);
  Result<Response> unregister_manager(const Call& call);

 private:
  void hand_over(const std::shared_ptr<const Assignment>& assignment,
                 const std::shared_ptr<Exchange>& exchange);
  // What the caller is called by its own account.
  std::string note_contact(const Call& call, const nlohmann::json& body);
  void finish(const SharedCall& call, FinishedJob result, std::optional<long long> bytesize,
              const std::shared_ptr<Exchange>& exchange);
  // The response that asks for more of the log; nullopt when it is as the runner says, or when
  // asking again is no use.
  std::optional<Response> check_log(const JobCredential& who, FinishedJob& result,
                                    std::optional<long long> bytesize);
  int count_complaint(JobId job);
  // How long this poll may be held. A program that polls for several runners in turn asks for none
  // of them while it waits for one, so its polls are held only shortly.
  std::chrono::milliseconds hold_of(RunnerId runner, const std::string& system_id);

  Coordinator& coordinator_;
  Dispatch& dispatch_;
  TraceStore& traces_;
  JobPayloads& payloads_;
  WorkerPool& workers_;
  const Clock& clock_;
  std::chrono::milliseconds poll_hold_;
  std::mutex mutex_;
  std::unordered_map<JobId, int> complaints_;  // about the logs of jobs that are ending
  struct Poller {
    RunnerId last;  // for which it polled
    SteadyTime at;
    SteadyTime takes_turns_until;
  };
  std::unordered_map<std::string, Poller> pollers_;  // by system_id
};

// With the headers that every answer to a job's runner carries.
Response job_response(int status, std::string_view job_status, const TraceStore& traces, JobId job);
// Unless the path names the job whose token it is.
std::optional<Response> refuse_other_job(const Call& call);

}  // namespace slipway::server::http
