#include "server/access/access.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "pipeline/setting_variables.h"
#include "server/store/run_refs.h"

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

bool job_may_reach(Stores& stores, UnixMillis now, JobId job, const ProjectRow& wanted) {
  const auto row = stores.jobs.find(job);
  const auto pipeline = row ? stores.pipelines.find(row->pipeline_id) : std::nullopt;
  if (!pipeline || is_fork_ref(pipeline->ref)) return false;
  const bool named = stores.job_tokens.is_allowed(wanted.id, row->project_id);
  if (wanted.job_token_limited && !named) return false;
  if (pipeline->user_id) return may_read(stores, now, *pipeline->user_id, wanted);
  // Nobody of this server, but a push: somebody must have said that the two belong together.
  if (named) return true;
  const auto own = stores.projects.find(row->project_id);
  const auto group = [](const std::string& path) { return path.substr(0, path.find('/')); };
  return own && own->path.find('/') != std::string::npos && group(own->path) == group(wanted.path);
}

Result<void> check_owner_may_run(Stores& stores, UnixMillis now, UserId owner,
                                 const ProjectRow& project, std::string_view ref) {
  return check_may_run(stores, stores.members.level(owner, project, now), project.id, std::nullopt,
                       ref);
}

}  // namespace slipway::server
