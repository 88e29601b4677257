// Who belongs to which project or group, and how much they may do there.
//
// Groups are prefixes of project paths: a member of "team" is one of every project below team/.
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"
#include "server/store/project_store.h"

namespace slipway::server {

class Session;

// GitLab's numbers, so that they compare and need no table.
enum class Level : std::uint8_t {
  None = 0,
  Guest = 10,
  Reporter = 20,
  Developer = 30,
  Maintainer = 40,
  Owner = 50,
};

// Where somebody is a member: a project, or a group when there is none.
struct MemberPlace {
  std::optional<ProjectId> project_id;
  std::string group_path;  // lower case; "" for a project
  std::string path;        // of the project, for what it inherits; "" for a group

  static MemberPlace project(const ProjectRow& row);
  static MemberPlace group(std::string_view path);
};

struct MemberRow {
  std::int64_t id = 0;
  UserId user_id;
  std::optional<ProjectId> project_id;
  std::string group_path;
  Level level = Level::None;
  std::optional<UnixMillis> expires_at;  // no member any more from then on
  std::optional<UserId> created_by;
  UnixMillis created_at = 0;
};

class MemberStore {
 public:
  explicit MemberStore(Session& session) : session_(session) {}

  // What the user may do there, by membership or as an administrator; None for one who is blocked.
  [[nodiscard]] Level level(UserId user, const ProjectRow& project, UnixMillis now) const;
  [[nodiscard]] Level level_in_group(UserId user, std::string_view path, UnixMillis now) const;

  // Those of the place itself, by id.
  [[nodiscard]] Page<MemberRow> list(const MemberPlace& place, UnixMillis now,
                                     PageRequest page) const;
  // With those that are inherited from groups above; each person once, at the highest level.
  [[nodiscard]] std::vector<MemberRow> with_inherited(const MemberPlace& place,
                                                      UnixMillis now) const;
  // Also one whose time is over.
  [[nodiscard]] std::optional<MemberRow> find(const MemberPlace& place, UserId user) const;
  // Adds, or replaces what was there.
  void put(const MemberRow& row);
  bool remove(const MemberPlace& place, UserId user);

 private:
  [[nodiscard]] Level level_at(UserId user, ProjectId project, std::string_view path,
                               UnixMillis now) const;
  Session& session_;
};

}  // namespace slipway::server
