#include "server/store/job_store.h"

#include "server/store/counting.h"
#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<JobRow> {
  template <typename F>
  static void each(JobRow& row, F&& f) {
    f("id", row.id);
    f("pipeline_id", row.pipeline_id);
    f("project_id", row.project_id);
    f("plan_id", row.plan_id);
    f("name", row.name);
    f("stage", row.stage);
    f("stage_index", row.stage_index);
    f("status", row.status);
    f("reason_code", row.reason_code);
    f("reason_text", row.reason_text);
    f("attempt", row.attempt);
    f("dispatches", row.dispatches);
    f("retried", row.retried);
    f("allow_failure", row.allow_failure);
    f("\"when\"", row.when);
    f("tags", row.tags);
    f("needs", row.needs);
    f("environment", row.environment);
    f("environment_action", row.environment_action);
    f("rule_file", row.rule_file);
    f("rule_line", row.rule_line);
    f("ref_protected", row.ref_protected);
    f("user_id", row.user_id);
    f("interruptible", row.interruptible);
    f("coverage_regex", row.coverage_regex);
    f("resource_group", row.resource_group);
    f("at_once", row.at_once);
    f("is_bridge", row.is_bridge);
    f("runner_id", row.runner_id);
    f("runner_system_id", row.runner_system_id);
    f("token_hash", row.token_hash);
    f("assigned_at", row.assigned_at);
    f("created_at", row.created_at);
    f("queued_at", row.queued_at);
    f("scheduled_at", row.scheduled_at);
    f("started_at", row.started_at);
    f("finished_at", row.finished_at);
    f("erased_at", row.erased_at);
    f("trace_size", row.trace_size);
    f("trace_checksum", row.trace_checksum);
    f("coverage", row.coverage);
    f("failure_reason", row.failure_reason);
    f("exit_code", row.exit_code);
  }
};

template <>
struct Columns<StageState> {
  template <typename F>
  static void each(StageState& row, F&& f) {
    f("stage", row.stage);
    f("stage_index", row.stage_index);
    f("status", row.status);
    f("allow_failure", row.allow_failure);
  }
};

namespace {

const std::string& select_jobs() {
  static const std::string sql = "SELECT " + column_names<JobRow>() + " FROM jobs";
  return sql;
}

}  // namespace

std::optional<JobRow> JobStore::find(JobId id) const {
  static const std::string sql = select_jobs() + " WHERE id = ?";
  return select_one<JobRow>(session_, sql, id);
}

Page<JobRow> JobStore::list(ProjectId project, const JobFilter& filter, PageRequest page) const {
  static const std::string where =
      " WHERE project_id = ?1 AND (?2 = '' OR status = ?2) AND (?3 = 0 OR pipeline_id = ?3)"
      " AND (?4 = 1 OR retried = 0) AND (?5 = 1 OR is_bridge = 0)";
  static const std::string rows = select_jobs() + where + " ORDER BY id DESC LIMIT ?6 OFFSET ?7";
  static const std::string total =
      "SELECT COUNT(*) FROM (SELECT 1 FROM jobs" + where + " LIMIT ?6) AS counted";
  const PipelineId pipeline = filter.pipeline.value_or(PipelineId{});
  return {
      select<JobRow>(session_, rows, project, filter.status, pipeline, filter.include_retried,
                     filter.include_bridges, page.per_page, (page.page - 1) * page.per_page),
      select_value<long long>(session_, total, project, filter.status, pipeline,
                              filter.include_retried, filter.include_bridges, count_limit(page))};
}

