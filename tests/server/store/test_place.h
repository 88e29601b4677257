// Where a test has its database: in a file, or, when SLIPWAY_TEST_DATABASE names a PostgreSQL
// server, in a schema there. So every test runs on both (tests/environment/with_postgresql).
//
// Schemas are made and migrated once, emptied, and lent again. One thread at a time.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/store/place.h"
#include "server/store/session.h"

namespace slipway::test {

inline bool on_postgresql() {
  return std::getenv("SLIPWAY_TEST_DATABASE") != nullptr;
}

// A PostgreSQL server that is there for this program alone; its role may do everything.
class TestServer {
 public:
  static TestServer& the() {
    static TestServer server;
    return server;
  }
  static server::DatabasePlace place(const std::string& schema) {
    const std::string url = std::getenv("SLIPWAY_TEST_DATABASE");
    return {{}, url + "&options=-csearch_path%3D" + schema, ""};
  }
  // One without a single table.
  std::string make() {
    std::string name = "test_" + std::to_string(++made_);
    admin_->run("CREATE SCHEMA " + name);
    return name;
  }
  std::string borrow() {
    if (idle_.empty()) return make();
    std::string name = std::move(idle_.back());
    idle_.pop_back();
    empty(name);
    return name;
  }
  void give_back(std::string name) { idle_.push_back(std::move(name)); }
  void drop(const std::string& name) { admin_->run("DROP SCHEMA " + name + " CASCADE"); }

 private:
  TestServer() : admin_(server::open_session(place("public"), server::Session::Mode::Writer)) {}

  // As after the migrations, with no regard to what guards the rows.
  void empty(const std::string& schema) {
    admin_->run(R"sql(
DO $do$ DECLARE t RECORD; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR t IN SELECT tablename FROM pg_tables
            WHERE schemaname = ')sql" +
                schema + R"sql(' AND tablename <> 'slipway_schema' LOOP
    EXECUTE format('DELETE FROM )sql" +
                schema + R"sql(.%I', t.tablename);
  END LOOP;
  PERFORM setval(CAST(format('%I.%I', schemaname, sequencename) AS regclass), 1, false)
     FROM pg_sequences WHERE schemaname = ')sql" +
                schema + R"sql(';
  -- Nobody may have migrated it yet.
  IF to_regclass(')sql" +
                schema + R"sql(.audit_length') IS NOT NULL THEN
    INSERT INTO )sql" +
                schema + R"sql(.audit_length VALUES (0);
  END IF;
END $do$)sql");
  }

  std::unique_ptr<server::Session> admin_;
  std::vector<std::string> idle_;
  int made_ = 0;
};

enum class TestTables { Migrated, None };

class TestPlace {
 public:
  explicit TestPlace(std::filesystem::path file, TestTables tables = TestTables::Migrated)
      : tables_(tables) {
    if (on_postgresql()) {
      TestServer& server = TestServer::the();
      schema_ = tables == TestTables::None ? server.make() : server.borrow();
      place_ = TestServer::place(schema_);
    } else {
      place_ = server::DatabasePlace::at_file(std::move(file));
    }
  }
  ~TestPlace() {
    if (schema_.empty()) return;
    if (tables_ == TestTables::None)
      TestServer::the().drop(schema_);
    else
      TestServer::the().give_back(schema_);
  }
  TestPlace(const TestPlace&) = delete;
  TestPlace& operator=(const TestPlace&) = delete;

  [[nodiscard]] const server::DatabasePlace& place() const { return place_; }

 private:
  TestTables tables_;
  std::string schema_;
  server::DatabasePlace place_;
};

}  // namespace slipway::test
