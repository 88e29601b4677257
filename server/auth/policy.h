// The one place that says who may do what. The route table names credential, role and scope of each
// route; decide() compares them with the principal. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/auth/principal.h"

namespace slipway::server::auth {

// Where a route looks for the credential.
enum class Credential : std::uint8_t {
  None,           // asks nobody
  User,           // personal token or session; without either the request is anonymous
  RunnerToken,    // RUNNER-TOKEN, or `token` in the body
  JobToken,       // JOB-TOKEN, `token` in the body or `job_token` in the query
  JobTokenBasic,  // Basic, user gitlab-ci-token; or a user as above
};

// What the principal must be. Roles in a project are today held by administrators only; a public
// project counts everybody as its reader.
enum class Role : std::uint8_t {
  Anybody,
  SignedIn,
  Reader,      // sees the project
  Developer,   // runs, retries and cancels in it
  Maintainer,  // changes its settings
  Admin,
  Runner,  // the runner whose token it is
  Job,     // the job whose token it is
};

enum class Decision : std::uint8_t {
  Allowed,
  Unauthenticated,  // 401: signing in may help
  Denied,           // 403
  Hidden,           // 404, the same as for something that is not there
};

// The project of a path, as far as deciding needs it; null when the path names none.
struct ProjectAccess {
  ProjectId id;
  bool is_public = false;
};

Decision decide(const Principal& principal, Role role, Scope scope, const ProjectAccess* project);

std::string_view to_string(Scope scope);

}  // namespace slipway::server::auth
