#include "server/store/migrations/steps.h"

namespace slipway::server::steps {

Migration first() {
  return {
      R"sql(
CREATE TABLE projects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL COLLATE NOCASE UNIQUE,
  repository_url TEXT NOT NULL,
  default_branch TEXT NOT NULL,
  visibility TEXT NOT NULL,
  ci_config_path TEXT NOT NULL,
  webhook_secret TEXT NOT NULL,
  last_iid INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
))sql",
      R"sql(
CREATE TABLE project_variables (
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  masked INTEGER NOT NULL,
  raw INTEGER NOT NULL,
  file INTEGER NOT NULL,
  protected_only INTEGER NOT NULL,
  PRIMARY KEY (project_id, key)
) WITHOUT ROWID)sql",
      R"sql(
CREATE TABLE pipelines (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  iid INTEGER NOT NULL,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  status TEXT NOT NULL,
  reason_code TEXT NOT NULL,
  reason_text TEXT NOT NULL,
  source TEXT NOT NULL,
  ref TEXT NOT NULL,
  tag INTEGER NOT NULL,
  ref_protected INTEGER NOT NULL,
  sha TEXT NOT NULL,
  before_sha TEXT NOT NULL,
  name TEXT NOT NULL,
  commit_title TEXT NOT NULL,
  commit_message TEXT NOT NULL,
  author_name TEXT NOT NULL,
  author_email TEXT NOT NULL,
  committed_at INTEGER,
  user_id INTEGER,
  cancel_on_failure INTEGER NOT NULL,
  coverage REAL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  UNIQUE (project_id, iid)
))sql",
      "CREATE INDEX pipelines_by_project ON pipelines (project_id, id)",
      "CREATE INDEX pipelines_by_ref ON pipelines (project_id, ref, id)",
      // What the coordinator reads at start; finished pipelines have no entry in it.
      R"sql(
CREATE INDEX pipelines_unfinished ON pipelines (id)
 WHERE status NOT IN ('success', 'failed', 'canceled', 'skipped'))sql",
      R"sql(
CREATE TABLE pipeline_details (
  pipeline_id INTEGER PRIMARY KEY REFERENCES pipelines ON DELETE CASCADE,
  stages TEXT NOT NULL,
  left_out TEXT NOT NULL,
  findings TEXT NOT NULL,
  variables TEXT NOT NULL
))sql",
      "CREATE TABLE job_plans (id INTEGER PRIMARY KEY AUTOINCREMENT, plan TEXT NOT NULL)",
      R"sql(
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pipeline_id INTEGER NOT NULL REFERENCES pipelines ON DELETE CASCADE,
  project_id INTEGER NOT NULL,
  plan_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  stage TEXT NOT NULL,
  stage_index INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason_code TEXT NOT NULL,
  reason_text TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  dispatches INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  allow_failure INTEGER NOT NULL,
  "when" TEXT NOT NULL,
  tags TEXT NOT NULL,
  needs TEXT,
  environment TEXT NOT NULL,
  rule_file TEXT NOT NULL,
  rule_line INTEGER NOT NULL,
  ref_protected INTEGER NOT NULL,
  interruptible INTEGER NOT NULL,
  coverage_regex TEXT NOT NULL,
  runner_id INTEGER,
  token_hash TEXT NOT NULL,
  assigned_at INTEGER,
  created_at INTEGER NOT NULL,
  queued_at INTEGER,
  scheduled_at INTEGER,
  started_at INTEGER,
  finished_at INTEGER,
  erased_at INTEGER,
  trace_size INTEGER NOT NULL,
  trace_checksum TEXT NOT NULL,
  coverage REAL,
  failure_reason TEXT NOT NULL,
  exit_code INTEGER
))sql",
      "CREATE INDEX jobs_by_pipeline ON jobs (pipeline_id)",
      "CREATE INDEX jobs_by_project ON jobs (project_id, id)",
      "CREATE INDEX jobs_by_plan ON jobs (plan_id)",
      "CREATE INDEX jobs_running ON jobs (runner_id) WHERE status IN ('running', 'canceling')",
      "CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL",
      // A plan lives as long as the last job that was made from it.
      {R"sql(
CREATE TRIGGER job_plans_follow_jobs AFTER DELETE ON jobs
WHEN NOT EXISTS (SELECT 1 FROM jobs WHERE plan_id = OLD.plan_id)
BEGIN DELETE FROM job_plans WHERE id = OLD.plan_id; END)sql",
       R"sql(
