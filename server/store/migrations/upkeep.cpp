#include "server/store/migrations/steps.h"

namespace slipway::server::steps {

Migration retention() {
  return {
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
}

Migration two_databases() {
  return {
      "CREATE UNIQUE INDEX projects_by_path ON projects (lower(path))",
      "CREATE UNIQUE INDEX users_by_name ON users (lower(username))",
      "DROP INDEX variables_by_owner",
      ("CREATE UNIQUE INDEX variables_by_owner ON variables "
       "(ifnull(project_id, 0), lower(group_path), key, environment_scope)"),
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
}

}  // namespace slipway::server::steps
