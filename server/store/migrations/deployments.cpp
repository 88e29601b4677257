#include "server/store/migrations/steps.h"

namespace slipway::server::steps {

Migration deployments() {
  return {
      "ALTER TABLE jobs ADD COLUMN environment_action TEXT NOT NULL DEFAULT ''",
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
  user_id INTEGER REFERENCES users ON DELETE SET NULL,
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
  frozen_until INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
))sql",
      "CREATE INDEX freeze_periods_by_project ON freeze_periods (project_id)",
  };
}

Migration starters() {
  return {
      "ALTER TABLE jobs ADD COLUMN user_id INTEGER",
      "UPDATE jobs SET user_id ="
      " (SELECT pipelines.user_id FROM pipelines WHERE pipelines.id = jobs.pipeline_id)",
      // The job's counts from now on.
      "UPDATE deployments SET user_id = NULL",
      "ALTER TABLE freeze_periods ADD COLUMN frozen_from INTEGER",
      "UPDATE freeze_periods SET frozen_until = NULL",
  };
}

}  // namespace slipway::server::steps
