// Which other projects' jobs reach a project with their job tokens.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

class JobTokenStore {
 public:
  explicit JobTokenStore(Session& session) : session_(session) {}

  // Whether jobs of `source` are let into `target` by name; its own jobs are not asked for here.
  [[nodiscard]] bool is_allowed(ProjectId target, ProjectId source) const;
  // By number.
  [[nodiscard]] Page<ProjectId> allowed(ProjectId target, PageRequest page) const;

  // One that is allowed already stays so.
  void allow(ProjectId target, ProjectId source, UnixMillis now);
  // Whether it was allowed.
  bool forbid(ProjectId target, ProjectId source);

 private:
  Session& session_;
};

}  // namespace slipway::server
