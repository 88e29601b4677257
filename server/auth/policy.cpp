#include "server/auth/policy.h"

#include <algorithm>

namespace slipway::server::auth {

namespace {

bool scope_allows(const Principal& principal, Scope needed) {
  if (!principal.token) return true;
  const auto has = [&](Scope scope) {
    return std::find(principal.scopes.begin(), principal.scopes.end(), to_string(scope)) !=
           principal.scopes.end();
  };
  return has(Scope::Api) || has(needed);
}

bool is_reader(const Principal& principal, const ProjectAccess* project) {
  if (principal.kind == PrincipalKind::User && principal.is_admin) return true;
  if (project == nullptr) return true;
  if (principal.kind == PrincipalKind::Job && principal.job_project == project->id) return true;
  return project->is_public;
}

// What is refused to somebody who sees the thing anyway.
Decision refusal(const Principal& principal) {
  return principal.kind == PrincipalKind::Anonymous ? Decision::Unauthenticated : Decision::Denied;
}

Decision allowed_if(bool allowed, const Principal& principal) {
  return allowed ? Decision::Allowed : refusal(principal);
}

}  // namespace

std::string Principal::name() const {
  switch (kind) {
    case PrincipalKind::Anonymous: return "anonymous";
    case PrincipalKind::User: return "user/" + std::to_string(user.value);
    case PrincipalKind::Runner: return "runner/" + std::to_string(runner.value);
    case PrincipalKind::Job: return "job/" + std::to_string(job.value);
  }
  return "anonymous";
}

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::ReadApi: return "read_api";
    case Scope::Api: return "api";
    case Scope::CreateRunner: return "create_runner";
  }
  return "";
}

Decision decide(const Principal& principal, Role role, Scope scope, const ProjectAccess* project) {
  if (role == Role::Anybody) return Decision::Allowed;
  if (project != nullptr && !is_reader(principal, project)) return Decision::Hidden;
  if (!scope_allows(principal, scope)) return Decision::Denied;
  const bool admin = principal.kind == PrincipalKind::User && principal.is_admin;
  switch (role) {
    case Role::Anybody:
    case Role::Reader: return Decision::Allowed;
    case Role::SignedIn: return allowed_if(principal.kind == PrincipalKind::User, principal);
    case Role::Developer:
    case Role::Maintainer:
    case Role::Admin: return allowed_if(admin, principal);
    case Role::Runner: return allowed_if(principal.kind == PrincipalKind::Runner, principal);
    case Role::Job: return allowed_if(principal.kind == PrincipalKind::Job, principal);
  }
  return Decision::Denied;
}

}  // namespace slipway::server::auth
