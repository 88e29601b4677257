#include "server/store/database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"
#include "base/guarded.h"
#include "base/logging.h"
#include "server/store/migrations.h"
#include "server/store/postgresql_place.h"
#include "server/store/session.h"

#include <condition_variable>
#include <vector>

namespace slipway::server {

namespace {

// Commits between two checkpoints: about 4 MB of WAL, written back in a few milliseconds.
constexpr int kCommitsPerCheckpoint = 500;

// PostgreSQL's writer has a lock of its own.
Result<UniqueFd> take_instance_lock(const std::filesystem::path& file) {
  const std::string name = file.string() + ".lock";
  UniqueFd lock{::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock.is_open()) return errno_error("cannot open '" + name + "'", errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorKind::Unavailable,
                "another server is running on '" + file.parent_path().string() + "'")
        .with_hint("stop it, or give this one another data_dir");
  return lock;
}

}  // namespace

struct Database::State {
  UniqueFd instance_lock;
  std::unique_ptr<Session> writer_session;
  std::unique_ptr<Stores> writer;
  Guarded<std::vector<std::unique_ptr<Session>>> idle;
  std::condition_variable given_back;
  int commits_since_checkpoint = 0;
  bool fail_next_commit = false;
  std::function<void()> watch;
};

Reader::Reader(Database& database, std::unique_ptr<Session> session)
    : database_(&database), session_(std::move(session)), stores_(*session_) {}

Reader::Reader(Reader&&) noexcept = default;

Reader::~Reader() {
  if (session_) database_->give_back(std::move(session_));
}

Result<std::unique_ptr<Database>> Database::open(const DatabasePlace& place,
                                                 DatabaseOptions options) {
  auto state = std::make_unique<State>();
  if (place.is_file()) {
    auto lock = take_instance_lock(place.file);
    if (!lock) return lock.error();
    state->instance_lock = std::move(*lock);
  } else if (auto usable = connection_string(place); !usable) {
    return usable.error();
  }
  try {
    state->writer_session = open_session(place, Session::Mode::Writer);
    if (auto migrated = migrate(*state->writer_session, migrations()); !migrated)
      return Error{migrated.error()}.in(place.name());
    state->writer = std::make_unique<Stores>(*state->writer_session);
    for (int i = 0; i < options.readers; ++i)
      state->idle.lock()->push_back(open_session(place, Session::Mode::Reader));
    return std::unique_ptr<Database>{new Database{std::move(state)}};
  } catch (const StoreFailure& failure) {
    return Error{failure.error()}.in("cannot open '" + place.name() + "'");
  }
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}

Database::~Database() = default;

Reader Database::read() {
  auto idle = state_->idle.lock();
  state_->given_back.wait(idle.lock(), [&] { return !idle->empty(); });
  auto session = std::move(idle->back());
  idle->pop_back();
  return Reader{*this, std::move(session)};
}

void Database::give_back(std::unique_ptr<Session> session) noexcept {
  state_->idle.lock()->push_back(std::move(session));
  state_->given_back.notify_one();
}

Stores& Database::writer() {
  return *state_->writer;
}

Session& Database::writer_session() {
  return *state_->writer_session;
}

void Database::begin() {
  state_->writer_session->begin();
}

void Database::commit() {
  if (std::exchange(state_->fail_next_commit, false))
    throw StoreFailure{fail(ErrorKind::Unavailable, "database: disk is full")};
  if (state_->watch) state_->watch();
  state_->writer_session->commit();
  if (state_->watch) state_->watch();
  ++state_->commits_since_checkpoint;
}

void Database::rollback() noexcept {
  try {
    state_->writer_session->rollback();
  } catch (const StoreFailure& failure) {
    // SQLite ends the transaction by itself after some errors, PostgreSQL when the connection is
    // lost; then there is nothing to undo.
    log::debug("database.rollback_skipped", {{"error", failure.error().message}});
  }
}

void Database::savepoint() {
  execute(*state_->writer_session, "SAVEPOINT request");
}

void Database::release_savepoint() {
  execute(*state_->writer_session, "RELEASE request");
}

void Database::rollback_to_savepoint() {
  execute(*state_->writer_session, "ROLLBACK TO request");
  release_savepoint();
}

void Database::checkpoint_when_large() {
  if (state_->commits_since_checkpoint < kCommitsPerCheckpoint) return;
  state_->commits_since_checkpoint = 0;
  state_->writer_session->checkpoint();
}

void Database::fail_next_commit() {
  state_->fail_next_commit = true;
}

void Database::watch_commits(std::function<void()> watch) {
  state_->watch = std::move(watch);
}

}  // namespace slipway::server
