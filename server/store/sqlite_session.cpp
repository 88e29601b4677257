#include "server/store/sqlite_session.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <deque>

#include "server/store/failure.h"
#include "server/store/migrations.h"

namespace slipway::server {

namespace {

// SQLite's primary result codes, which soci-sqlite3.h keeps to itself.
constexpr int kBusy = 5;
constexpr int kReadOnly = 8;
constexpr int kIoError = 10;
constexpr int kFull = 13;
constexpr int kCannotOpen = 14;
constexpr int kConstraint = 19;

ErrorKind kind_of(int sqlite_result) {
  switch (sqlite_result & 0xff) {
    case kConstraint: return ErrorKind::Conflict;
    case kBusy:
    case kReadOnly:
    case kIoError:
    case kFull:
    case kCannotOpen: return ErrorKind::Unavailable;
    default: return ErrorKind::Internal;
  }
}

// Runs `act`, turning the library's exceptions into ours.
template <typename F>
decltype(auto) guarded(F&& act) {
  try {
    return act();
  } catch (const soci::sqlite3_soci_error& error) {
    throw StoreFailure{
        fail(kind_of(error.result()), std::string{"database: "} + error.get_error_message())};
  } catch (const soci::soci_error& error) {
    throw StoreFailure{
        fail(ErrorKind::Internal, std::string{"database: "} + error.get_error_message())};
  }
}

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(soci::session& session, const std::string& sql,
                  const std::vector<Slot::Kind>& inputs, const std::vector<Slot::Kind>& outputs)
      : statement_(session), inputs_(inputs.size()), outputs_(outputs.size()) {
    // The slots live in deques so that the addresses SOCI is given never move.
    for (std::size_t i = 0; i < inputs.size(); ++i) use(inputs_[i], inputs[i]);
    for (std::size_t i = 0; i < outputs.size(); ++i) into(outputs_[i], outputs[i]);
    statement_.alloc();
    statement_.prepare(sql);
    statement_.define_and_bind();
  }

  Slot& input(std::size_t index) override {
    Slot& slot = inputs_[index].slot;
    slot.null = false;
    return slot;
  }
  const Slot& output(std::size_t index) const override { return outputs_[index].slot; }

  bool execute() override {
    return guarded([&] {
      for (Bound& bound : inputs_) bound.indicator = bound.slot.null ? soci::i_null : soci::i_ok;
      const bool got = statement_.execute(true) && !outputs_.empty();
      if (got) note_nulls();
      return got;
    });
  }
  bool next() override {
    return guarded([&] {
      if (!statement_.fetch()) return false;
      note_nulls();
      return true;
    });
  }
  void reset() noexcept override {
    // Its result repeats the error of the last step, which was thrown already.
    sqlite_api::sqlite3_reset(
        static_cast<soci::sqlite3_statement_backend*>(statement_.get_backend())->stmt_);
  }

 private:
  struct Bound {
    Slot slot;
    soci::indicator indicator = soci::i_ok;
  };

  void use(Bound& bound, Slot::Kind kind) {
    switch (kind) {
      case Slot::Kind::Integer:
        statement_.exchange(soci::use(bound.slot.integer, bound.indicator));
        break;
      case Slot::Kind::Real:
        statement_.exchange(soci::use(bound.slot.real, bound.indicator));
        break;
      case Slot::Kind::Text:
        statement_.exchange(soci::use(bound.slot.text, bound.indicator));
        break;
    }
  }
  void into(Bound& bound, Slot::Kind kind) {
    switch (kind) {
      case Slot::Kind::Integer:
        statement_.exchange(soci::into(bound.slot.integer, bound.indicator));
        break;
      case Slot::Kind::Real:
        statement_.exchange(soci::into(bound.slot.real, bound.indicator));
        break;
      case Slot::Kind::Text:
        statement_.exchange(soci::into(bound.slot.text, bound.indicator));
        break;
    }
  }
  void note_nulls() {
    for (Bound& bound : outputs_) bound.slot.null = bound.indicator == soci::i_null;
  }

  soci::statement statement_;
  std::deque<Bound> inputs_;
  std::deque<Bound> outputs_;
};

}  // namespace

struct SqliteSession::State {
  soci::session soci;
};

SqliteSession::SqliteSession(const std::filesystem::path& file, Mode mode)
    : state_(std::make_unique<State>()) {
  guarded([&] { state_->soci.open(soci::sqlite3, "dbname=\"" + file.string() + "\" timeout=5"); });
  // SOCI reports a PRAGMA that answers a row as done; none of these may fail silently, so the ones
  // that matter are read back by the tests.
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA foreign_keys = ON");
  run("PRAGMA wal_autocheckpoint = 0");
  if (mode == Mode::Writer) {
    run("PRAGMA synchronous = FULL");
    run("PRAGMA cache_size = -4000");
  } else {
    run("PRAGMA query_only = ON");
    run("PRAGMA cache_size = -500");
  }
}

SqliteSession::~SqliteSession() {
  statements_.clear();
}

std::unique_ptr<Statement> SqliteSession::make(const std::string& sql,
                                               const std::vector<Slot::Kind>& inputs,
                                               const std::vector<Slot::Kind>& outputs) {
  return guarded(
      [&] { return std::make_unique<SqliteStatement>(state_->soci, sql, inputs, outputs); });
}

void SqliteSession::run(const std::string& sql) {
  guarded([&] { state_->soci << sql; });
}

void SqliteSession::run_schema(const MigrationStatement& statement) {
  if (!statement.sqlite.empty()) run(statement.sqlite);
}

void SqliteSession::begin() {
  execute(*this, "BEGIN IMMEDIATE");
}

void SqliteSession::commit() {
  execute(*this, "COMMIT");
}

void SqliteSession::rollback() {
  execute(*this, "ROLLBACK");
}

long long SqliteSession::schema_version() {
  return select_value<long long>(*this, "PRAGMA user_version");
}

void SqliteSession::set_schema_version(long long version) {
  run("PRAGMA user_version = " + std::to_string(version));
}

void SqliteSession::checkpoint() {
  // PASSIVE waits for nobody; what readers still need stays until the next time.
  run("PRAGMA wal_checkpoint(PASSIVE)");
}

}  // namespace slipway::server
