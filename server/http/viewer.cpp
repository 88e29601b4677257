#include "server/http/viewer.h"

#include "server/http/places.h"

namespace slipway::server::http {

bool Viewer::refresh() {
  std::optional<auth::Principal> now;
  if (!principal_.session.empty())
    now = parts_.sessions.peek(principal_.session);
  else if (principal_.token)
    now = parts_.tokens.find_again(*principal_.token);
  else
    return true;  // nobody in particular
  if (!now) return false;
  principal_ = std::move(*now);
  return true;
}

bool Viewer::sees(ProjectId project) const {
  auto read = parts_.database.read();
  const auto row = read->projects.find(project);
  return row && may_see(principal_, project_place(*read, parts_.clock.now(), principal_, *row));
}

bool Viewer::sees(RunnerId runner) const {
  auto read = parts_.database.read();
  const auto row = read->runners.find(runner);
  return row && may_see(principal_, runner_place(*read, parts_.clock.now(), principal_, *row));
}

bool Viewer::reads_logs(ProjectId project) const {
  auto read = parts_.database.read();
  const auto row = read->projects.find(project);
  if (!row) return false;
  const auto place = project_place(*read, parts_.clock.now(), principal_, *row);
  return decide(principal_, auth::Role::LogReader, auth::Scope::ReadApi, &place) ==
         auth::Decision::Allowed;
}

}  // namespace slipway::server::http
