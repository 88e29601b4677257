// The one place that says who may do what. The route table names credential, role and scope of each
// route; decide() compares them with the principal. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/auth/principal.h"
#include "server/store/member_store.h"

namespace slipway::server::auth {

// Where a route looks for the credential.
enum class Credential : std::uint8_t {
  None,           // asks nobody
  User,           // personal or project token, or session; without any the request is anonymous
  UserOrJob,      // or the token of a job, in JOB-TOKEN
  RunnerToken,    // RUNNER-TOKEN, or `token` in the body
  JobToken,       // JOB-TOKEN, `token` in the body or `job_token` in the query
  JobTokenBasic,  // Basic, user gitlab-ci-token; or a user as above
};

// What the principal must be. From Guest on it is the level in the project, group or runner that
// the path names; administrators are owners everywhere.
enum class Role : std::uint8_t {
  Anybody,
  SignedIn,
  Reader,     // sees what the path names: a member, or by its visibility
  LogReader,  // reads logs and artifacts: a reporter, and every reader where jobs are public
  Guest,
  Reporter,
  Developer,   // runs, retries and cancels
  Maintainer,  // changes settings
  Owner,       // says who the members are, deletes
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

enum class Visibility : std::uint8_t { Private, Internal, Public };
// An unknown word is private.
Visibility parse_visibility(std::string_view word);

// What the path names, a project, a group or a runner, as far as deciding needs it; null when the
// path names none.
struct Place {
  ProjectId project;  // 0 for the others
  Visibility visibility = Visibility::Private;
  bool public_jobs = true;
  Level level = Level::None;  // of the principal, there
  bool lets_job_in = false;   // that the principal is, of another project
};

Decision decide(const Principal& principal, Role role, Scope scope, const Place* place);
// The part of it that says whether somebody learns that the place is there.
bool may_see(const Principal& principal, const Place& place);

std::string_view to_string(Scope scope);

}  // namespace slipway::server::auth
