#include "server/store/migrations/steps.h"

namespace slipway::server::steps {

Migration people() {
  return {
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
      ("CREATE UNIQUE INDEX members_by_place ON members (ifnull(project_id, 0), group_path, "
       "user_id)"),
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
}

Migration identities() {
  return {
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
}

}  // namespace slipway::server::steps
