// Pipelines that are started by the clock, and each time that one was due.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

struct ScheduleRow {
  ScheduleId id;
  ProjectId project_id;
  std::string description;
  std::string ref;
  std::string cron;                   // five fields
  std::string cron_timezone = "UTC";  // of the tz database
  bool active = true;
  UserId owner_id;                        // who its pipelines belong to
  std::optional<UnixMillis> next_run_at;  // nullopt while it is not active
  std::string variables = "[]";           // JSON: [{key, value, variable_type}]
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
};

// One time that it was due, or was started by hand. Made before its pipeline is, so that a server
// which dies in between knows of it.
struct ScheduleRunRow {
  ScheduleRunId id;
  ScheduleId schedule_id;
  UnixMillis due_at = 0;
  int missed = 0;                 // times before this one that passed while no server ran
  std::string state = "waiting";  // "waiting", "done" or "failed"
  std::string reason;             // why there is no pipeline
  std::optional<PipelineId> pipeline_id;
  std::optional<UserId> played_by;  // by hand
  UnixMillis created_at = 0;
};

class ScheduleStore {
 public:
  explicit ScheduleStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<ScheduleRow> find(ScheduleId id) const;
  // In the order in which they were made; `active`: only those that are, or are not.
  [[nodiscard]] Page<ScheduleRow> list(ProjectId project, std::optional<bool> active,
                                       PageRequest page) const;
  [[nodiscard]] std::vector<ScheduleRow> due(UnixMillis now) const;
  // When the next one is due.
  [[nodiscard]] std::optional<UnixMillis> next_due() const;
  ScheduleId insert(const ScheduleRow& row);
  void update(const ScheduleRow& row);
  void remove(ScheduleId id);

  [[nodiscard]] std::optional<ScheduleRunRow> find_run(ScheduleRunId id) const;
  [[nodiscard]] std::optional<ScheduleRunRow> last_run(ScheduleId schedule) const;
  // Newest first.
  [[nodiscard]] Page<ScheduleRunRow> runs(ScheduleId schedule, PageRequest page) const;
  [[nodiscard]] std::vector<ScheduleRunRow> waiting_runs() const;
  ScheduleRunId insert_run(const ScheduleRunRow& row);
  void end_run(ScheduleRunId id, const std::string& state, const std::string& reason,
               std::optional<PipelineId> pipeline);

 private:
  Session& session_;
};

}  // namespace slipway::server
