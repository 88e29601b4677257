#include "server/store/postgresql_session.h"

#include <soci/soci.h>

#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <set>

#include "base/logging.h"
#include "server/store/failure.h"
#include "server/store/migrations.h"
#include "server/store/postgresql_dialect.h"
#include "server/store/postgresql_library.h"
#include "server/store/postgresql_place.h"

namespace slipway::server {

namespace {

constexpr int kOldestServer = 120000;

// The schema is half of the lock's name, so that one database can hold several stores. A server
// that was killed is waited for: its session ends when PostgreSQL sees that it is gone.
constexpr const char* kLock =
    "SET lock_timeout = '3s';"
    "SELECT pg_advisory_lock(hashtext('slipway server'), hashtext(current_schema()));"
    "SET lock_timeout = '30s'";

bool is_class(std::string_view sqlstate, std::string_view name) {
  return sqlstate.substr(0, name.size()) == name;
}

// The connection is of no use any more: 08 connection errors, 57P01 … the server goes down.
bool ends_connection(std::string_view sqlstate) {
  return is_class(sqlstate, "08") || is_class(sqlstate, "57P") || sqlstate == "25P03";
}

ErrorKind kind_of(std::string_view sqlstate) {
  if (is_class(sqlstate, "23")) return ErrorKind::Conflict;
  // A value longer than an index takes.
  if (is_class(sqlstate, "54")) return ErrorKind::TooLarge;
  // No right to it.
  if (sqlstate == "42501") return ErrorKind::Denied;
  // Rolled back (deadlock, serialization), no resources, operator's intervention (time-outs, going
  // down), system errors (disk), a lock not had in time, a server that only reads.
  for (const char* name : {"08", "40", "53", "57", "58", "55P03", "25006", "25P03"})
    if (is_class(sqlstate, name)) return ErrorKind::Unavailable;
  return ErrorKind::Internal;
}

// 40001 serialization failure, 40P01 deadlock: the one transaction that is undone for the others.
bool gives_up(std::string_view sqlstate) {
  return sqlstate == "40001" || sqlstate == "40P01";
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

const PostgresqlLibrary& loaded() {
  const auto& library = postgresql_library();
  if (!library) throw StoreFailure{library.error()};
  return *library;
}

[[noreturn]] void unavailable(const std::string& message) {
  throw StoreFailure{fail(ErrorKind::Unavailable, message)};
}

}  // namespace

// The connection itself, and what is to be known of it while statements run.
class PostgresqlSession::Connection {
 private:
  PGconn* handle() {
    // Not dynamic_cast: it wants the type information of a class whose library is not linked.
    return static_cast<soci::postgresql_session_backend*>(soci_->get_backend())->conn_;
  }
  template <typename F>
  auto guarded(F&& act) {
    try {
      return act();
    } catch (const soci::postgresql_soci_error& error) {
      const std::string state = pq_.sqlstate(&error);
      lost_ = lost_ || ends_connection(state) || pq_.status(handle()) != CONNECTION_OK;
      Error what = fail(lost_ ? ErrorKind::Unavailable : kind_of(state),
                        "database: " + one_line(error.get_error_message()));
      if (!lost_ && gives_up(state)) throw TransactionGivenUp{std::move(what)};
      throw StoreFailure{std::move(what)};
    } catch (const soci::soci_error& error) {
      throw StoreFailure{
          fail(ErrorKind::Internal, "database: " + one_line(error.get_error_message()))};
    }
  }

 public:
  Connection(const DatabasePlace& place, Mode mode) : pq_(loaded()), place_(place), mode_(mode) {
    auto text = connection_string(place);
    if (!text) throw StoreFailure{text.error()};
    text_ = std::move(*text);
    connect();
  }

