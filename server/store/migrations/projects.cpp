#include "server/store/migrations/steps.h"

namespace slipway::server::steps {

Migration delivery_attempts() {
  return {
      "ALTER TABLE deliveries ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
  };
}

Migration forge() {
  return {
      "ALTER TABLE projects ADD COLUMN forge TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE projects ADD COLUMN forge_api_url TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE projects ADD COLUMN forge_token TEXT NOT NULL DEFAULT ''",
  };
}

Migration variables() {
  return {
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
      ("CREATE UNIQUE INDEX variables_by_owner ON variables "
       "(ifnull(project_id, 0), group_path, key, environment_scope)"),
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
      {"INSERT INTO protected_refs (project_id, kind, name, created_at) "
       "SELECT id, 'branch', default_branch, created_at FROM projects"},
  };
}

Migration forks() {
  return {
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
}

}  // namespace slipway::server::steps
