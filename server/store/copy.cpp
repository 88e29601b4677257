#include "server/store/copy.h"

#include <spdlog/fmt/fmt.h>

#include "base/crypto.h"
#include "server/store/database.h"
#include "server/store/migrations.h"
#include "server/store/shape.h"
#include "server/store/sqlite_session.h"

namespace slipway::server {

namespace {

// Rows at a time: a delivery's body may have megabytes.
constexpr long long kPage = 100;

// The one table whose row the migrations make.
constexpr std::string_view kFilledByMigrations = "audit_length";

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

std::string marks(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "?" : ", ?";
  return text;
}

// For a digest: no two different rows look alike.
std::string written(const std::vector<Slot>& row) {
  std::string text;
  for (const Slot& slot : row) {
    if (slot.null)
      text += 'n';
    else if (slot.kind == Slot::Kind::Integer)
      text += fmt::format("i{};", slot.integer);
    else if (slot.kind == Slot::Kind::Real)
      text += fmt::format("r{};", slot.real);
    else
      text += fmt::format("t{}:", slot.text.size()) + slot.text;
  }
  return text;
}

void put(Statement& statement, std::size_t index, const Slot& value) {
  Slot& input = statement.input(index);
  input.null = value.null;
  input.integer = value.integer;
  input.real = value.real;
  input.text = value.text;
}

// Calls `take` with each row of a table, in the order of its key.
template <typename F>
void each_row(Session& session, const TableShape& shape, F&& take) {
  std::vector<std::string> key;
  std::vector<Slot::Kind> key_kinds;
  for (const std::size_t column : shape.key) {
    key.push_back(shape.columns[column]);
    key_kinds.push_back(shape.kinds[column]);
  }
  const std::string select = "SELECT " + quoted_list(shape.columns) + " FROM " + shape.name;
  const std::string order =
      key.empty() ? "" : " ORDER BY " + quoted_list(key) + fmt::format(" LIMIT {}", kPage);
  const std::string behind =
      key.empty() ? "" : " WHERE (" + quoted_list(key) + ") > (" + marks(key.size()) + ")";
  std::vector<Slot> last;
  for (;;) {
    Statement& statement = last.empty()
                               ? session.prepare(select + order, {}, shape.kinds)
                               : session.prepare(select + behind + order, key_kinds, shape.kinds);
    if (!last.empty())
      for (std::size_t i = 0; i < key.size(); ++i) put(statement, i, last[shape.key[i]]);
    long long rows = 0;
    for (bool more = statement.execute(); more; more = statement.next(), ++rows) {
      last.clear();
      for (std::size_t i = 0; i < shape.columns.size(); ++i) last.push_back(statement.output(i));
      take(last);
    }
    statement.reset();
    if (key.empty() || rows < kPage) return;
  }
}

class Digest {
 public:
  explicit Digest(std::string table) { done_.name = std::move(table); }
  void add(const std::vector<Slot>& row) {
    waiting_ += written(row);
    if (++done_.rows % kPage == 0) fold();
  }
  CopiedTable result() {
    fold();
    return done_;
  }

 private:
  void fold() {
    done_.sha256 = sha256_hex(done_.sha256 + waiting_);
    waiting_.clear();
  }
  CopiedTable done_;
  std::string waiting_;
};

CopiedTable digest_of(Session& session, const TableShape& shape) {
  Digest digest{shape.name};
  each_row(session, shape, [&](const std::vector<Slot>& row) { digest.add(row); });
  return digest.result();
}

CopiedTable copy_table(Session& from, Session& to, const TableShape& shape) {
  Statement& insert = to.prepare("INSERT INTO " + shape.name + " (" + quoted_list(shape.columns) +
                                     ") VALUES (" + marks(shape.columns.size()) + ")",
                                 shape.kinds, {});
  Digest digest{shape.name};
  each_row(from, shape, [&](const std::vector<Slot>& row) {
    digest.add(row);
    for (std::size_t i = 0; i < row.size(); ++i) put(insert, i, row[i]);
    insert.execute();
    insert.reset();
  });
  if (shape.numbered)
    to.set_last_number(shape.name, shape.columns[0],
                       from.last_number(shape.name, shape.columns[0]));
  return digest.result();
}

Result<void> check_version(Session& session) {
  const auto newest = static_cast<long long>(migrations().size());
  if (const auto version = session.schema_version(); version != newest)
    return fail(ErrorKind::Conflict,
                fmt::format("the database has schema {}, this program has {}", version, newest))
        .with_hint("use the slipway that runs the server");
  return {};
}

Result<void> check_empty(Session& to, const std::vector<TableShape>& shapes) {
  for (const TableShape& shape : shapes)
    if (shape.name != kFilledByMigrations &&
        select_value<bool>(to, "SELECT EXISTS (SELECT 1 FROM " + shape.name + ")"))
      return fail(ErrorKind::Conflict, "the target already holds rows, in '" + shape.name + "'")
          .with_hint("name an empty database");
  return {};
}

Result<std::vector<CopiedTable>> copy_in_transaction(Session& from, Session& to) {
  for (Session* session : {&from, &to})
    if (auto same = check_version(*session); !same) return same.error();
  const auto shapes = table_shapes();
  if (auto empty = check_empty(to, shapes); !empty) return empty.error();
  std::vector<CopiedTable> copied;
  for (const TableShape& shape : shapes) {
    if (shape.name == kFilledByMigrations) execute(to, "DELETE FROM audit_length");
    copied.push_back(copy_table(from, to, shape));
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const CopiedTable again = digest_of(to, shapes[i]);
    if (again.rows != copied[i].rows || again.sha256 != copied[i].sha256)
      return fail(ErrorKind::Internal,
                  "what was written to '" + shapes[i].name + "' is not what was read");
  }
  return copied;
}

// Ends what was begun, however this ends.
class Begun {
 public:
  explicit Begun(Session& session) : session_(session) {}
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;
  ~Begun() {
    if (open_) try {
        session_.rollback();
      } catch (const StoreFailure&) {
        // A lost connection has undone it already.
      }
  }
  void commit() {
    session_.commit();
    open_ = false;
  }

