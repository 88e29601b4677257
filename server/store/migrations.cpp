#include "server/store/migrations.h"

#include <spdlog/fmt/fmt.h>

#include "server/store/failure.h"
#include "server/store/session.h"

namespace slipway::server {

namespace {

// 1: projects, pipelines, jobs, runners, people, deliveries, artifacts, outbox, audit, settings.
const Migration kFirst{
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

// How often a delivery was begun: one that ends the process each time must not be met for ever.
const Migration kDeliveryAttempts{
    "ALTER TABLE deliveries ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
};

// Jobs that exclude each other, tries that were asked for, and what a newer commit cancels.
const Migration kExclusion{
    "ALTER TABLE jobs ADD COLUMN resource_group TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN at_once INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE pipelines ADD COLUMN on_new_commit TEXT NOT NULL DEFAULT 'conservative'",
};

// Variables that a job hands to later ones.
const Migration kDotenv{
    "CREATE TABLE job_dotenv (job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE, "
    "variables TEXT NOT NULL)",
};

// Where a project's git host is told of its pipelines.
const Migration kForge{
    "ALTER TABLE projects ADD COLUMN forge TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE projects ADD COLUMN forge_api_url TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE projects ADD COLUMN forge_token TEXT NOT NULL DEFAULT ''",
};

// Variables of instance, groups and projects, who was handed them, and which refs are protected.
// The table of the first step could not be filled from outside.
const Migration kVariables{
    "DROP TABLE project_variables",
    R"sql(
CREATE TABLE variables (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER REFERENCES projects ON DELETE CASCADE,
  group_path TEXT NOT NULL COLLATE NOCASE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  masked INTEGER NOT NULL,
  hidden INTEGER NOT NULL,
  protected_only INTEGER NOT NULL,
  file INTEGER NOT NULL,
  raw INTEGER NOT NULL,
  environment_scope TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
))sql",
    "CREATE UNIQUE INDEX variables_by_owner ON variables "
    "(ifnull(project_id, 0), group_path, key, environment_scope)",
    R"sql(
CREATE TABLE variable_uses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  variable_id INTEGER NOT NULL,
  job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
  runner_id INTEGER NOT NULL,
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  environment_scope TEXT NOT NULL,
  at INTEGER NOT NULL
))sql",
    "CREATE INDEX variable_uses_by_variable ON variable_uses (variable_id, id)",
    "CREATE INDEX variable_uses_by_job ON variable_uses (job_id)",
    R"sql(
CREATE TABLE protected_refs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (project_id, kind, name)
))sql",
    "INSERT INTO protected_refs (project_id, kind, name, created_at) "
    "SELECT id, 'branch', default_branch, created_at FROM projects",
};

// Which of a runner's processes has a job: its calls are that process's signs of life.
const Migration kJobManager{
    "ALTER TABLE jobs ADD COLUMN runner_system_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runners ADD COLUMN maintenance_note TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX jobs_by_runner ON jobs (runner_id) WHERE runner_id IS NOT NULL",
};

// Trigger jobs and what they trigger, schedules, trigger tokens, modes of resource groups.
const Migration kDownstream{
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

// What the tests of jobs said.
const Migration kTests{
    R"sql(
CREATE TABLE test_suites (
  job_id INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
  pipeline_id INTEGER NOT NULL,
  project_id INTEGER NOT NULL,
  job_name TEXT NOT NULL,
  ref TEXT NOT NULL,
  sha TEXT NOT NULL,
  success INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  seconds REAL NOT NULL,
  error TEXT NOT NULL,
  created_at INTEGER NOT NULL
))sql",
    "CREATE INDEX test_suites_by_pipeline ON test_suites (pipeline_id)",
    "CREATE INDEX test_suites_by_name ON test_suites (project_id, job_name, job_id)",
    R"sql(
CREATE TABLE test_failures (
  job_id INTEGER NOT NULL REFERENCES test_suites ON DELETE CASCADE,
  key TEXT NOT NULL,
  status TEXT NOT NULL,
  classname TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (job_id, key)
) WITHOUT ROWID)sql",
    R"sql(
CREATE TABLE flaky_tests (
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  job_name TEXT NOT NULL,
  key TEXT NOT NULL,
  classname TEXT NOT NULL,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  sha TEXT NOT NULL,
  job_id INTEGER NOT NULL,
  times INTEGER NOT NULL,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, job_name, key)
) WITHOUT ROWID)sql",
};

