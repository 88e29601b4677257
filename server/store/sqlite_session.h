// A session with an SQLite file: WAL, references checked, synchronous=FULL for the writer.
//
// Used by one thread at a time. Errors are thrown as StoreFailure.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/store/session.h"

namespace slipway::server {

class SqliteSession final : public Session {
 public:
  SqliteSession(const std::filesystem::path& file, Mode mode);
  ~SqliteSession() override;

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
  // "slipway.db.schema-12" beside the file; the newest three are kept.
  Result<void> keep_copy(long long version) override;
  // A whole copy, synced before it gets its name. Also of a database that a server writes to.
  Result<void> copy_to(const std::filesystem::path& target);
  void checkpoint() override;

 private:
  std::unique_ptr<Statement> make(const std::string& sql, const std::vector<Slot::Kind>& inputs,
                                  const std::vector<Slot::Kind>& outputs) override;

  struct State;
  std::unique_ptr<State> state_;
  std::filesystem::path file_;
};

}  // namespace slipway::server
