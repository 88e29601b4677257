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
  void commit() override;
  void rollback() override;
  [[nodiscard]] long long schema_version() override;
  void set_schema_version(long long version) override;
  void checkpoint() override;

 private:
  std::unique_ptr<Statement> make(const std::string& sql, const std::vector<Slot::Kind>& inputs,
                                  const std::vector<Slot::Kind>& outputs) override;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
