#include "server/store/variable_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<VariableRow> {
  template <typename F>
  static void each(VariableRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("group_path", row.group_path);
    f("key", row.key);
    f("value", row.value);
    f("masked", row.masked);
    f("hidden", row.hidden);
    f("protected_only", row.protected_only);
    f("file", row.file);
    f("raw", row.raw);
    f("environment_scope", row.environment_scope);
    f("description", row.description);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
  }
};

template <>
struct Columns<VariableUseRow> {
  template <typename F>
  static void each(VariableUseRow& row, F&& f) {
    f("id", row.id);
    f("variable_id", row.variable_id);
    f("job_id", row.job_id);
    f("runner_id", row.runner_id);
    f("owner", row.owner);
    f("key", row.key);
    f("environment_scope", row.environment_scope);
    f("at", row.at);
  }
};

namespace {

ProjectId id_of(const VariableOwner& owner) {
  return owner.project_id.value_or(ProjectId{});
}

// The index variables_by_owner holds this expression.
constexpr const char* kOfOwner =
    " FROM variables WHERE ifnull(project_id, 0) = ?1 AND lower(group_path) = lower(?2)";

}  // namespace

std::string to_string(const VariableOwner& owner) {
  if (owner.project_id) return "project/" + std::to_string(owner.project_id->value);
  return owner.group_path.empty() ? "instance" : "group/" + owner.group_path;
}

Page<VariableRow> VariableStore::list(const VariableOwner& owner, PageRequest page) const {
  static const std::string rows = "SELECT " + column_names<VariableRow>() + kOfOwner +
                                  " ORDER BY key, environment_scope LIMIT ?3 OFFSET ?4";
  static const std::string total = std::string{"SELECT COUNT(*)"} + kOfOwner;
  return {select<VariableRow>(session_, rows, id_of(owner), owner.group_path, page.per_page,
                              (page.page - 1) * page.per_page),
          select_value<long long>(session_, total, id_of(owner), owner.group_path)};
}

std::vector<VariableRow> VariableStore::find(const VariableOwner& owner,
                                             std::string_view key) const {
  static const std::string sql = "SELECT " + column_names<VariableRow>() + kOfOwner +
                                 " AND key = ?3 ORDER BY environment_scope";
  return select<VariableRow>(session_, sql, id_of(owner), owner.group_path, key);
}

std::vector<VariableRow> VariableStore::for_project(ProjectId id,
                                                    std::string_view project_path) const {
  // A group is a beginning of the path that ends before a slash; "" is the instance.
  static const std::string sql =
      "SELECT " + column_names<VariableRow>() +
      " FROM (SELECT * FROM variables WHERE ifnull(project_id, 0) = ?1"
      " UNION ALL SELECT * FROM variables WHERE ifnull(project_id, 0) = 0 AND (group_path = ''"
      " OR instr(lower(?2), lower(group_path) || '/') = 1)) AS known"
      " ORDER BY project_id NULLS FIRST, length(group_path), key, environment_scope";
  return select<VariableRow>(session_, sql, id, project_path);
}

bool VariableStore::has_group(std::string_view path) const {
  if (path.empty()) return false;
  return select_value<bool>(session_,
                            "SELECT EXISTS (SELECT 1 FROM projects WHERE instr(lower(path), "
                            "lower(?1) || '/') = 1) OR EXISTS (SELECT 1 FROM variables WHERE "
                            "ifnull(project_id, 0) = 0 AND lower(group_path) = lower(?1))",
                            path);
}

std::vector<VariableRow> VariableStore::next_after(VariableId after, int limit) const {
  static const std::string sql =
      "SELECT " + column_names<VariableRow>() + " FROM variables WHERE id > ? ORDER BY id LIMIT ?";
  return select<VariableRow>(session_, sql, after, limit);
}

VariableId VariableStore::insert(const VariableRow& row) {
  return {insert_row(session_, "variables", row)};
}

void VariableStore::update(const VariableRow& row) {
  execute(session_, R"sql(
UPDATE variables
   SET value = ?, masked = ?, hidden = ?, protected_only = ?, file = ?, raw = ?,
       environment_scope = ?, description = ?, updated_at = ?
 WHERE id = ?)sql",
          row.value, row.masked, row.hidden, row.protected_only, row.file, row.raw,
          row.environment_scope, row.description, row.updated_at, row.id);
}

void VariableStore::remove(VariableId id) {
  execute(session_, "DELETE FROM variables WHERE id = ?", id);
}

void VariableStore::used(const VariableUseRow& row) {
  insert_row(session_, "variable_uses", row);
}

Page<VariableUseRow> VariableStore::uses(VariableId id, PageRequest page) const {
  static const std::string rows =
      "SELECT " + column_names<VariableUseRow>() +
      " FROM variable_uses WHERE variable_id = ? ORDER BY id DESC LIMIT ? OFFSET ?";
  return {
      select<VariableUseRow>(session_, rows, id, page.per_page, (page.page - 1) * page.per_page),
      select_value<long long>(session_, "SELECT COUNT(*) FROM variable_uses WHERE variable_id = ?",
                              id)};
}

}  // namespace slipway::server
