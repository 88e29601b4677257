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
  const bool is_reading = needed == Scope::ReadUser || needed == Scope::ReadRepository;
  return has(Scope::Api) || has(needed) || (is_reading && has(Scope::ReadApi));
}

bool is_person(const Principal& principal) {
  return principal.kind == PrincipalKind::User && !principal.is_bot;
}

bool is_admin(const Principal& principal) {
  return principal.kind == PrincipalKind::User && principal.is_admin;
}

bool has_level(const Principal& principal, const Place* place, Level least) {
  if (is_admin(principal)) return true;
  return principal.kind == PrincipalKind::User && place != nullptr && place->level >= least;
}

// A job in its own project, or where it is let in.
bool is_let_in(const Principal& principal, const Place& place) {
  return principal.kind == PrincipalKind::Job &&
         ((place.project && principal.job_project == place.project) || place.lets_job_in);
}

bool reads_logs(const Principal& principal, const Place* place) {
  if (place == nullptr || place->public_jobs) return true;
  return is_let_in(principal, *place) || has_level(principal, place, Level::Reporter);
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
    case Scope::ReadUser: return "read_user";
    case Scope::ReadRepository: return "read_repository";
    case Scope::Api: return "api";
    case Scope::CreateRunner: return "create_runner";
  }
  return "";
}

Visibility parse_visibility(std::string_view word) {
  if (word == "public") return Visibility::Public;
  return word == "internal" ? Visibility::Internal : Visibility::Private;
}

bool may_see(const Principal& principal, const Place& place) {
  if (place.visibility == Visibility::Public || has_level(principal, &place, Level::Guest))
    return true;
  if (principal.kind == PrincipalKind::Job) return is_let_in(principal, place);
  return place.visibility == Visibility::Internal && is_person(principal);
}

Decision decide(const Principal& principal, Role role, Scope scope, const Place* place) {
  if (role == Role::Anybody) return Decision::Allowed;
  if (place != nullptr && !may_see(principal, *place)) return Decision::Hidden;
  if (!scope_allows(principal, scope)) return Decision::Denied;
  const auto needs = [&](Level least) {
    return allowed_if(has_level(principal, place, least), principal);
  };
  switch (role) {
    case Role::Anybody:
    case Role::Reader: return Decision::Allowed;
    case Role::LogReader: return allowed_if(reads_logs(principal, place), principal);
    case Role::SignedIn: return allowed_if(principal.kind == PrincipalKind::User, principal);
    case Role::Guest: return needs(Level::Guest);
    case Role::Reporter: return needs(Level::Reporter);
    case Role::Developer: return needs(Level::Developer);
    case Role::Maintainer: return needs(Level::Maintainer);
    case Role::Owner: return needs(Level::Owner);
    case Role::Admin: return allowed_if(is_admin(principal), principal);
    case Role::Runner: return allowed_if(principal.kind == PrincipalKind::Runner, principal);
    case Role::Job: return allowed_if(principal.kind == PrincipalKind::Job, principal);
  }
  return Decision::Denied;
}

}  // namespace slipway::server::auth