Page<JobRow> JobStore::of_runner(RunnerId runner, const JobFilter& filter, PageRequest page) const {
  static const std::string where =
      " WHERE runner_id = ?1 AND (?2 = '' OR status = ?2) AND (?3 = 1 OR retried = 0)";
  static const std::string rows = select_jobs() + where + " ORDER BY id DESC LIMIT ?4 OFFSET ?5";
  static const std::string total =
      "SELECT COUNT(*) FROM (SELECT 1 FROM jobs" + where + " LIMIT ?4) AS counted";
  return {select<JobRow>(session_, rows, runner, filter.status, filter.include_retried,
                         page.per_page, (page.page - 1) * page.per_page),
          select_value<long long>(session_, total, runner, filter.status, filter.include_retried,
                                  count_limit(page))};
}

std::vector<JobRow> JobStore::of_pipeline(PipelineId id) const {
  static const std::string sql = select_jobs() + " WHERE pipeline_id = ? ORDER BY stage_index, id";
  return select<JobRow>(session_, sql, id);
}

std::vector<StageState> JobStore::stage_states(PipelineId id) const {
  static const std::string sql = "SELECT DISTINCT " + column_names<StageState>() +
                                 " FROM jobs WHERE pipeline_id = ? AND retried = 0"
                                 " ORDER BY stage_index";
  return select<StageState>(session_, sql, id);
}

std::string JobStore::plan(PlanId id) const {
  return select_value<std::string>(session_, "SELECT plan FROM job_plans WHERE id = ?", id);
}

std::vector<JobRow> JobStore::finished_since(UnixMillis since) const {
  static const std::string sql =
      select_jobs() + " WHERE finished_at IS NOT NULL AND finished_at >= ? AND token_hash <> ''";
  return select<JobRow>(session_, sql, since);
}

std::vector<std::pair<std::string, long long>> JobStore::count_by_status() const {
  return select<std::pair<std::string, long long>>(
      session_, "SELECT status, COUNT(*) FROM jobs GROUP BY status ORDER BY status");
}

long long JobStore::count_running(RunnerId id) const {
  return select_value<long long>(
      session_,
      "SELECT COUNT(*) FROM jobs WHERE runner_id = ? AND status IN ('running', 'canceling')", id);
}

std::string JobStore::transfers(JobId id) const {
  return select_value<std::string>(
      session_, "SELECT ifnull((SELECT transfers FROM job_transfers WHERE job_id = ?), '')", id);
}

void JobStore::put_transfers(JobId id, std::string_view json) {
  execute(session_,
          "INSERT INTO job_transfers (job_id, transfers) VALUES (?, ?)"
          " ON CONFLICT (job_id) DO UPDATE SET transfers = excluded.transfers",
          id, json);
}

PlanId JobStore::insert_plan(std::string_view json) {
  return {select_value<long long>(session_, "INSERT INTO job_plans (plan) VALUES (?) RETURNING id",
                                  json)};
}

JobId JobStore::insert(JobRow& row) {
  row.id.value = insert_row(session_, "jobs", row);
  return row.id;
}

void JobStore::update_state(const JobRow& row) {
  execute(session_, R"sql(
UPDATE jobs
   SET status = ?, reason_code = ?, reason_text = ?, dispatches = ?, retried = ?,
       allow_failure = ?, runner_id = ?, runner_system_id = ?,
       token_hash = ?, assigned_at = ?, queued_at = ?, scheduled_at = ?, started_at = ?,
       finished_at = ?, trace_size = ?, trace_checksum = ?, coverage = ?, failure_reason = ?,
       exit_code = ?, user_id = ?
 WHERE id = ?)sql",
          row.status, row.reason_code, row.reason_text, row.dispatches, row.retried,
          row.allow_failure, row.runner_id, row.runner_system_id, row.token_hash, row.assigned_at,
          row.queued_at, row.scheduled_at, row.started_at, row.finished_at, row.trace_size,
          row.trace_checksum, row.coverage, row.failure_reason, row.exit_code, row.user_id, row.id);
}

void JobStore::erase_log(JobId id, UnixMillis at) {
  execute(session_,
          "UPDATE jobs SET erased_at = ?, trace_size = 0, trace_checksum = '' WHERE id = ?", at,
          id);
}

}  // namespace slipway::server
