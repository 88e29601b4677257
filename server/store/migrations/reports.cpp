#include "server/store/migrations/steps.h"

namespace slipway::server::steps {

Migration tests() {
  return {
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
}

Migration coverage() {
  return {
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
}

Migration findings() {
  return {
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
      "CREATE INDEX findings_reports_by_project ON findings_reports (project_id, kind, "
      "pipeline_id)",
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
}

}  // namespace slipway::server::steps
