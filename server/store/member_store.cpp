#include "server/store/member_store.h"

#include <algorithm>

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Field<Level> {
  static constexpr Slot::Kind kind = Slot::Kind::Integer;
  static void put(Slot& slot, Level value) { slot.integer = static_cast<long long>(value); }
  static void get(const Slot& slot, Level& value) { value = static_cast<Level>(slot.integer); }
};

template <>
struct Columns<MemberRow> {
  template <typename F>
  static void each(MemberRow& row, F&& f) {
    f("id", row.id);
    f("user_id", row.user_id);
    f("project_id", row.project_id);
    f("group_path", row.group_path);
    f("access_level", row.level);
    f("expires_at", row.expires_at);
    f("created_by", row.created_by);
    f("created_at", row.created_at);
  }
};

namespace {

// The index members_by_place holds this expression.
constexpr const char* kOfPlace =
    " FROM members WHERE ifnull(project_id, 0) = ?1 AND group_path = ?2";
constexpr const char* kInTime = " AND (expires_at IS NULL OR expires_at > ?3)";

std::string lower(std::string_view path) {
  std::string text{path};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

ProjectId id_of(const MemberPlace& place) {
  return place.project_id.value_or(ProjectId{});
}

}  // namespace

MemberPlace MemberPlace::project(const ProjectRow& row) {
  return {row.id, "", lower(row.path)};
}

MemberPlace MemberPlace::group(std::string_view path) {
  return {std::nullopt, lower(path), ""};
}

Level MemberStore::level_at(UserId user, ProjectId project, std::string_view path,
                            UnixMillis now) const {
  return select_value<Level>(session_, R"sql(
SELECT CASE WHEN users.disabled = 1 THEN 0 WHEN users.is_admin = 1 THEN 50
            ELSE ifnull((SELECT MAX(access_level) FROM members
                          WHERE user_id = users.id AND (expires_at IS NULL OR expires_at > ?2)
                            AND (project_id = ?3 OR (project_id IS NULL
                             AND substr(?4, 1, length(group_path) + 1) = group_path || '/'))), 0)
       END
  FROM users WHERE users.id = ?1)sql",
                             user, now, project, path);
}

Level MemberStore::level(UserId user, const ProjectRow& project, UnixMillis now) const {
  return level_at(user, project.id, lower(project.path), now);
}

Level MemberStore::level_in_group(UserId user, std::string_view path, UnixMillis now) const {
  return level_at(user, ProjectId{}, lower(path) + "/", now);
}

Page<MemberRow> MemberStore::list(const MemberPlace& place, UnixMillis now,
                                  PageRequest page) const {
  static const std::string where = std::string{kOfPlace} + kInTime;
  static const std::string rows =
      "SELECT " + column_names<MemberRow>() + where + " ORDER BY id LIMIT ?4 OFFSET ?5";
  static const std::string total = "SELECT COUNT(*)" + where;
  return {select<MemberRow>(session_, rows, id_of(place), place.group_path, now, page.per_page,
                            (page.page - 1) * page.per_page),
          select_value<long long>(session_, total, id_of(place), place.group_path, now)};
}

std::vector<MemberRow> MemberStore::with_inherited(const MemberPlace& place, UnixMillis now) const {
  static const std::string sql = "SELECT " + column_names<MemberRow>() + R"sql(
  FROM members
 WHERE (expires_at IS NULL OR expires_at > ?1)
   AND (project_id = ?2 OR (project_id IS NULL
    AND substr(?3, 1, length(group_path) + 1) = group_path || '/'))
 ORDER BY user_id, access_level DESC, id)sql";
  const std::string path = place.project_id ? place.path : place.group_path + "/";
  auto rows = select<MemberRow>(session_, sql, now, id_of(place), path);
  const auto same = [](const MemberRow& left, const MemberRow& right) {
    return left.user_id == right.user_id;
  };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());
  return rows;
}

std::optional<MemberRow> MemberStore::find(const MemberPlace& place, UserId user) const {
  static const std::string sql =
      "SELECT " + column_names<MemberRow>() + kOfPlace + " AND user_id = ?3";
  return select_one<MemberRow>(session_, sql, id_of(place), place.group_path, user);
}

void MemberStore::put(const MemberRow& row) {
  execute(session_, R"sql(
INSERT INTO members
  (user_id, project_id, group_path, access_level, expires_at, created_by, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (ifnull(project_id, 0), group_path, user_id)
DO UPDATE SET access_level = ?4, expires_at = ?5)sql",
          row.user_id, row.project_id, row.group_path, row.level, row.expires_at, row.created_by,
          row.created_at);
}

bool MemberStore::remove(const MemberPlace& place, UserId user) {
  return select_one<Scalar<long long>>(
             session_,
             "DELETE FROM members WHERE ifnull(project_id, 0) = ? AND group_path = ?"
             " AND user_id = ? RETURNING id",
             id_of(place), place.group_path, user)
      .has_value();
}

}  // namespace slipway::server
