// A session with a PostgreSQL server.
//
// Used by one thread at a time. Errors are thrown as StoreFailure. A connection that was lost is
// made again: by a reader, which then reads again, and by the writer when it begins something new;
// what the writer was in the middle of fails as Unavailable, and nothing of it is kept.
//
// The writer holds an advisory lock for as long as it is connected, so that one server writes. When
// it comes back after another one has written, its next transaction is Unavailable once: what its
// owner knows is old.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/store/place.h"
#include "server/store/session.h"

namespace slipway::server {

class PostgresqlSession final : public Session {
 public:
  PostgresqlSession(const DatabasePlace& place, Mode mode);
  ~PostgresqlSession() override;

  void run(const std::string& sql) override;
  void run_schema(const MigrationStatement& statement) override;
  void begin() override;
  void begin_snapshot() override;
  void commit() override;
  void rollback() override;
  [[nodiscard]] long long schema_version() override;
  void set_schema_version(long long version) override;
  [[nodiscard]] long long last_number(const std::string& table, const std::string& column) override;
  void set_last_number(const std::string& table, const std::string& column,
                       long long number) override;
  // None: each step of a migration is all or nothing here, and backups are the server's owner's.
  Result<void> keep_copy(long long) override { return {}; }

 private:
  std::unique_ptr<Statement> make(const std::string& sql, const std::vector<Slot::Kind>& inputs,
                                  const std::vector<Slot::Kind>& outputs) override;

  class Connection;
  class Prepared;
  std::unique_ptr<Connection> connection_;
};

}  // namespace slipway::server
