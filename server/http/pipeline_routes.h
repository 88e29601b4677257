// Pipelines and jobs: lists, details, and what a hand can do to them.
#pragma once

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/http/ports.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class PipelineRoutes {
 public:
  PipelineRoutes(Database& database, Coordinator& coordinator, PipelineIntake& intake,
                 const Clock& clock, std::string external_url);

  Result<Response> list(const Call& call);
  Result<Response> create(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> jobs(const Call& call);     // but its trigger jobs
  Result<Response> bridges(const Call& call);  // these, with what they triggered
  Result<Response> cancel(const Call& call);
  Result<Response> retry(const Call& call);

  Result<Response> list_jobs(const Call& call);
  Result<Response> show_job(const Call& call);
  // The job that asks, by its own token.
  Result<Response> show_own_job(const Call& call);
  Result<Response> cancel_job(const Call& call);
  Result<Response> retry_job(const Call& call);
  Result<Response> play_job(const Call& call);

 private:
  // NotFound unless it is one of the path's project.
  Result<JobRow> job_of(const Call& call);
  // When the caller may also run pipelines on its ref: Denied when it is protected against that.
  Result<PipelineRow> pipeline_to_run(const Call& call);
  Result<JobRow> job_to_run(const Call& call);
  Result<Response> jobs_of(const Call& call, bool bridges);
  Result<Response> detail(PipelineId id, int status);
  Result<Response> job_view(JobId id, int status);

  Database& database_;
  Coordinator& coordinator_;
  PipelineIntake& intake_;
  const Clock& clock_;
  std::string url_;
};

}  // namespace slipway::server::http