// Which merge request a pipeline is of.
const Migration kMergeRequests{
    "ALTER TABLE pipelines ADD COLUMN merge_request TEXT NOT NULL DEFAULT ''",
};

// What became of artifacts that are not there any more, and the files that are to follow their
// rows.
const Migration kRetention{
    "ALTER TABLE projects ADD COLUMN keep_latest_artifact INTEGER NOT NULL DEFAULT 1",
    R"sql(
CREATE TABLE removed_artifacts (
  job_id INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
  reason TEXT NOT NULL,
  removed_by TEXT NOT NULL,
  archive INTEGER NOT NULL,
  removed_at INTEGER NOT NULL
))sql",
    "CREATE TABLE dead_blobs (id INTEGER PRIMARY KEY AUTOINCREMENT, blob TEXT NOT NULL)",
    // Whatever removes the row, the file is known to be nobody's in the same transaction.
    {R"sql(
CREATE TRIGGER artifacts_leave_blobs AFTER DELETE ON artifacts
BEGIN INSERT INTO dead_blobs (blob) VALUES (OLD.blob); END)sql",
     R"sql(
CREATE FUNCTION artifacts_leave_blobs() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
  INSERT INTO dead_blobs (blob) VALUES (OLD.blob);
  RETURN NULL;
END $body$;
CREATE TRIGGER artifacts_leave_blobs AFTER DELETE ON artifacts
  FOR EACH ROW EXECUTE FUNCTION artifacts_leave_blobs())sql"},
    "CREATE INDEX artifacts_by_blob ON artifacts (blob)",
    "CREATE INDEX artifacts_by_project ON artifacts (project_id, id)",
    R"sql(
CREATE INDEX pipelines_succeeded ON pipelines (project_id, ref, tag, id)
 WHERE status = 'success')sql",
};

// Several people: members of projects and groups, invitations, bots that own project tokens.
const Migration kPeople{
    R"sql(
CREATE TABLE members (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  project_id INTEGER REFERENCES projects ON DELETE CASCADE,
  group_path TEXT NOT NULL,
  access_level INTEGER NOT NULL,
  expires_at INTEGER,
  created_by INTEGER,
  created_at INTEGER NOT NULL
))sql",
    "CREATE UNIQUE INDEX members_by_place ON members (ifnull(project_id, 0), group_path, user_id)",
    "CREATE INDEX members_by_user ON members (user_id)",
    "CREATE INDEX members_by_project ON members (project_id) WHERE project_id IS NOT NULL",
    "ALTER TABLE users ADD COLUMN name TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE users ADD COLUMN invitation_hash TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE users ADD COLUMN invitation_expires_at INTEGER",
    "ALTER TABLE users ADD COLUMN bot_of INTEGER REFERENCES projects ON DELETE CASCADE",
    "CREATE INDEX users_by_invitation ON users (invitation_hash) WHERE invitation_hash <> ''",
    "CREATE INDEX users_by_bot_of ON users (bot_of) WHERE bot_of IS NOT NULL",
    "ALTER TABLE projects ADD COLUMN public_jobs INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE protected_refs ADD COLUMN access_level INTEGER NOT NULL DEFAULT 40",
};

// Logins through other sites, and the chain that shows what was done to the audit log.
const Migration kIdentities{
    R"sql(
CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) WITHOUT ROWID)sql",
    "CREATE INDEX identities_by_user ON identities (user_id)",
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    "ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT ''",
};

// Where jobs deploy to, what they deployed, who approved it, and when nothing is deployed.
const Migration kDeployments{
    "ALTER TABLE jobs ADD COLUMN environment_action TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN user_id INTEGER",
    R"sql(
CREATE TABLE environments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  tier TEXT NOT NULL,
  external_url TEXT NOT NULL,
  state TEXT NOT NULL,
  on_stop TEXT NOT NULL,
  auto_stop_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (project_id, name)
))sql",
    R"sql(
CREATE INDEX environments_by_auto_stop ON environments (auto_stop_at)
 WHERE auto_stop_at IS NOT NULL)sql",
    R"sql(
