#include "server/http/places.h"

#include "server/access/access.h"

namespace slipway::server::http {

using auth::PrincipalKind;

auth::Place project_place(Stores& stores, UnixMillis now, const auth::Principal& principal,
                          const ProjectRow& project) {
  auth::Place place{project.id, auth::parse_visibility(project.visibility), project.public_jobs};
  if (principal.kind == PrincipalKind::User)
    place.level = stores.members.level(principal.user, project, now);
  if (principal.kind == PrincipalKind::Job && principal.job_project != project.id)
    place.lets_job_in = job_may_reach(stores, now, principal.job, project);
  return place;
}

auth::Place group_place(Stores& stores, UnixMillis now, const auth::Principal& principal,
                        std::string_view path) {
  auth::Place place;
  if (principal.kind == PrincipalKind::User)
    place.level = stores.members.level_in_group(principal.user, path, now);
  return place;
}

auth::Place runner_place(Stores& stores, UnixMillis now, const auth::Principal& principal,
                         const RunnerRow& runner) {
  auth::Place place;
  if (!runner.project_id) place.visibility = auth::Visibility::Internal;
  const auto project = runner.project_id ? stores.projects.find(*runner.project_id) : std::nullopt;
  if (project && principal.kind == PrincipalKind::User)
    place.level = stores.members.level(principal.user, *project, now);
  return place;
}

ProjectViewer viewer_of(const auth::Principal& principal, UnixMillis now) {
  ProjectViewer viewer;
  const bool user = principal.kind == PrincipalKind::User;
  viewer.everything = user && principal.is_admin;
  viewer.internal = user && !principal.is_bot;
  viewer.user = principal.user;
  viewer.now = now;
  return viewer;
}

}  // namespace slipway::server::http
