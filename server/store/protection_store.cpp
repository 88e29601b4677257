#include "server/store/protection_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<ProtectedRefRow> {
  template <typename F>
  static void each(ProtectedRefRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("kind", row.kind);
    f("name", row.name);
    f("access_level", row.access_level);
    f("created_at", row.created_at);
  }
};

std::string_view to_string(RefKind kind) {
  return kind == RefKind::Tag ? "tag" : "branch";
}

std::vector<ProtectedRefRow> ProtectionStore::of_project(ProjectId id, RefKind kind) const {
  static const std::string sql = "SELECT " + column_names<ProtectedRefRow>() +
                                 " FROM protected_refs WHERE project_id = ? AND kind = ?"
                                 " ORDER BY name";
  return select<ProtectedRefRow>(session_, sql, id, to_string(kind));
}

Page<ProtectedRefRow> ProtectionStore::list(ProjectId id, RefKind kind, PageRequest page) const {
  static const std::string sql = "SELECT " + column_names<ProtectedRefRow>() +
                                 " FROM protected_refs WHERE project_id = ? AND kind = ?"
                                 " ORDER BY name LIMIT ? OFFSET ?";
  return {select<ProtectedRefRow>(session_, sql, id, to_string(kind), page.per_page,
                                  (page.page - 1) * page.per_page),
          select_value<long long>(
              session_, "SELECT COUNT(*) FROM protected_refs WHERE project_id = ? AND kind = ?", id,
              to_string(kind))};
}

std::optional<ProtectedRefRow> ProtectionStore::find(ProjectId id, RefKind kind,
                                                     std::string_view name) const {
  static const std::string sql = "SELECT " + column_names<ProtectedRefRow>() +
                                 " FROM protected_refs WHERE project_id = ? AND kind = ?"
                                 " AND name = ?";
  return select_one<ProtectedRefRow>(session_, sql, id, to_string(kind), name);
}

void ProtectionStore::protect(ProjectId id, RefKind kind, std::string_view name, UnixMillis now,
                              int access_level) {
  execute(session_,
          "INSERT INTO protected_refs (project_id, kind, name, access_level, created_at)"
          " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
          id, to_string(kind), name, access_level, now);
}

bool ProtectionStore::unprotect(ProjectId id, RefKind kind, std::string_view name) {
  return select_one<Scalar<long long>>(session_,
                                       "DELETE FROM protected_refs WHERE project_id = ?"
                                       " AND kind = ? AND name = ? RETURNING 1",
                                       id, to_string(kind), name)
      .has_value();
}

}  // namespace slipway::server