CREATE TABLE deployments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  iid INTEGER NOT NULL,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  environment_id INTEGER NOT NULL REFERENCES environments ON DELETE CASCADE,
  job_id INTEGER NOT NULL UNIQUE REFERENCES jobs ON DELETE CASCADE,
  pipeline_id INTEGER NOT NULL REFERENCES pipelines ON DELETE CASCADE,
  ref TEXT NOT NULL,
  tag INTEGER NOT NULL,
  sha TEXT NOT NULL,
  status TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER,
  UNIQUE (project_id, iid)
))sql",
    "CREATE INDEX deployments_by_environment ON deployments (environment_id, status, id)",
    "CREATE INDEX deployments_by_pipeline ON deployments (pipeline_id)",
    "CREATE INDEX deployments_blocked ON deployments (project_id) WHERE status = 'blocked'",
    R"sql(
CREATE TABLE deployment_approvals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  deployment_id INTEGER NOT NULL REFERENCES deployments ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  username TEXT NOT NULL,
  status TEXT NOT NULL,
  comment TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (deployment_id, user_id)
))sql",
    R"sql(
CREATE TABLE protected_environments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  name TEXT NOT NULL,
  deploy_level INTEGER NOT NULL,
  approve_level INTEGER NOT NULL,
  required_approvals INTEGER NOT NULL,
  own_approval INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (project_id, name)
))sql",
    R"sql(
CREATE TABLE freeze_periods (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  freeze_start TEXT NOT NULL,
  freeze_end TEXT NOT NULL,
  cron_timezone TEXT NOT NULL,
  frozen_from INTEGER,
  frozen_until INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
))sql",
    "CREATE INDEX freeze_periods_by_project ON freeze_periods (project_id)",
};

// Merge requests from forks, commit by commit; job tokens of other projects; refs that no webhook
// told of.
const Migration kForks{
    R"sql(
CREATE TABLE fork_requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  number INTEGER NOT NULL,
  sha TEXT NOT NULL,
  source_repository TEXT NOT NULL,
  source_branch TEXT NOT NULL,
  target_branch TEXT NOT NULL,
  title TEXT NOT NULL,
  commit_title TEXT NOT NULL,
  author TEXT NOT NULL,
  author_id TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  delivery_id INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (project_id, number, sha)
))sql",
    "ALTER TABLE projects ADD COLUMN fork_pipelines TEXT NOT NULL DEFAULT 'approval'",
    "ALTER TABLE projects ADD COLUMN fork_trusted_authors TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE projects ADD COLUMN fork_approval_level INTEGER NOT NULL DEFAULT 40",
    // Whose job tokens are let in.
    R"sql(
CREATE TABLE job_token_allowlist (
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  source_project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, source_project_id)
))sql",
    "ALTER TABLE projects ADD COLUMN job_token_limited INTEGER NOT NULL DEFAULT 1",
    // What is found beside the webhooks.
    R"sql(
CREATE TABLE ref_watches (
  project_id INTEGER PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
  compared_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  error TEXT NOT NULL,
  found INTEGER NOT NULL
))sql",
    R"sql(
CREATE TABLE known_refs (
  project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
  ref TEXT NOT NULL,
  sha TEXT NOT NULL,
  PRIMARY KEY (project_id, ref)
))sql",
    "ALTER TABLE projects ADD COLUMN poll_interval INTEGER NOT NULL DEFAULT 0",
};

// What jobs brought in and stored, as their runners told.
const Migration kTransfers{
    "CREATE TABLE job_transfers (job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,"
    " transfers TEXT NOT NULL)",
};

// Two kinds of database: texts that leave case aside have an index that both know, and the length
// of the audit log is kept by itself, where SQLite's own count of numbers was asked before.
const Migration kTwoDatabases{
    "CREATE UNIQUE INDEX projects_by_path ON projects (lower(path))",
    "CREATE UNIQUE INDEX users_by_name ON users (lower(username))",
    "DROP INDEX variables_by_owner",
    "CREATE UNIQUE INDEX variables_by_owner ON variables "
    "(ifnull(project_id, 0), lower(group_path), key, environment_scope)",
    "CREATE TABLE audit_length (length INTEGER NOT NULL)",
    {"INSERT INTO audit_length"
     " SELECT ifnull(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'audit'",
     "INSERT INTO audit_length SELECT coalesce(MAX(seq), 0) FROM audit"},
    {R"sql(
CREATE TRIGGER audit_grows AFTER INSERT ON audit
BEGIN UPDATE audit_length SET length = NEW.seq; END)sql",
     R"sql(
CREATE FUNCTION audit_grows() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
  UPDATE audit_length SET length = NEW.seq;
  RETURN NULL;
END $body$;
CREATE TRIGGER audit_grows AFTER INSERT ON audit
  FOR EACH ROW EXECUTE FUNCTION audit_grows())sql"},
};

