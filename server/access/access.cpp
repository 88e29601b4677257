#include "server/access/access.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "pipeline/setting_variables.h"

namespace slipway::server {

namespace {

Result<void> check_kind(Stores& stores, Level level, ProjectId project, RefKind kind,
                        std::string_view ref) {
  const auto least = level_to_run(stores, project, kind, ref);
  if (least && level >= *least) return {};
  if (!least)
    return fail(ErrorKind::Denied, fmt::format("nobody may run pipelines on the protected {} '{}'",
                                               to_string(kind), ref));
  if (*least == Level::Developer)
    return fail(ErrorKind::Denied, "running pipelines needs the role developer");
  return fail(ErrorKind::Denied,
              fmt::format("only maintainers may run pipelines on the protected {} '{}'",
                          to_string(kind), ref))
      .with_hint("a maintainer may let developers run there, by push_access_level of the rule");
}

}  // namespace

bool may_read(Stores& stores, UnixMillis now, UserId user, const ProjectRow& project) {
  if (project.visibility == "public") return true;
  if (stores.members.level(user, project, now) > Level::None) return true;
  const auto row = stores.users.find(user);
  return project.visibility == "internal" && row && !row->disabled && !row->bot_of;
}

std::optional<Level> level_to_run(Stores& stores, ProjectId project, RefKind kind,
                                  std::string_view ref) {
  bool protected_ref = false;
  std::optional<Level> least;
  for (const ProtectedRefRow& rule : stores.protections.of_project(project, kind)) {
    if (!pipeline::matches_wildcard(rule.name, ref)) continue;
    protected_ref = true;
    if (rule.access_level == 0) continue;
    const auto level = static_cast<Level>(rule.access_level);
    least = least ? std::min(*least, level) : level;
  }
  return protected_ref ? least : Level::Developer;
}

Result<void> check_may_run(Stores& stores, Level level, ProjectId project,
                           std::optional<RefKind> kind, std::string_view ref) {
  for (const RefKind one : {RefKind::Branch, RefKind::Tag}) {
    if (kind && *kind != one) continue;
    if (auto fine = check_kind(stores, level, project, one, ref); !fine) return fine;
  }
  return {};
}

Result<void> check_owner_may_run(Stores& stores, UnixMillis now, UserId owner,
                                 const ProjectRow& project, std::string_view ref) {
  return check_may_run(stores, stores.members.level(owner, project, now), project.id, std::nullopt,
                       ref);
}

}  // namespace slipway::server
