// The schema, as numbered steps from nothing to today.
//
// Each step runs in one transaction with its number. A step that was released is never changed; a
// new one is added behind it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::server {

class Session;

// One statement, in SQLite's words. PostgreSQL's types and the like are put in by
// schema_to_postgresql(); where that is not enough (triggers), its text stands beside. A statement
// for PostgreSQL alone has no text for SQLite.
struct MigrationStatement {
  MigrationStatement(const char* both)  // NOLINT(google-explicit-constructor): most are this
      : sqlite(both) {}
  MigrationStatement(const char* for_sqlite, const char* for_postgresql)
      : sqlite(for_sqlite), postgresql(for_postgresql) {}

  std::string sqlite;
  std::string postgresql;
};

// A step is a list of statements, since SOCI runs one at a time.
using Migration = std::vector<MigrationStatement>;

const std::vector<Migration>& migrations();

// Brings the database up to `steps`, from a copy on where the session makes one. Conflict when it
// is already beyond them: a newer version of the program wrote it. Throws StoreFailure; the step
// that failed has then left nothing. `after_statement` is for tests, which end the program there.
Result<void> migrate(Session& session, const std::vector<Migration>& steps,
                     const std::function<void()>& after_statement = {});

}  // namespace slipway::server
