// One session with a database and its prepared statements, and how C++ values become columns and
// back.
//
// Used by one thread at a time; only server/store includes this. A statement is prepared on its
// first use and kept by its text, so texts must come from the source and never from data. Errors
// are thrown as StoreFailure.
//
// Texts are written for SQLite and PostgreSQL alike: `?` or `?1` marks a value, truth is 0 or 1 in
// an INTEGER column and is compared (`retried = 0`, not `NOT retried`), a subquery in FROM has a
// name, `lower(a) = lower(b)` is how case is left aside. What only the words differ in, as
// `ifnull`, the PostgreSQL session puts right (postgresql_dialect.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "server/store/ids.h"

namespace slipway::server {

struct DatabasePlace;
struct MigrationStatement;

// One bound value or fetched column. The kind is fixed when the statement is prepared.
struct Slot {
  enum class Kind : std::uint8_t { Integer, Real, Text };

  Kind kind = Kind::Integer;
  bool null = false;
  long long integer = 0;
  double real = 0;
  std::string text;
};

class Statement {
 public:
  virtual ~Statement() = default;
  [[nodiscard]] virtual Slot& input(std::size_t index) = 0;
  [[nodiscard]] virtual const Slot& output(std::size_t index) const = 0;
  // Runs it with the inputs; true when there is a first row, which is then in the outputs.
  virtual bool execute() = 0;
  virtual bool next() = 0;
  // Ends the reading: an unfinished SELECT would hold its snapshot.
  virtual void reset() noexcept = 0;
};

class Session {
 public:
  enum class Mode : std::uint8_t { Writer, Reader };

  Session() = default;
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Statement& prepare(std::string_view sql, const std::vector<Slot::Kind>& inputs,
                     const std::vector<Slot::Kind>& outputs);
  // For texts without values and without rows, each used once or rarely.
  virtual void run(const std::string& sql) = 0;
  // One statement of a migration, which is written for SQLite.
  virtual void run_schema(const MigrationStatement& statement) = 0;

  // After commit() that threw, and after any other error that is not caught by a savepoint, only
  // rollback() helps.
  virtual void begin() = 0;
  // All that is read until rollback() is of one moment.
  virtual void begin_snapshot() = 0;
  virtual void commit() = 0;
  virtual void rollback() = 0;

  [[nodiscard]] virtual long long schema_version() = 0;
  virtual void set_schema_version(long long version) = 0;
  // Before the schema changes: a copy of all as it is, where the database is ours to copy.
  virtual Result<void> keep_copy(long long version) = 0;
  // The last number that the database gave in this column: none up to it is given again.
  [[nodiscard]] virtual long long last_number(const std::string& table,
                                              const std::string& column) = 0;
  virtual void set_last_number(const std::string& table, const std::string& column,
                               long long number) = 0;
  // Moves what the database has put beside its file into the file; waits for nobody.
  virtual void checkpoint() {}

 protected:
  virtual std::unique_ptr<Statement> make(const std::string& sql,
                                          const std::vector<Slot::Kind>& inputs,
                                          const std::vector<Slot::Kind>& outputs) = 0;

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  // A derived class ends these before the session that they belong to.
  std::unordered_map<std::string, std::unique_ptr<Statement>, TextHash, std::equal_to<>>
      statements_;
};

// Opens a session; throws StoreFailure. A writer takes no lock against others by this alone.
std::unique_ptr<Session> open_session(const DatabasePlace& place, Session::Mode mode);

std::string json_of_strings(const std::vector<std::string>& values);
std::vector<std::string> strings_of_json(const std::string& text);

// How each field type stands in a column.
template <typename T>
struct Field;

template <typename T>
requires std::is_integral_v<T>
struct Field<T> {
  static constexpr Slot::Kind kind = Slot::Kind::Integer;
  static void put(Slot& slot, T value) { slot.integer = static_cast<long long>(value); }
  static void get(const Slot& slot, T& value) { value = static_cast<T>(slot.integer); }
};

template <>
struct Field<double> {
  static constexpr Slot::Kind kind = Slot::Kind::Real;
  static void put(Slot& slot, double value) { slot.real = value; }
  static void get(const Slot& slot, double& value) { value = slot.real; }
};

template <>
struct Field<std::string> {
  static constexpr Slot::Kind kind = Slot::Kind::Text;
  static void put(Slot& slot, std::string_view value) { slot.text = value; }
  static void get(const Slot& slot, std::string& value) { value = slot.text; }
};

template <>
struct Field<std::string_view> : Field<std::string> {};

template <typename Tag>
struct Field<Id<Tag>> {
  static constexpr Slot::Kind kind = Slot::Kind::Integer;
  static void put(Slot& slot, Id<Tag> value) { slot.integer = value.value; }
  static void get(const Slot& slot, Id<Tag>& value) { value.value = slot.integer; }
};

template <>
struct Field<std::vector<std::string>> {
  static constexpr Slot::Kind kind = Slot::Kind::Text;
  static void put(Slot& slot, const std::vector<std::string>& value) {
    slot.text = json_of_strings(value);
  }
  static void get(const Slot& slot, std::vector<std::string>& value) {
    value = strings_of_json(slot.text);
  }
};

template <typename T>
struct Field<std::optional<T>> {
  static constexpr Slot::Kind kind = Field<T>::kind;
  static void put(Slot& slot, const std::optional<T>& value) {
    slot.null = !value.has_value();
    if (value) Field<T>::put(slot, *value);
  }
  static void get(const Slot& slot, std::optional<T>& value) {
    value.reset();
    if (!slot.null) Field<T>::get(slot, value.emplace());
  }
};

// A row type names its columns once: `template <typename F> static void each(Row& row, F&& f)` in a
// specialisation of Columns calls f("name", row.field) for each, in a fixed order.
template <typename Row>
struct Columns;

// "id, path, …": what a SELECT of whole rows lists.
template <typename Row>
std::string column_names() {
  std::string names;
  Row row;
  Columns<Row>::each(row, [&](const char* name, auto&) {
    if (!names.empty()) names += ", ";
    names += name;
  });
  return names;
}

namespace detail {

template <typename Row>
const std::vector<Slot::Kind>& row_kinds() {
  static const std::vector<Slot::Kind> kinds = [] {
    std::vector<Slot::Kind> found;
    Row row;
    Columns<Row>::each(row, [&]<typename T>(const char*, T&) { found.push_back(Field<T>::kind); });
    return found;
  }();
  return kinds;
}

template <typename Row>
Row take_row(const Statement& statement) {
  Row row;
  std::size_t index = 0;
  Columns<Row>::each(row, [&]<typename T>(const char*, T& field) {
    Field<T>::get(statement.output(index++), field);
  });
  return row;
}

template <typename... Args>
Statement& bind(Session& session, std::string_view sql, const std::vector<Slot::Kind>& outputs,
                const Args&... args) {
  static const std::vector<Slot::Kind> kinds{Field<std::decay_t<Args>>::kind...};
  Statement& statement = session.prepare(sql, kinds, outputs);
  std::size_t index = 0;
  (Field<std::decay_t<Args>>::put(statement.input(index++), args), ...);
  return statement;
}

class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() { statement_.reset(); }

