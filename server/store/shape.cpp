#include "server/store/shape.h"

#include <algorithm>
#include <map>
#include <set>

#include "server/store/failure.h"
#include "server/store/migrations.h"
#include "server/store/sqlite_session.h"

namespace slipway::server {

namespace {

struct ColumnInfo {
  std::string name;
  std::string type;
  long long key_place = 0;  // 1 is the first of the primary key
};

}  // namespace

template <>
struct Columns<ColumnInfo> {
  template <typename F>
  static void each(ColumnInfo& row, F&& f) {
    f("name", row.name);
    f("type", row.type);
    f("pk", row.key_place);
  }
};

namespace {

Slot::Kind kind_of(const std::string& type) {
  if (type == "INTEGER") return Slot::Kind::Integer;
  return type == "REAL" ? Slot::Kind::Real : Slot::Kind::Text;
}

TableShape shape_of(Session& session, const std::string& table) {
  TableShape shape;
  shape.name = table;
  std::map<long long, std::size_t> key;
  for (const ColumnInfo& column : select<ColumnInfo>(
           session, "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", table)) {
    if (column.key_place > 0) key[column.key_place] = shape.columns.size();
    shape.columns.push_back(column.name);
    shape.kinds.push_back(kind_of(column.type));
  }
  for (const auto& [place, column] : key) shape.key.push_back(column);
  shape.numbered = select_value<bool>(
      session, "SELECT instr(sql, 'AUTOINCREMENT') > 0 FROM sqlite_schema WHERE name = ?", table);
  return shape;
}

}  // namespace

std::vector<TableShape> table_shapes() {
  SqliteSession session{":memory:", Session::Mode::Writer};
  if (auto made = migrate(session, migrations()); !made) throw StoreFailure{made.error()};
  std::vector<std::string> left;
  for (const auto& row :
       select<Scalar<std::string>>(session,
                                   "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                   " AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"))
    left.push_back(row.value);

  std::vector<TableShape> ordered;
  std::set<std::string> placed;
  const auto is_ready = [&](const std::string& table) {
    const auto referred = select<Scalar<std::string>>(
        session, "SELECT \"table\" FROM pragma_foreign_key_list(?)", table);
    return std::all_of(referred.begin(), referred.end(), [&](const auto& other) {
      return other.value == table || placed.count(other.value) > 0;
    });
  };
  while (!left.empty()) {
    const auto next = std::find_if(left.begin(), left.end(), is_ready);
    if (next == left.end())
      throw StoreFailure{fail(ErrorKind::Internal, "the tables refer to each other in a circle")};
    ordered.push_back(shape_of(session, *next));
    placed.insert(*next);
    left.erase(next);
  }
  return ordered;
}

}  // namespace slipway::server