 private:
  Session& session_;
  bool open_ = true;
};

}  // namespace

Result<std::vector<CopiedTable>> copy_rows(Session& from, Session& to) {
  from.begin_snapshot();
  const Begun reading{from};
  to.begin();
  Begun writing{to};
  auto copied = copy_in_transaction(from, to);
  if (copied) writing.commit();
  return copied;
}

Result<std::vector<CopiedTable>> migrate_store(const DatabasePlace& from, const DatabasePlace& to,
                                               const std::function<Result<void>()>& beside) {
  std::error_code failed;
  if (from.is_file() && !std::filesystem::exists(from.file, failed))
    return fail(ErrorKind::NotFound, "there is no database '" + from.name() + "'");
  auto source = Database::open(from, {.readers = 0});
  if (!source) return std::move(source).error();
  auto target = Database::open(to, {.readers = 0});
  if (!target) return std::move(target).error();
  try {
    if (auto empty = check_empty((*target)->writer_session(), table_shapes()); !empty)
      return empty.error();
    if (beside)
      if (auto done = beside(); !done) return done.error();
    return copy_rows((*source)->writer_session(), (*target)->writer_session());
  } catch (const StoreFailure& failure) {
    return failure.error();
  }
}

Result<std::vector<CopiedTable>> copy_to_file(const DatabasePlace& from,
                                              const std::filesystem::path& file) {
  try {
    if (from.is_file()) {
      // Not as a reader, which could write no copy either; nothing of the original is written.
      SqliteSession source{from.file, Session::Mode::Writer};
      if (auto same = check_version(source); !same) return same.error();
      if (auto copied = source.copy_to(file); !copied) return copied.error();
      SqliteSession copy{file, Session::Mode::Reader};
      std::vector<CopiedTable> tables;
      for (const TableShape& shape : table_shapes()) tables.push_back(digest_of(copy, shape));
      return tables;
    }
    const std::filesystem::path unfinished = file.string() + ".unfinished";
    std::error_code failed;
    std::filesystem::remove(unfinished, failed);
    auto source = open_session(from, Session::Mode::Reader);
    SqliteSession target{unfinished, Session::Mode::Writer};
    if (auto made = migrate(target, migrations()); !made) return made.error();
    auto copied = copy_rows(*source, target);
    if (!copied) return copied;
    if (auto done = target.copy_to(file); !done) return done.error();
    for (const char* part : {"", "-wal", "-shm"})
      std::filesystem::remove(unfinished.string() + part, failed);
    return copied;
  } catch (const StoreFailure& failure) {
    return failure.error();
  }
}

Result<std::vector<std::string>> blobs_in_file(const std::filesystem::path& file) {
  try {
    SqliteSession session{file, Session::Mode::Reader};
    std::vector<std::string> names;
    for (auto& row : select<Scalar<std::string>>(session,
                                                 "SELECT DISTINCT blob FROM artifacts"
                                                 " ORDER BY blob"))
      names.push_back(std::move(row.value));
    return names;
  } catch (const StoreFailure& failure) {
    return failure.error();
  }
}

}  // namespace slipway::server