 private:
  Statement& statement_;
};

}  // namespace detail

// A single column as a row.
template <typename T>
struct Scalar {
  T value{};
};
template <typename T>
struct Columns<Scalar<T>> {
  template <typename F>
  static void each(Scalar<T>& row, F&& f) {
    f("value", row.value);
  }
};
template <typename T, typename U>
struct Columns<std::pair<T, U>> {
  template <typename F>
  static void each(std::pair<T, U>& row, F&& f) {
    f("first", row.first);
    f("second", row.second);
  }
};

template <typename Row, typename... Args>
std::vector<Row> select(Session& session, std::string_view sql, const Args&... args) {
  Statement& statement = detail::bind(session, sql, detail::row_kinds<Row>(), args...);
  const detail::ResetAtEnd reset{statement};
  std::vector<Row> rows;
  for (bool more = statement.execute(); more; more = statement.next())
    rows.push_back(detail::take_row<Row>(statement));
  return rows;
}

template <typename Row, typename... Args>
std::optional<Row> select_one(Session& session, std::string_view sql, const Args&... args) {
  Statement& statement = detail::bind(session, sql, detail::row_kinds<Row>(), args...);
  const detail::ResetAtEnd reset{statement};
  if (!statement.execute()) return std::nullopt;
  return detail::take_row<Row>(statement);
}

// For questions that always have an answer: COUNT and the like.
template <typename T, typename... Args>
T select_value(Session& session, std::string_view sql, const Args&... args) {
  const auto row = select_one<Scalar<T>>(session, sql, args...);
  return row ? row->value : T{};
}

template <typename... Args>
void execute(Session& session, std::string_view sql, const Args&... args) {
  Statement& statement = detail::bind(session, sql, {}, args...);
  const detail::ResetAtEnd reset{statement};
  statement.execute();
}

// Inserts every column but the first, which is the number that the database gives; answers that
// number.
template <typename Row>
long long insert_row(Session& session, const std::string& table, const Row& row) {
  static const std::pair<std::string, std::vector<Slot::Kind>> prepared = [&] {
    const std::string names = column_names<Row>();
    const auto& kinds = detail::row_kinds<Row>();
    std::string marks = "?";
    for (std::size_t i = 2; i < kinds.size(); ++i) marks += ", ?";
    return std::pair{"INSERT INTO " + table + " (" + names.substr(names.find(',') + 1) +
                         ") VALUES (" + marks + ") RETURNING " + names.substr(0, names.find(',')),
                     std::vector<Slot::Kind>(kinds.begin() + 1, kinds.end())};
  }();
  Statement& statement = session.prepare(prepared.first, prepared.second, {Slot::Kind::Integer});
  const detail::ResetAtEnd reset{statement};
  int index = -1;
  // The visitor takes fields by reference and only reads them here.
  Columns<Row>::each(const_cast<Row&>(row), [&]<typename T>(const char*, T& field) {
    if (index >= 0) Field<T>::put(statement.input(static_cast<std::size_t>(index)), field);
    ++index;
  });
  statement.execute();
  return statement.output(0).integer;
}

}  // namespace slipway::server
