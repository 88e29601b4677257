#include "server/store/schedule_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<ScheduleRow> {
  template <typename F>
  static void each(ScheduleRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("description", row.description);
    f("ref", row.ref);
    f("cron", row.cron);
    f("cron_timezone", row.cron_timezone);
    f("active", row.active);
    f("owner_id", row.owner_id);
    f("next_run_at", row.next_run_at);
    f("variables", row.variables);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
  }
};

template <>
struct Columns<ScheduleRunRow> {
  template <typename F>
  static void each(ScheduleRunRow& row, F&& f) {
    f("id", row.id);
    f("schedule_id", row.schedule_id);
    f("due_at", row.due_at);
    f("missed", row.missed);
    f("state", row.state);
    f("reason", row.reason);
    f("pipeline_id", row.pipeline_id);
    f("played_by", row.played_by);
    f("created_at", row.created_at);
  }
};

namespace {

const std::string& select_schedules() {
  static const std::string sql =
      "SELECT " + column_names<ScheduleRow>() + " FROM pipeline_schedules";
  return sql;
}

const std::string& select_runs() {
  static const std::string sql = "SELECT " + column_names<ScheduleRunRow>() + " FROM schedule_runs";
  return sql;
}

}  // namespace

std::optional<ScheduleRow> ScheduleStore::find(ScheduleId id) const {
  static const std::string sql = select_schedules() + " WHERE id = ?";
  return select_one<ScheduleRow>(session_, sql, id);
}

Page<ScheduleRow> ScheduleStore::list(ProjectId project, std::optional<bool> active,
                                      PageRequest page) const {
  static const std::string where = " WHERE project_id = ?1 AND (?2 < 0 OR active = ?2)";
  static const std::string rows = select_schedules() + where + " ORDER BY id LIMIT ?3 OFFSET ?4";
  static const std::string total = "SELECT COUNT(*) FROM pipeline_schedules" + where;
  const int wanted = active ? static_cast<int>(*active) : -1;
  return {select<ScheduleRow>(session_, rows, project, wanted, page.per_page,
                              (page.page - 1) * page.per_page),
          select_value<long long>(session_, total, project, wanted)};
}

std::vector<ScheduleRow> ScheduleStore::due(UnixMillis now) const {
  static const std::string sql =
      select_schedules() + " WHERE next_run_at IS NOT NULL AND next_run_at <= ? ORDER BY id";
  return select<ScheduleRow>(session_, sql, now);
}

std::optional<UnixMillis> ScheduleStore::next_due() const {
  const auto row = select_one<Scalar<std::optional<UnixMillis>>>(
      session_, "SELECT MIN(next_run_at) FROM pipeline_schedules WHERE next_run_at IS NOT NULL");
  return row ? row->value : std::nullopt;
}

ScheduleId ScheduleStore::insert(const ScheduleRow& row) {
  return {insert_row(session_, "pipeline_schedules", row)};
}

void ScheduleStore::update(const ScheduleRow& row) {
  execute(session_, R"sql(
UPDATE pipeline_schedules
   SET description = ?, ref = ?, cron = ?, cron_timezone = ?, active = ?, owner_id = ?,
       next_run_at = ?, variables = ?, updated_at = ?
 WHERE id = ?)sql",
          row.description, row.ref, row.cron, row.cron_timezone, row.active, row.owner_id,
          row.next_run_at, row.variables, row.updated_at, row.id);
}

void ScheduleStore::remove(ScheduleId id) {
  execute(session_, "DELETE FROM pipeline_schedules WHERE id = ?", id);
}

std::optional<ScheduleRunRow> ScheduleStore::find_run(ScheduleRunId id) const {
  static const std::string sql = select_runs() + " WHERE id = ?";
  return select_one<ScheduleRunRow>(session_, sql, id);
}

std::optional<ScheduleRunRow> ScheduleStore::last_run(ScheduleId schedule) const {
  static const std::string sql = select_runs() + " WHERE schedule_id = ? ORDER BY id DESC LIMIT 1";
  return select_one<ScheduleRunRow>(session_, sql, schedule);
}

Page<ScheduleRunRow> ScheduleStore::runs(ScheduleId schedule, PageRequest page) const {
  static const std::string sql =
      select_runs() + " WHERE schedule_id = ? ORDER BY id DESC LIMIT ? OFFSET ?";
  return {select<ScheduleRunRow>(session_, sql, schedule, page.per_page,
                                 (page.page - 1) * page.per_page),
          select_value<long long>(
              session_, "SELECT COUNT(*) FROM schedule_runs WHERE schedule_id = ?", schedule)};
}

std::vector<ScheduleRunRow> ScheduleStore::waiting_runs() const {
  static const std::string sql = select_runs() + " WHERE state = 'waiting' ORDER BY id";
  return select<ScheduleRunRow>(session_, sql);
}

ScheduleRunId ScheduleStore::insert_run(const ScheduleRunRow& row) {
  return {insert_row(session_, "schedule_runs", row)};
}

void ScheduleStore::end_run(ScheduleRunId id, const std::string& state, const std::string& reason,
                            std::optional<PipelineId> pipeline) {
  execute(session_, "UPDATE schedule_runs SET state = ?, reason = ?, pipeline_id = ? WHERE id = ?",
          state, reason, pipeline, id);
}

}  // namespace slipway::server