  // Runs `act` on the connection. Before anything else, and so without harm, a lost one is made
  // again; a reader also repeats what the loss interrupted. A statement that is a transaction by
  // itself is run again when it was given up for another one.
  template <typename F>
  auto run(F&& act) {
    mend();
    try {
      return guarded(act);
    } catch (const TransactionGivenUp&) {
      if (in_transaction_) throw;
    } catch (const StoreFailure&) {
      if (!lost_ || mode_ == Mode::Writer) throw;
    }
    mend();
    return guarded(act);
  }
  void begin(const std::string& sql) {
    try {
      run([&] { soci() << sql; });
    } catch (const StoreFailure&) {
      if (!lost_) throw;
      // Nothing has been done in it yet.
      run([&] { soci() << sql; });
    }
    in_transaction_ = true;
  }
  void commit() {
    in_transaction_ = false;
    // A COMMIT after an error that nobody undid would be a ROLLBACK, and be reported as done.
    if (!lost_ && pq_.transaction_status(handle()) == PQTRANS_INERROR) {
      guarded([&] { soci() << "ROLLBACK"; });
      throw StoreFailure{
          fail(ErrorKind::Internal, "database: an error inside the transaction was overlooked")};
    }
    if (lost_) unavailable("database: the connection was lost");
    guarded([&] { soci() << "COMMIT"; });
  }
  void rollback() {
    in_transaction_ = false;
    if (lost_ || pq_.transaction_status(handle()) == PQTRANS_IDLE) return;
    guarded([&] { soci() << "ROLLBACK"; });
  }

  // So that the next server need not wait until PostgreSQL has seen that this one is gone.
  void release() noexcept {
    if (lost_ || mode_ == Mode::Reader) return;
    try {
      soci() << "SELECT pg_advisory_unlock_all()";
    } catch (const soci::soci_error& error) {
      log::debug("database.release_failed", {{"error", one_line(error.get_error_message())}});
    }
  }

  soci::session& soci() { return *soci_; }
  void add(Prepared& statement) { statements_.insert(&statement); }
  void remove(Prepared& statement) { statements_.erase(&statement); }

 private:
  void mend();
  void connect();
  void set_up();
  // Takes the sole right to write; which one in all the store's life this is.
  long long claim();

