// Trigger jobs and what they trigger: how each hears of the other, in the transaction of the
// change.
#include <spdlog/fmt/fmt.h>

#include "pipeline/resource_group.h"
#include "server/coordinator/work.h"

namespace slipway::server {

namespace {

using pipeline::EventKind;

constexpr const char* kChild = "child";
constexpr const char* kProject = "project";
constexpr const char* kUpstream = "upstream";

bool is_open(std::string_view status) {
  return status == "running" || status == "manual";
}

}  // namespace

Result<AlivePipeline*> Coordinator::Work::waiting_bridge(JobId job) {
  auto alive = find_pipeline_of(job);
  if (!alive) return alive;
  const JobRow& row = (*alive)->jobs.at(job);
  if (!row.is_bridge || row.status != "pending")
    return fail(ErrorKind::Conflict, fmt::format("job '{}' does not wait for a pipeline: it is {}",
                                                 row.name, row.status));
  return alive;
}

void Coordinator::Work::link(const AlivePipeline& upstream, JobId bridge,
                             const PipelineRow& downstream, const char* kind) {
  stores().bridges.insert({bridge, upstream.row.id, downstream.id, kind});
  if (const auto alive = alive_.find(downstream.id); alive != alive_.end())
    alive->second.followers.push_back(bridge);
}

Result<void> Coordinator::Work::fail_bridge(JobId job, const std::string& failure_reason,
                                            const std::string& text) {
  auto alive = waiting_bridge(job);
  if (!alive) return alive.error();
  pipeline::Event event{EventKind::Fail};
  event.job = job.value;
  event.failure_reason = failure_reason;
  event.reason.text = text;
  return apply(**alive, event);
}

Result<void> Coordinator::Work::follow_pipeline(JobId job, PipelineId pipeline) {
  auto alive = waiting_bridge(job);
  if (!alive) return alive.error();
  auto followed = find_pipeline(pipeline);
  if (!followed) return followed.error();
  const PipelineRow row = (*followed)->row;
  link(**alive, job, row, kUpstream);
  if (auto begun = job_event(job, EventKind::Triggered); !begun) return begun;
  return tell_follower(job, row, row.status);
}

Result<void> Coordinator::Work::tell_triggered(const NewPipeline& pipeline) {
  if (!pipeline.bridge) return {};
  auto upstream = find_pipeline_of(*pipeline.bridge);
  if (!upstream) return upstream.error();
  const bool child = pipeline.row.source == "parent_pipeline";
  link(**upstream, *pipeline.bridge, pipeline.row, child ? kChild : kProject);
  if (!is_final_word(pipeline.row.status)) return job_event(*pipeline.bridge, EventKind::Triggered);
  // It is kept for what it says of its file, and has no jobs.
  return fail_bridge(*pipeline.bridge, "downstream_pipeline_creation_failed",
                     pipeline.row.reason_text);
}

Result<void> Coordinator::Work::tell_followers(AlivePipeline& alive, const std::string& before) {
  if (alive.followers.empty() || before == alive.row.status) return {};
  // By value: what follows may change both.
  const PipelineRow row = alive.row;
  for (const JobId bridge : std::vector<JobId>{alive.followers})
    if (auto told = tell_follower(bridge, row, before); !told) return told;
  return {};
}

Result<void> Coordinator::Work::tell_follower(JobId bridge, const PipelineRow& row,
                                              const std::string& before) {
  auto upstream = find_pipeline_of(bridge);
  if (!upstream && upstream.error().kind == ErrorKind::NotFound) return {};  // removed meanwhile
  if (!upstream) return upstream.error();
  const pipeline::JobNode& node = (*upstream)->node(bridge);
  if (node.bridge.value_or(pipeline::BridgeStrategy::None) == pipeline::BridgeStrategy::None)
    return {};
  const bool resumes = is_final_word(before) && !is_final_word(row.status);
  if (resumes && !node.retried && pipeline::is_final(node.status))
    if (auto resumed = job_event(bridge, EventKind::DownstreamResumes); !resumed) return resumed;
  if (!is_open((*upstream)->jobs.at(bridge).status)) return {};
  const auto status = pipeline::parse_status(row.status);
  if (!status) return status.error();
  pipeline::Event event{EventKind::DownstreamIs};
  event.job = bridge.value;
  event.downstream = *status;
  event.reason.text = fmt::format("pipeline #{} is {}", row.id.value, row.status);
  return apply(**upstream, event);
}

Result<void> Coordinator::Work::cancel_downstream(AlivePipeline& alive, EventKind cause,
                                                  const std::set<JobId>& canceled) {
  bool any = false;
  for (const pipeline::JobNode& node : alive.state.jobs)
    any = any || (node.triggered &&
                  (pipeline::cancels_downstream(cause, node, canceled.contains({node.id}), true)));
  if (!any) return {};
  const auto why = pipeline::make_reason(pipeline::ReasonCode::CanceledWithUpstream,
                                         fmt::format("pipeline #{}", alive.row.id.value));
  for (const BridgeRow& bridge : stores().bridges.of_upstream(alive.row.id)) {
    if (bridge.kind == kUpstream ||
        !pipeline::cancels_downstream(cause, alive.node(bridge.job_id),
                                      canceled.contains(bridge.job_id), bridge.kind == kChild))
      continue;
    const auto row = stores().pipelines.find(bridge.pipeline_id);
    if (!row || is_final_word(row->status)) continue;
    const auto done = pipeline_event(bridge.pipeline_id, EventKind::CancelPipeline, why);
    // It may be canceling already.
    if (!done && done.error().kind != ErrorKind::Conflict) return done;
  }
  return {};
}

Result<void> Coordinator::Work::set_process_mode(ProjectId project, const std::string& group,
                                                 pipeline::ProcessMode mode) {
  const auto known = stores().resource_groups.find(project, group);
  if (!known)
    return fail(ErrorKind::NotFound, fmt::format("no job had the resource group '{}' yet", group));
  stores().resource_groups.set_mode(known->id, pipeline::to_string(mode), now());
  return grant_resource(project, group);
}

}  // namespace slipway::server
