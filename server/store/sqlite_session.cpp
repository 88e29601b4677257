#include "server/store/sqlite_session.h"

#include <fcntl.h>
#include <unistd.h>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <deque>

#include "base/files.h"
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

// Of the copies from before the schema changed.
constexpr std::size_t kCopiesKept = 3;

Result<void> sync_path(const std::filesystem::path& path) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open() || ::fsync(file.get()) != 0)
    return errno_error("cannot sync '" + path.string() + "'", errno);
  return {};
}

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
    bound.slot.kind = kind;
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
    bound.slot.kind = kind;
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
    : state_(std::make_unique<State>()), file_(file) {
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

void SqliteSession::begin_snapshot() {
  execute(*this, "BEGIN");
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

long long SqliteSession::last_number(const std::string& table, const std::string&) {
  return select_value<long long>(
      *this, "SELECT ifnull(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?", table);
}

void SqliteSession::set_last_number(const std::string& table, const std::string&,
                                    long long number) {
  execute(*this, "DELETE FROM sqlite_sequence WHERE name = ?", table);
  if (number > 0)
    execute(*this, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, number);
}

Result<void> SqliteSession::copy_to(const std::filesystem::path& target) {
  const std::filesystem::path unfinished = target.string() + ".unfinished";
  std::error_code failed;
  std::filesystem::remove(unfinished, failed);
  try {
    execute(*this, "VACUUM INTO ?", unfinished.string());
  } catch (const StoreFailure& failure) {
    std::filesystem::remove(unfinished, failed);
    return Error{failure.error()}.in("cannot copy the database to '" + target.string() + "'");
  }
  std::filesystem::permissions(unfinished, std::filesystem::perms{0600}, failed);
  if (auto synced = sync_path(unfinished); !synced) return synced;
  std::filesystem::rename(unfinished, target, failed);
  if (failed) return errno_error("cannot make '" + target.string() + "'", failed.value());
  return sync_path(target.parent_path());
}

Result<void> SqliteSession::keep_copy(long long version) {
  const std::string prefix = file_.filename().string() + ".schema-";
  const std::filesystem::path folder = file_.parent_path();
  if (auto copied = copy_to(folder / (prefix + std::to_string(version))); !copied) return copied;
  std::vector<long long> kept;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator{folder, failed})
    if (const std::string name = entry.path().filename().string(); name.rfind(prefix, 0) == 0)
      kept.push_back(std::strtoll(name.c_str() + prefix.size(), nullptr, 10));
  std::sort(kept.rbegin(), kept.rend());
  for (std::size_t i = kCopiesKept; i < kept.size(); ++i)
    std::filesystem::remove(folder / (prefix + std::to_string(kept[i])), failed);
  return {};
}

void SqliteSession::checkpoint() {
  // PASSIVE waits for nobody; what readers still need stays until the next time.
  run("PRAGMA wal_checkpoint(PASSIVE)");
}

}  // namespace slipway::server