  const PostgresqlLibrary& pq_;
  DatabasePlace place_;
  Mode mode_;
  std::string text_;
  std::unique_ptr<soci::session> soci_;
  std::set<Prepared*> statements_;
  bool lost_ = false;
  bool in_transaction_ = false;
  std::optional<long long> epoch_;  // of the last claim
};

// A statement, prepared again on each new connection. All values go as texts, as libpq sends them.
class PostgresqlSession::Prepared final : public Statement {
 public:
  Prepared(Connection& connection, std::string sql, const std::vector<Slot::Kind>& inputs,
           const std::vector<Slot::Kind>& outputs)
      : connection_(connection),
        sql_(std::move(sql)),
        inputs_(inputs.size()),
        outputs_(outputs.size()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs_[i].slot.kind = inputs[i];
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs_[i].slot.kind = outputs[i];
    connection_.add(*this);
  }
  ~Prepared() override { connection_.remove(*this); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  Slot& input(std::size_t index) override {
    Slot& slot = inputs_[index].slot;
    slot.null = false;
    return slot;
  }
  const Slot& output(std::size_t index) const override { return outputs_[index].slot; }

  bool execute() override {
    for (Bound& bound : inputs_) encode(bound);
    return connection_.run([&] {
      if (std::exchange(failed_, true)) forget();
      if (!statement_) prepare();
      const bool got = statement_->execute(true) && !outputs_.empty();
      failed_ = false;
      if (got) decode();
      return got;
    });
  }
  bool next() override {
    // All rows are here already: nothing can be lost on the way.
    if (!statement_->fetch()) return false;
    decode();
    return true;
  }
  void reset() noexcept override {}
  // The connection that it was prepared on ends.
  void forget() { statement_.reset(); }

 private:
  struct Bound {
    Slot slot;
    std::string text;
    soci::indicator indicator = soci::i_ok;
  };

  void prepare() {
    auto& made = statement_.emplace(connection_.soci());
    try {
      for (std::size_t i = 0; i < inputs_.size(); ++i)
        made.exchange(soci::use(inputs_[i].text, inputs_[i].indicator, value_name(i + 1)));
      for (Bound& bound : outputs_) made.exchange(soci::into(bound.text, bound.indicator));
      made.alloc();
      made.prepare(sql_);
      made.define_and_bind();
    } catch (...) {
      statement_.reset();
      throw;
    }
  }
  static void encode(Bound& bound) {
    bound.indicator = bound.slot.null ? soci::i_null : soci::i_ok;
    if (bound.slot.null) return;
    switch (bound.slot.kind) {
      case Slot::Kind::Integer: bound.text = std::to_string(bound.slot.integer); break;
      case Slot::Kind::Real: {
        std::array<char, 32> digits{};
        const auto end =
            std::to_chars(digits.data(), digits.data() + digits.size(), bound.slot.real);
        bound.text.assign(digits.data(), end.ptr);
        break;
      }
      case Slot::Kind::Text: bound.text = to_postgresql_text(bound.slot.text); break;
    }
  }
  void decode() {
    for (Bound& bound : outputs_) {
      Slot& slot = bound.slot;
      slot.null = bound.indicator == soci::i_null;
      const char* const begin = bound.text.data();
      switch (slot.kind) {
        case Slot::Kind::Integer:
          slot.integer = 0;
          if (slot.null) break;
          // EXISTS and comparisons are of a type of their own here.
          if (bound.text == "t" || bound.text == "f")
            slot.integer = bound.text == "t" ? 1 : 0;
          else
            std::from_chars(begin, begin + bound.text.size(), slot.integer);
          break;
        case Slot::Kind::Real:
          slot.real = 0;
          if (!slot.null) std::from_chars(begin, begin + bound.text.size(), slot.real);
          break;
        case Slot::Kind::Text:
          slot.text = slot.null ? std::string{} : from_postgresql_text(bound.text);
          break;
      }
    }
  }

  Connection& connection_;
  std::string sql_;
  std::optional<soci::statement> statement_;
  // After an error SOCI keeps the values, and would send them in place of a null the next time. The
  // statement goes then, not at once: inside of a transaction that an error has broken it cannot.
  bool failed_ = false;
  // The texts live in deques so that the addresses SOCI is given never move.
  std::deque<Bound> inputs_;
  std::deque<Bound> outputs_;
};

void PostgresqlSession::Connection::mend() {
  if (!lost_) return;
  if (in_transaction_) unavailable("database: the connection was lost");
  connect();
  log::info("database.connected_again", {{"database", place_.name()}});
}

void PostgresqlSession::Connection::connect() {
  // Statements go before the connection that they were prepared on.
  for (Prepared* statement : statements_) statement->forget();
  soci_.reset();
  lost_ = true;
  try {
    soci_ = std::make_unique<soci::session>(*pq_.factory, text_);
  } catch (const soci::soci_error& error) {
    unavailable("database: " + one_line(error.get_error_message()));
  }
  lost_ = false;
  std::optional<long long> epoch;
  try {
    set_up();
    if (mode_ == Mode::Writer) epoch = claim();
  } catch (...) {
    lost_ = true;
    throw;
  }
  const auto before = std::exchange(epoch_, epoch);
  if (before && epoch != *before + 1)
    unavailable("database: another server has written in the meantime");
}

void PostgresqlSession::Connection::set_up() {
  // Details would carry values of the row into logs and answers.
  pq_.set_error_verbosity(handle(), PQERRORS_TERSE);
  pq_.set_notice_processor(
      handle(), [](void*, const char*) {}, nullptr);
  if (pq_.server_version(handle()) < kOldestServer)
    throw StoreFailure{fail(ErrorKind::InvalidInput, "database: PostgreSQL 12 or later is needed")};
  if (const char* encoding = pq_.parameter_status(handle(), "server_encoding");
      encoding == nullptr || std::string_view{encoding} != "UTF8")
    throw StoreFailure{
        fail(ErrorKind::InvalidInput, "database: its encoding is not UTF8")
            .with_hint("make it with CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0")};
  const bool writes = mode_ == Mode::Writer;
  guarded([&] {
    soci() << std::string{"SET default_transaction_isolation = 'read committed';"
                          "SET jit = off; SET standard_conforming_strings = on;"
                          "SET idle_in_transaction_session_timeout = '5min';"
                          "SET statement_timeout = '"} +
                  (writes ? "120s" : "30s") + "'; SET default_transaction_read_only = " +
                  (writes ? "off" : "on");
    // What was answered is to survive a power cut; what is stricter than that stays.
    if (writes)
      soci() << "DO $do$ BEGIN IF current_setting('synchronous_commit') = 'off' THEN"
                " PERFORM set_config('synchronous_commit', 'on', false); END IF; END $do$";
  });
}

long long PostgresqlSession::Connection::claim() {
  try {
    guarded([&] { soci() << kLock; });
  } catch (const StoreFailure& failure) {
    if (lost_ || failure.error().kind != ErrorKind::Unavailable) throw;
    throw StoreFailure{
        fail(ErrorKind::Unavailable, "another server is running on '" + place_.name() + "'")
            .with_hint("stop it, or give this one another database")};
  }
  return guarded([&] {
    soci() << "CREATE TABLE IF NOT EXISTS slipway_schema (version BIGINT NOT NULL,"
              " epoch BIGINT NOT NULL)";
    soci() << "INSERT INTO slipway_schema SELECT 0, 0"
              " WHERE NOT EXISTS (SELECT 1 FROM slipway_schema)";
    long long now = 0;
    soci() << "UPDATE slipway_schema SET epoch = epoch + 1 RETURNING epoch", soci::into(now);
    return now;
  });
}

PostgresqlSession::PostgresqlSession(const DatabasePlace& place, Mode mode)
    : connection_(std::make_unique<Connection>(place, mode)) {}

PostgresqlSession::~PostgresqlSession() {
  statements_.clear();
  connection_->release();
}

std::unique_ptr<Statement> PostgresqlSession::make(const std::string& sql,
                                                   const std::vector<Slot::Kind>& inputs,
                                                   const std::vector<Slot::Kind>& outputs) {
  return std::make_unique<Prepared>(*connection_, to_postgresql(sql, inputs), inputs, outputs);
}

void PostgresqlSession::run(const std::string& sql) {
  connection_->run([&] { connection_->soci() << sql; });
}

void PostgresqlSession::run_schema(const MigrationStatement& statement) {
  // An index over many rows takes as long as it takes.
  run("SET LOCAL statement_timeout = 0; " + (statement.postgresql.empty()
                                                 ? schema_to_postgresql(statement.sqlite)
                                                 : statement.postgresql));
}

void PostgresqlSession::begin() {
  connection_->begin("BEGIN");
}

void PostgresqlSession::begin_snapshot() {
  connection_->begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void PostgresqlSession::commit() {
  connection_->commit();
}

void PostgresqlSession::rollback() {
  connection_->rollback();
}

long long PostgresqlSession::schema_version() {
  return select_value<long long>(*this, "SELECT version FROM slipway_schema");
}

void PostgresqlSession::set_schema_version(long long version) {
  execute(*this, "UPDATE slipway_schema SET version = ?", version);
}

long long PostgresqlSession::last_number(const std::string& table, const std::string& column) {
  // A sequence that gave nothing yet has no last value.
  return select_value<long long>(*this,
                                 "SELECT coalesce(pg_sequence_last_value(CAST("
                                 "pg_get_serial_sequence(?, ?) AS regclass)), 0)",
                                 table, column);
}

void PostgresqlSession::set_last_number(const std::string& table, const std::string& column,
                                        long long number) {
  if (number > 0)
    (void)select_value<long long>(
        *this, "SELECT setval(CAST(pg_get_serial_sequence(?, ?) AS regclass), ?)", table, column,
        number);
}

}  // namespace slipway::server