// Which lines the tests of jobs ran: a row for each report, and one for each of its files.
const Migration kCoverage{
    R"sql(
CREATE TABLE coverage_reports (
  job_id INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
  pipeline_id INTEGER NOT NULL,
  project_id INTEGER NOT NULL,
  job_name TEXT NOT NULL,
  files INTEGER NOT NULL,
  error TEXT NOT NULL,
  created_at INTEGER NOT NULL
))sql",
    "CREATE INDEX coverage_reports_by_pipeline ON coverage_reports (pipeline_id)",
    "CREATE INDEX coverage_reports_by_project ON coverage_reports (project_id, pipeline_id)",
    R"sql(
CREATE TABLE coverage_files (
  job_id INTEGER NOT NULL REFERENCES coverage_reports ON DELETE CASCADE,
  path TEXT NOT NULL,
  covered INTEGER NOT NULL,
  total INTEGER NOT NULL,
  lines TEXT NOT NULL,
  PRIMARY KEY (job_id, path)
))sql",
};

// What scanners found: a row for each report, and one for each finding; and the gate that new ones
// close.
const Migration kFindings{
    R"sql(
CREATE TABLE findings_reports (
  job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
  kind TEXT NOT NULL,
  pipeline_id INTEGER NOT NULL,
  project_id INTEGER NOT NULL,
  job_name TEXT NOT NULL,
  findings INTEGER NOT NULL,
  left_out INTEGER NOT NULL,
  error TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (job_id, kind)
))sql",
    "CREATE INDEX findings_reports_by_pipeline ON findings_reports (pipeline_id)",
    "CREATE INDEX findings_reports_by_project ON findings_reports (project_id, kind, pipeline_id)",
    R"sql(
CREATE TABLE findings (
  job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
  kind TEXT NOT NULL,
  position INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  severity INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  solution TEXT NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  subject TEXT NOT NULL,
  identifiers TEXT NOT NULL,
  scanner TEXT NOT NULL,
  PRIMARY KEY (job_id, kind, position)
))sql",
    "ALTER TABLE projects ADD COLUMN findings_gate TEXT NOT NULL DEFAULT 'off'",
    "ALTER TABLE pipelines ADD COLUMN findings_gate TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE pipelines ADD COLUMN findings_gate_text TEXT NOT NULL DEFAULT ''",
};

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> all{
      kFirst,     kDeliveryAttempts, kExclusion,  kDotenv,      kForge,
      kVariables, kJobManager,       kDownstream, kTests,       kMergeRequests,
      kRetention, kPeople,           kIdentities, kDeployments, kForks,
      kTransfers, kTwoDatabases,     kCoverage,   kFindings};
  return all;
}

namespace {

void run_step(Session& session, const Migration& step, long long version,
              const std::function<void()>& after_statement) {
  session.begin();
  try {
    for (const MigrationStatement& statement : step) {
      session.run_schema(statement);
      if (after_statement) after_statement();
    }
    session.set_schema_version(version);
    if (after_statement) after_statement();
    session.commit();
  } catch (const StoreFailure&) {
    session.rollback();
    throw;
  }
}

}  // namespace

Result<void> migrate(Session& session, const std::vector<Migration>& steps,
                     const std::function<void()>& after_statement) {
  const auto newest = static_cast<long long>(steps.size());
  const auto version = session.schema_version();
  if (version > newest)
    return fail(ErrorKind::Conflict,
                fmt::format("the database has schema {}, this program knows schemas up to {}",
                            version, newest))
        .with_hint("start the newer version of slipway that wrote it");
  if (version > 0 && version < newest)
    if (auto kept = session.keep_copy(version); !kept) return kept.error();
  for (long long next = version; next < newest; ++next)
    run_step(session, steps[static_cast<std::size_t>(next)], next + 1, after_statement);
  return {};
}

}  // namespace slipway::server