CREATE FUNCTION job_plans_follow_jobs() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
  DELETE FROM job_plans WHERE id = OLD.plan_id
     AND NOT EXISTS (SELECT 1 FROM jobs WHERE plan_id = OLD.plan_id);
  RETURN NULL;
END $body$;
CREATE TRIGGER job_plans_follow_jobs AFTER DELETE ON jobs
  FOR EACH ROW EXECUTE FUNCTION job_plans_follow_jobs())sql"},
      R"sql(
CREATE TABLE runners (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  runner_type TEXT NOT NULL,
  project_id INTEGER REFERENCES projects ON DELETE CASCADE,
  tags TEXT NOT NULL,
  run_untagged INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  protected_only INTEGER NOT NULL,
  maximum_timeout INTEGER,
  created_at INTEGER NOT NULL,
  contacted_at INTEGER
))sql",
      R"sql(
CREATE TABLE runner_managers (
  runner_id INTEGER NOT NULL REFERENCES runners ON DELETE CASCADE,
  system_id TEXT NOT NULL,
  version TEXT NOT NULL,
  platform TEXT NOT NULL,
  architecture TEXT NOT NULL,
  executor TEXT NOT NULL,
  ip_address TEXT NOT NULL,
  contacted_at INTEGER NOT NULL,
  PRIMARY KEY (runner_id, system_id)
) WITHOUT ROWID)sql",
      R"sql(
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT NOT NULL COLLATE NOCASE UNIQUE,
  password_hash TEXT NOT NULL,
  is_admin INTEGER NOT NULL,
  disabled INTEGER NOT NULL,
  auth_epoch INTEGER NOT NULL,
  created_at INTEGER NOT NULL
))sql",
      R"sql(
CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  auth_epoch INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ip_address TEXT NOT NULL,
  user_agent TEXT NOT NULL
) WITHOUT ROWID)sql",
      R"sql(
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
))sql",
      R"sql(
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  delivery_key TEXT NOT NULL,
  event TEXT NOT NULL,
  headers TEXT NOT NULL,
  body TEXT NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  pipeline_id INTEGER,
  UNIQUE (project_id, delivery_key)
))sql",
      "CREATE INDEX deliveries_waiting ON deliveries (id) WHERE verdict = 'accepted'",
      R"sql(
CREATE TABLE artifacts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
  project_id INTEGER NOT NULL,
  file_type TEXT NOT NULL,
  file_format TEXT NOT NULL,
  file_name TEXT NOT NULL,
  blob TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expire_at INTEGER
))sql",
      "CREATE INDEX artifacts_by_job ON artifacts (job_id)",
      "CREATE INDEX artifacts_expiring ON artifacts (expire_at) WHERE expire_at IS NOT NULL",
      R"sql(
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  payload TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  abandoned_at INTEGER
))sql",
      "CREATE INDEX outbox_waiting ON outbox (channel, id) WHERE abandoned_at IS NULL",
      R"sql(
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  result TEXT NOT NULL,
  detail TEXT NOT NULL,
  ip_address TEXT NOT NULL
))sql",
      {R"sql(
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END)sql",
       R"sql(
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $body$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only())sql"},
      {R"sql(
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END)sql",
       R"sql(
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only())sql"},
      "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
  };
}

}  // namespace slipway::server::steps
