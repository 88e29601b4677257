#include "server/coordinator/work.h"

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace slipway::server {

namespace {

using pipeline::EventKind;

PipelineDetails details_of(const NewPipeline& pipeline) {
  PipelineDetails details;
  details.findings = pipeline.findings;
  details.variables = pipeline.variables;
  if (!pipeline.plan) return details;
  details.stages = pipeline.plan->stages;
  for (const pipeline::LeftOutJob& job : pipeline.plan->left_out)
    details.left_out.push_back({job.name, job.stage,
                                std::string{pipeline::to_string(job.reason.code)}, job.reason.text,
                                job.rule.file, job.rule.line});
  for (const pipeline::Diagnostic& finding : pipeline.plan->findings)
    details.findings.push_back({std::string{pipeline::to_string(finding.severity)}, finding.code,
                                finding.message, finding.span.file, finding.span.line,
                                finding.span.column, finding.hint});
  return details;
}

// Deployments to one environment run one after the other, also when the file does not ask for it:
// two at once leave nobody knows what there.
std::string exclusion_of(const pipeline::PlannedJob& planned) {
  const pipeline::Job& job = planned.job;
  if (!job.resource_group.empty() || job.bridge || !job.environment ||
      job.environment->action != "start")
    return job.resource_group;
  return "environment/" + job.environment->name;
}

}  // namespace

Result<PipelineId> Coordinator::Work::create_pipeline(NewPipeline& pipeline) {
  if (!stores().projects.find(pipeline.row.project_id))
    return fail(ErrorKind::NotFound, fmt::format("no project {}", pipeline.row.project_id.value));
  if (pipeline.bridge)
    if (auto waits = waiting_bridge(*pipeline.bridge); !waits) return waits.error();
  if (pipeline.schedule_run) {
    const auto run = stores().schedules.find_run(*pipeline.schedule_run);
    if (!run || run->state != "waiting")
      return fail(ErrorKind::Conflict, "the schedule does not wait for this pipeline any more");
  }
  PipelineRow& row = pipeline.row;
  row.created_at = row.updated_at = now();
  if (!pipeline.plan || pipeline::has_errors(pipeline.plan->findings))
    return create_failed_pipeline(pipeline);
  if (pipeline.plan->no_pipeline)
    return fail(ErrorKind::InvalidInput, pipeline.plan->no_pipeline->text);

  row.status = "created";
  row.reason_code = pipeline::to_string(pipeline::ReasonCode::None);
  row.cancel_on_failure = pipeline.plan->auto_cancel_on_job_failure == "all";
  row.on_new_commit = pipeline.plan->auto_cancel_on_new_commit;
  const auto on_new_commit = pipeline::parse_on_new_commit(row.on_new_commit);
  if (!on_new_commit) return on_new_commit.error();
  if (row.name.empty()) row.name = pipeline.plan->name;
  const PipelineId id = stores().pipelines.insert(row, details_of(pipeline));
  touched_.insert(id);
  AlivePipeline& alive = alive_.emplace(id, AlivePipeline{row, {}, {}, {}}).first->second;
  alive.state.cancel_on_failure = row.cancel_on_failure;
  alive.state.on_new_commit = *on_new_commit;
  insert_jobs(alive, *pipeline.plan);
  changes_.pipelines.push_back({id, row.project_id, "", "created"});
  // First, so that what they free is there for the new one.
  if (auto superseded = supersede_older(row); !superseded) return superseded.error();
  // So that whatever follows from its first jobs finds the trigger job following it.
  if (auto told = tell_triggered(pipeline); !told) return told.error();
  if (auto begun = apply(alive, {EventKind::Begin}); !begun) return begun.error();
  settle_cause(pipeline);
  return id;
}

Result<PipelineId> Coordinator::Work::create_failed_pipeline(NewPipeline& pipeline) {
  PipelineRow& row = pipeline.row;
  // A pipeline that the commit asked to skip is kept in the same way, so that its status is known.
  const bool skipped = row.reason_code == pipeline::to_string(pipeline::ReasonCode::SkipCi);
  row.status = skipped ? "skipped" : "failed";
  row.finished_at = now();
  if (row.reason_code.empty()) {
    const auto reason = pipeline::make_reason(pipeline::ReasonCode::ConfigurationInvalid);
    row.reason_code = pipeline::to_string(reason.code);
    row.reason_text = reason.text;
  }
  stores().pipelines.insert(row, details_of(pipeline));
  changes_.pipelines.push_back({row.id, row.project_id, "", row.status});
  owe_status(AlivePipeline{row, {}, {}, {}});
  if (auto told = tell_triggered(pipeline); !told) return told.error();
  settle_cause(pipeline);
  return row.id;
}

void Coordinator::Work::insert_jobs(AlivePipeline& alive, const pipeline::Plan& plan) {
  for (const pipeline::PlannedJob& planned : plan.jobs) {
    JobRow job = job_row(planned);
    job.pipeline_id = alive.row.id;
    job.project_id = alive.row.project_id;
    job.ref_protected = alive.row.ref_protected;
    job.user_id = alive.row.user_id;
    job.reason_code = pipeline::to_string(pipeline::ReasonCode::None);
    job.created_at = now();
    job.plan_id = stores().jobs.insert_plan(
        pipeline::to_json(planned).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    job.resource_group = exclusion_of(planned);
    stores().jobs.insert(job);
    if (!job.resource_group.empty())
      stores().resource_groups.note(job.project_id, job.resource_group, now());
    pipeline::JobNode node = job_node(planned);
    node.id = job.id.value;
    node.resource_group = job.resource_group;
    alive.state.jobs.push_back(std::move(node));
    pipeline_of_[job.id] = alive.row.id;
    add_deployment(alive, job,
                   planned.job.environment ? planned.job.environment->deployment_tier : "");
    changes_.jobs.push_back(
        {job.id, job.pipeline_id, job.project_id, "", job.status, job.failure_reason});
    alive.jobs.emplace(job.id, std::move(job));
  }
}

void Coordinator::Work::settle_cause(const NewPipeline& pipeline) {
  if (pipeline.schedule_run)
    stores().schedules.end_run(*pipeline.schedule_run, "done", "", pipeline.row.id);
  if (pipeline.delivery)
    stores().deliveries.set_verdict(*pipeline.delivery, "done", pipeline.row.reason_text,
                                    pipeline.row.id);
}

Result<void> Coordinator::Work::pipeline_event(PipelineId id, EventKind kind,
                                               pipeline::Reason why) {
  auto alive = find_pipeline(id);
  if (!alive) return alive.error();
  pipeline::Event event{kind};
  event.reason = std::move(why);
  return apply(**alive, event);
}

Result<void> Coordinator::Work::job_event(JobId id, EventKind kind, pipeline::Reason why) {
  auto alive = find_pipeline_of(id);
  if (!alive) return alive.error();
  pipeline::Event event{kind};
  event.job = id.value;
  event.reason = std::move(why);
  return apply(**alive, event);
}

Result<void> Coordinator::Work::cancel_job(JobId id, const pipeline::Reason& why, bool force) {
  auto canceled = job_event(id, EventKind::CancelJob, why);
  if (!force || (!canceled && canceled.error().kind != ErrorKind::Conflict)) return canceled;
  // What ran, or is being canceled already, ends now. Any other answer stands as it was.
  const bool canceling = alive_.at(pipeline_of_.at(id)).jobs.at(id).status == "canceling";
  return canceling ? job_event(id, EventKind::ForceCancel) : canceled;
}

Result<void> Coordinator::Work::supersede_older(const PipelineRow& newer) {
  // A child pipeline is of the commit that its parent has cancelled the older ones for; a schedule
  // is no newer commit.
  if (newer.tag || newer.source == "parent_pipeline" || newer.source == "schedule") return {};
  constexpr std::string_view kMergeRequest = "merge_request_event";
  std::vector<PipelineId> older;
  for (const auto& [id, alive] : alive_) {
    const PipelineRow& row = alive.row;
    // Branch and merge request pipelines of one ref do not replace each other.
    if (row.project_id == newer.project_id && row.ref == newer.ref && !row.tag &&
        row.sha != newer.sha && !is_final_word(row.status) &&
        (row.source == kMergeRequest) == (newer.source == kMergeRequest))
      older.push_back(id);
  }
  std::sort(older.begin(), older.end());
  const auto why = pipeline::make_reason(
      pipeline::ReasonCode::CanceledByNewPipeline,
      fmt::format("{}, pipeline #{}", newer.sha.substr(0, 8), newer.id.value));
  for (const PipelineId id : older) {
    // It may have ended by what the one before it freed.
    if (is_final_word(alive_.at(id).row.status)) continue;
    if (auto done = pipeline_event(id, EventKind::Supersede, why); !done) return done;
  }
  return {};
}

Result<void> Coordinator::Work::play_job(JobId id) {
  auto alive = find_pipeline_of(id);
  if (!alive) return alive.error();
  touched_.insert((*alive)->row.id);
  if (acting_) (*alive)->jobs.at(id).user_id = acting_;
  return job_event(id, EventKind::Play);
}

Result<JobId> Coordinator::Work::retry_job(JobId id) {
  if (auto done = job_event(id, EventKind::RetryJob); !done) return done.error();
  // The newest try of that name is the one that was just made.
  const AlivePipeline& alive = alive_.at(pipeline_of_.at(id));
  const std::string& name = alive.jobs.at(id).name;
  JobId newest = id;
  for (const auto& [other, row] : alive.jobs)
    if (row.name == name) newest = std::max(newest, other);
  return newest;
}

Result<void> Coordinator::Work::delete_project(ProjectId id) {
  if (!stores().projects.find(id))
    return fail(ErrorKind::NotFound, fmt::format("no project {}", id.value));
  std::vector<PipelineId> gone;
  std::vector<JobId> followers;
  for (auto& [pipeline, alive] : alive_) {
    if (alive.row.project_id != id) continue;
    gone.push_back(pipeline);
    followers.insert(followers.end(), alive.followers.begin(), alive.followers.end());
    for (auto& [job, row] : alive.jobs) {
      touched_jobs_.insert(job);  // has no pipeline any more after the commit: its token is void
      QueueChange change = queue_change(row);
      change.state = QueueState::Gone;
      changes_.queue.push_back(std::move(change));
    }
  }
  stores().projects.remove(id);
  for (const PipelineId pipeline : gone) {
    touched_.insert(pipeline);
    drop_pipeline(pipeline);
  }
  for (const JobId follower : followers) {
    const auto row = stores().jobs.find(follower);
    if (!row || is_final_word(row->status)) continue;
    pipeline::Event event{EventKind::Fail};
    event.job = follower.value;
    event.failure_reason = "downstream_bridge_project_not_found";
    event.reason.text = "it was removed";
    auto alive = find_pipeline_of(follower);
    if (!alive) return alive.error();
    if (auto failed = apply(**alive, event); !failed) return failed;
  }
  changes_.projects.push_back(id);
  runners_changed({});
  return {};
}

}  // namespace slipway::server
