#include "server/store/trigger_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<TriggerTokenRow> {
  template <typename F>
  static void each(TriggerTokenRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("description", row.description);
    f("token_hash", row.token_hash);
    f("hint", row.hint);
    f("owner_id", row.owner_id);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
    f("last_used_at", row.last_used_at);
  }
};

template <>
struct Columns<ResourceGroupRow> {
  template <typename F>
  static void each(ResourceGroupRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("key", row.key);
    f("process_mode", row.process_mode);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
  }
};

namespace {

const std::string& select_tokens() {
  static const std::string sql =
      "SELECT " + column_names<TriggerTokenRow>() + " FROM trigger_tokens";
  return sql;
}

const std::string& select_groups() {
  static const std::string sql =
      "SELECT " + column_names<ResourceGroupRow>() + " FROM resource_groups";
  return sql;
}

}  // namespace

std::optional<TriggerTokenRow> TriggerTokenStore::find(TriggerTokenId id) const {
  static const std::string sql = select_tokens() + " WHERE id = ?";
  return select_one<TriggerTokenRow>(session_, sql, id);
}

std::optional<TriggerTokenRow> TriggerTokenStore::find_by_hash(std::string_view token_hash) const {
  static const std::string sql = select_tokens() + " WHERE token_hash = ?";
  return select_one<TriggerTokenRow>(session_, sql, token_hash);
}

Page<TriggerTokenRow> TriggerTokenStore::list(ProjectId project, PageRequest page) const {
  static const std::string sql =
      select_tokens() + " WHERE project_id = ? ORDER BY id LIMIT ? OFFSET ?";
  return {select<TriggerTokenRow>(session_, sql, project, page.per_page,
                                  (page.page - 1) * page.per_page),
          select_value<long long>(
              session_, "SELECT COUNT(*) FROM trigger_tokens WHERE project_id = ?", project)};
}

TriggerTokenId TriggerTokenStore::insert(const TriggerTokenRow& row) {
  return {insert_row(session_, "trigger_tokens", row)};
}

void TriggerTokenStore::describe(TriggerTokenId id, std::string_view description, UnixMillis at) {
  execute(session_, "UPDATE trigger_tokens SET description = ?, updated_at = ? WHERE id = ?",
          description, at, id);
}

void TriggerTokenStore::used(TriggerTokenId id, UnixMillis at) {
  execute(session_, "UPDATE trigger_tokens SET last_used_at = ? WHERE id = ?", at, id);
}

void TriggerTokenStore::remove(TriggerTokenId id) {
  execute(session_, "DELETE FROM trigger_tokens WHERE id = ?", id);
}

std::optional<ResourceGroupRow> ResourceGroupStore::find(ProjectId project,
                                                         std::string_view key) const {
  static const std::string sql = select_groups() + " WHERE project_id = ? AND key = ?";
  return select_one<ResourceGroupRow>(session_, sql, project, key);
}

Page<ResourceGroupRow> ResourceGroupStore::list(ProjectId project, PageRequest page) const {
  static const std::string sql =
      select_groups() + " WHERE project_id = ? ORDER BY key LIMIT ? OFFSET ?";
  return {select<ResourceGroupRow>(session_, sql, project, page.per_page,
                                   (page.page - 1) * page.per_page),
          select_value<long long>(
              session_, "SELECT COUNT(*) FROM resource_groups WHERE project_id = ?", project)};
}

void ResourceGroupStore::note(ProjectId project, std::string_view key, UnixMillis at) {
  execute(session_, R"sql(
INSERT INTO resource_groups (project_id, key, process_mode, created_at, updated_at)
VALUES (?1, ?2, 'unordered', ?3, ?3) ON CONFLICT DO NOTHING)sql",
          project, key, at);
}

void ResourceGroupStore::set_mode(ResourceGroupId id, std::string_view mode, UnixMillis at) {
  execute(session_, "UPDATE resource_groups SET process_mode = ?, updated_at = ? WHERE id = ?",
          mode, at, id);
}

}  // namespace slipway::server
