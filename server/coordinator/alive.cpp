#include "server/coordinator/alive.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <stdexcept>

namespace slipway::server {

pipeline::JobNode& AlivePipeline::node(JobId id) {
  for (pipeline::JobNode& node : state.jobs)
    if (node.id == id.value) return node;
  throw std::logic_error{"job " + std::to_string(id.value) + " has a row and no node"};
}

JobRow job_row(const pipeline::PlannedJob& planned) {
  JobRow row;
  row.name = planned.job.name;
  row.stage = planned.job.stage;
  row.stage_index = planned.job.stage_index;
  row.allow_failure = planned.allow_failure.always;
  row.when = pipeline::to_string(planned.when);
  row.tags = planned.job.tags;
  if (planned.dag) {
    row.needs.emplace();
    for (const pipeline::Need& need : planned.needs) row.needs->push_back(need.job);
  }
  if (planned.job.environment) {
    row.environment = planned.job.environment->name;
    row.environment_action = planned.job.environment->action;
  }
  if (planned.rule) {
    row.rule_file = planned.rule->file;
    row.rule_line = planned.rule->line;
  }
  row.interruptible = planned.interruptible;
  row.coverage_regex = planned.job.coverage;
  row.resource_group = planned.job.resource_group;
  row.is_bridge = planned.job.bridge.has_value();
  return row;
}

Result<void> restore_node(const JobRow& row, pipeline::JobNode& node) {
  const auto status = pipeline::parse_status(row.status);
  if (!status) return status.error();
  const auto code = pipeline::parse_reason_code(row.reason_code);
  if (!code) return code.error();
  node.id = row.id.value;
  node.status = *status;
  node.reason = {*code, row.reason_text};
  node.retried = row.retried;
  node.attempt = row.attempt;
  node.at_once = row.at_once;
  // Rows that are older than resource groups take part in none.
  node.resource_group = row.resource_group;
  const auto& allowed = node.allow_failure.exit_codes;
  node.failure_allowed = node.status == pipeline::Status::Failed && row.exit_code &&
                         std::find(allowed.begin(), allowed.end(), *row.exit_code) != allowed.end();
  return {};
}

namespace {

Result<pipeline::JobNode> load_node(Stores& stores, const JobRow& row) {
  const auto json = nlohmann::json::parse(stores.jobs.plan(row.plan_id), nullptr, false);
  const auto planned = pipeline::planned_job_from_json(json);
  if (!planned) return planned.error();
  pipeline::JobNode node = pipeline::job_node(*planned);
  if (auto restored = restore_node(row, node); !restored) return restored.error();
  node.triggered = row.is_bridge && stores.bridges.find(row.id).has_value();
  return node;
}

}  // namespace

Result<AlivePipeline> load_pipeline(Stores& stores, PipelineId id) {
  auto row = stores.pipelines.find(id);
  if (!row) return fail(ErrorKind::NotFound, "no pipeline " + std::to_string(id.value));
  AlivePipeline alive;
  alive.row = std::move(*row);
  const auto status = pipeline::parse_status(alive.row.status);
  if (!status) return status.error();
  alive.state.status = *status;
  alive.state.cancel_on_failure = alive.row.cancel_on_failure;
  const auto on_new_commit = pipeline::parse_on_new_commit(alive.row.on_new_commit);
  if (!on_new_commit) return on_new_commit.error();
  alive.state.on_new_commit = *on_new_commit;
  for (JobRow& job : stores.jobs.of_pipeline(id)) {
    auto node = load_node(stores, job);
    if (!node) return Error{node.error()}.in("job " + std::to_string(job.id.value));
    job.is_bridge = node->bridge.has_value();  // also of rows that are older than the column
    alive.state.jobs.push_back(std::move(*node));
    alive.jobs.emplace(job.id, std::move(job));
  }
  for (const BridgeRow& follower : stores.bridges.followers(id))
    alive.followers.push_back(follower.job_id);
  return alive;
}

QueueState queue_state(const JobRow& row) {
  if (row.is_bridge) return QueueState::Gone;
  if (row.status == "pending") return row.runner_id ? QueueState::Assigned : QueueState::Waiting;
  if (row.status == "running" || row.status == "canceling") return QueueState::Assigned;
  return QueueState::Gone;
}

bool is_final_word(std::string_view status) {
  return status == "success" || status == "failed" || status == "canceled" || status == "skipped";
}

}  // namespace slipway::server
