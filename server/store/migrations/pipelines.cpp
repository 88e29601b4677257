#include "server/store/migrations/steps.h"

namespace slipway::server::steps {

Migration exclusion() {
  return {
      "ALTER TABLE jobs ADD COLUMN resource_group TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE jobs ADD COLUMN at_once INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE pipelines ADD COLUMN on_new_commit TEXT NOT NULL DEFAULT 'conservative'",
  };
}

Migration dotenv() {
  return {
      "CREATE TABLE job_dotenv (job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE, "
      "variables TEXT NOT NULL)",
  };
}

Migration job_manager() {
  return {
      "ALTER TABLE jobs ADD COLUMN runner_system_id TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE runners ADD COLUMN maintenance_note TEXT NOT NULL DEFAULT ''",
      "CREATE INDEX jobs_by_runner ON jobs (runner_id) WHERE runner_id IS NOT NULL",
  };
}

Migration downstream() {
  return {
      "ALTER TABLE jobs ADD COLUMN is_bridge INTEGER NOT NULL DEFAULT 0",
      R"sql(
CREATE TABLE bridges (
  job_id INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
  upstream_id INTEGER NOT NULL,
  pipeline_id INTEGER NOT NULL REFERENCES pipelines ON DELETE CASCADE,
  kind TEXT NOT NULL
))sql",
      "CREATE INDEX bridges_by_upstream ON bridges (upstream_id, pipeline_id)",
      "CREATE INDEX bridges_by_pipeline ON bridges (pipeline_id)",
      R"sql(
CREATE TABLE pipeline_schedules (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  description TEXT NOT NULL,
  ref TEXT NOT NULL,
  cron TEXT NOT NULL,
  cron_timezone TEXT NOT NULL,
  active INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  next_run_at INTEGER,
  variables TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
))sql",
      "CREATE INDEX pipeline_schedules_by_project ON pipeline_schedules (project_id, id)",
      R"sql(
CREATE INDEX pipeline_schedules_due ON pipeline_schedules (next_run_at)
 WHERE next_run_at IS NOT NULL)sql",
      R"sql(
CREATE TABLE schedule_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  schedule_id INTEGER NOT NULL REFERENCES pipeline_schedules ON DELETE CASCADE,
  due_at INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  pipeline_id INTEGER,
  played_by INTEGER,
  created_at INTEGER NOT NULL
))sql",
      "CREATE INDEX schedule_runs_by_schedule ON schedule_runs (schedule_id, id)",
      "CREATE INDEX schedule_runs_waiting ON schedule_runs (id) WHERE state = 'waiting'",
      R"sql(
CREATE TABLE trigger_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  description TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  hint TEXT NOT NULL,
  owner_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_used_at INTEGER
))sql",
      "CREATE INDEX trigger_tokens_by_project ON trigger_tokens (project_id, id)",
      R"sql(
CREATE TABLE resource_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  key TEXT NOT NULL,
  process_mode TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (project_id, key)
))sql",
  };
}

Migration merge_requests() {
  return {
      "ALTER TABLE pipelines ADD COLUMN merge_request TEXT NOT NULL DEFAULT ''",
  };
}

Migration transfers() {
  return {
      "CREATE TABLE job_transfers (job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE "
      "CASCADE,"
      " transfers TEXT NOT NULL)",
  };
}

}  // namespace slipway::server::steps
