#include "server/http/route_table.h"

namespace slipway::server::http {

namespace {

using auth::Credential;
using auth::Role;
using auth::Scope;

// One kind of handler each, from a member function.
template <typename Group>
PlainHandler plain(Group& group, Result<Response> (Group::*act)(const Call&)) {
  return [&group, act](const Call& call) { return (group.*act)(call); };
}

template <typename Group>
HeldHandler held(Group& group,
                 void (Group::*act)(const SharedCall&, const std::shared_ptr<Exchange>&)) {
  return [&group, act](const SharedCall& call, const std::shared_ptr<Exchange>& exchange) {
    (group.*act)(call, exchange);
  };
}

template <typename Group>
UploadHandler upload(Group& group, Reception (Group::*act)(const SharedCall&)) {
  return [&group, act](const SharedCall& call) { return (group.*act)(call); };
}

constexpr long long kNoBody = 0;
constexpr long long kSmall = 64LL << 10;     // an object of a form, a runner's poll
constexpr long long kFile = 1LL << 20;       // a pipeline file with its quotes escaped
constexpr long long kTrace = 4LL << 20;      // runners send at most 1 MiB of log at once
constexpr long long kCacheList = 8LL << 20;  // 65,536 pieces at most
constexpr long long kCachePiece = kLargestCachePiece + (64LL << 10);
constexpr long long kGit = 8LL << 20;  // what a clone wants and has
// Room for the multipart head and tail around an artifact.
constexpr long long kMultipart = 64LL << 10;

constexpr auto kNone = Credential::None;
constexpr auto kUser = Credential::User;
constexpr auto kUserOrJob = Credential::UserOrJob;
constexpr auto kRunner = Credential::RunnerToken;
constexpr auto kJob = Credential::JobToken;
constexpr auto kBasic = Credential::JobTokenBasic;
constexpr auto kRead = Scope::ReadApi;
constexpr auto kApi = Scope::Api;

#define SLIPWAY_PROJECT "/api/v4/projects/{id}"
#define SLIPWAY_GROUP "/api/v4/groups/{group}"
#define SLIPWAY_PIPELINE SLIPWAY_PROJECT "/pipelines/{pipeline_id}"
#define SLIPWAY_JOB SLIPWAY_PROJECT "/jobs/{job_id}"
#define SLIPWAY_SCHEDULES SLIPWAY_PROJECT "/pipeline_schedules"
#define SLIPWAY_SCHEDULE SLIPWAY_SCHEDULES "/{schedule_id}"
#define SLIPWAY_ENVIRONMENT SLIPWAY_PROJECT "/environments/{environment_id}"
#define SLIPWAY_DEPLOYMENT SLIPWAY_PROJECT "/deployments/{deployment_id}"
#define SLIPWAY_FREEZE SLIPWAY_PROJECT "/freeze_periods/{freeze_period_id}"
#define SLIPWAY_CACHE "/api/v4/jobs/{job_id}/cache"
#define SLIPWAY_GROUPS SLIPWAY_PROJECT "/resource_groups"
#define SLIPWAY_SCOPE SLIPWAY_PROJECT "/job_token_scope"

}  // namespace

std::vector<Route> route_table(Handlers& h, const BodyLimits& limits) {
  using A = AccountRoutes;
  using C = CacheRoutes;
  using Z = CoverageRoutes;
  using D = DeliveryRoutes;
  using E = PeopleRoutes;
  using F = ForkRoutes;
  using B = JobTokenRoutes;
  using N = DeploymentRuleRoutes;
  using G = ResourceGroupRoutes;
  using J = ProjectRoutes;
  using K = ProjectTokenRoutes;
  using L = LoginRoutes;
  using M = MemberRoutes;
  using O = ProtectionRoutes;
  using P = PipelineRoutes;
  using R = RunnerRoutes;
  using S = ScheduleRoutes;
  using Q = TestReportRoutes;
  using X = DeploymentRoutes;
  using T = TriggerRoutes;
  using U = AuditRoutes;
  using V = VariableRoutes;
  using W = RunnerProtocolRoutes;
  // clang-format off
  return {
    // method, pattern, credential, role, scope, csrf, body limit, handler
    {"GET", "/healthz", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.health, &HealthRoutes::healthz)},
    {"GET", "/readyz", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.health, &HealthRoutes::readyz)},
    {"GET", "/metrics", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.health, &HealthRoutes::metrics)},
    {"GET", "/.well-known/openid-configuration", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.identity, &IdentityRoutes::discovery)},
    {"GET", "/oauth/discovery/keys", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.identity, &IdentityRoutes::key_set)},
    {"GET", "/api/v4/version", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.health, &HealthRoutes::version)},

    {"GET", "/api/v4/setup", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.accounts, &A::setup_state)},
    {"POST", "/api/v4/setup", kNone, Role::Anybody, kApi, Csrf::Origin, kSmall, held(h.accounts, &A::setup)},
    {"POST", "/api/v4/session", kNone, Role::Anybody, kApi, Csrf::Origin, kSmall, held(h.accounts, &A::login)},
    {"POST", "/api/v4/invitation", kNone, Role::Anybody, kApi, Csrf::Origin, kSmall, held(h.accounts, &A::accept_invitation)},
    {"PUT", "/api/v4/user/password", kUser, Role::SignedIn, kApi, Csrf::Session, kSmall, held(h.accounts, &A::change_password)},
    {"GET", "/api/v4/login", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.logins, &L::list)},
    {"POST", "/api/v4/login/{provider}", kUser, Role::Anybody, kApi, Csrf::Session, kSmall, held(h.logins, &L::begin)},
    {"GET", "/api/v4/login/{provider}/callback", kUser, Role::Anybody, kRead, Csrf::Safe, kNoBody, held(h.logins, &L::finish)},
    {"DELETE", "/api/v4/session", kUser, Role::SignedIn, kApi, Csrf::Session, kSmall, plain(h.accounts, &A::logout)},
    {"GET", "/api/v4/user/sessions", kUser, Role::SignedIn, kRead, Csrf::Safe, kNoBody, plain(h.accounts, &A::list_sessions)},
    {"DELETE", "/api/v4/user/sessions/{session_id}", kUser, Role::SignedIn, kApi, Csrf::Session, kSmall, plain(h.accounts, &A::end_session)},
    {"GET", "/api/v4/user", kUser, Role::SignedIn, Scope::ReadUser, Csrf::Safe, kNoBody, plain(h.accounts, &A::current_user)},
    {"GET", "/api/v4/personal_access_tokens", kUser, Role::SignedIn, kRead, Csrf::Safe, kNoBody, plain(h.accounts, &A::list_tokens)},
    {"POST", "/api/v4/personal_access_tokens", kUser, Role::SignedIn, kApi, Csrf::Session, kSmall, plain(h.accounts, &A::create_token)},
    {"DELETE", "/api/v4/personal_access_tokens/self", kUser, Role::SignedIn, kApi, Csrf::Session, kSmall, plain(h.accounts, &A::revoke_own_token)},
    {"DELETE", "/api/v4/personal_access_tokens/{token_id}", kUser, Role::SignedIn, kApi, Csrf::Session, kSmall, plain(h.accounts, &A::revoke_token)},
    {"GET", "/api/v4/personal_access_tokens/self", kUser, Role::SignedIn, Scope::ReadUser, Csrf::Safe, kNoBody, plain(h.accounts, &A::show_own_token)},
    {"POST", "/api/v4/personal_access_tokens/{token_id}/rotate", kUser, Role::SignedIn, kApi, Csrf::Session, kSmall, plain(h.accounts, &A::rotate_token)},
    {"GET", "/api/v4/audit_events", kUser, Role::Admin, kRead, Csrf::Safe, kNoBody, plain(h.audit, &U::list)},
    {"GET", "/api/v4/audit_events/verification", kUser, Role::Admin, kRead, Csrf::Safe, kNoBody, plain(h.audit, &U::verify)},
    {"GET", "/api/v4/audit_events/{event_id}", kUser, Role::Admin, kRead, Csrf::Safe, kNoBody, plain(h.audit, &U::show)},
    {"GET", "/api/v4/users", kUser, Role::SignedIn, kRead, Csrf::Safe, kNoBody, plain(h.people, &E::list)},
    {"POST", "/api/v4/users", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.people, &E::create)},
    {"GET", "/api/v4/users/{user_id}", kUser, Role::SignedIn, kRead, Csrf::Safe, kNoBody, plain(h.people, &E::show)},
    {"PUT", "/api/v4/users/{user_id}", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.people, &E::update)},
    {"DELETE", "/api/v4/users/{user_id}", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.people, &E::remove)},
    {"POST", "/api/v4/users/{user_id}/block", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.people, &E::block)},
    {"POST", "/api/v4/users/{user_id}/unblock", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.people, &E::unblock)},
    {"POST", "/api/v4/users/{user_id}/invitation", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.people, &E::invite)},

    {"GET", "/api/v4/projects", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.projects, &J::list)},
    {"POST", "/api/v4/projects", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.projects, &J::create)},
    {"POST", "/api/v4/forge_repositories", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.projects, &J::forge_repositories)},
    {"GET", SLIPWAY_PROJECT, kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.projects, &J::show)},
    {"PUT", SLIPWAY_PROJECT, kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.projects, &J::update)},
    {"DELETE", SLIPWAY_PROJECT, kUser, Role::Owner, kApi, Csrf::Session, kSmall, plain(h.projects, &J::remove)},
    {"GET", SLIPWAY_PROJECT "/coverage", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.projects, &J::coverage)},
    {"GET", SLIPWAY_PROJECT "/deliveries", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.deliveries, &D::list)},
    {"GET", SLIPWAY_PROJECT "/deliveries/{delivery_id}", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.deliveries, &D::show)},
    {"POST", SLIPWAY_PROJECT "/deliveries/{delivery_id}/replay", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deliveries, &D::replay)},
    {"GET", SLIPWAY_PROJECT "/ref_watch", kUser, Role::Reporter, kRead, Csrf::Safe, kNoBody, plain(h.deliveries, &D::watch)},
    {"GET", SLIPWAY_PROJECT "/fork_requests", kUser, Role::Reporter, kRead, Csrf::Safe, kNoBody, plain(h.forks, &F::list)},
    {"GET", SLIPWAY_PROJECT "/fork_requests/{request_id}", kUser, Role::Reporter, kRead, Csrf::Safe, kNoBody, plain(h.forks, &F::show)},
    {"POST", SLIPWAY_PROJECT "/fork_requests/{request_id}/approve", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.forks, &F::approve)},
    {"POST", SLIPWAY_PROJECT "/fork_requests/{request_id}/reject", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.forks, &F::reject)},
    {"GET", SLIPWAY_SCOPE, kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.job_tokens, &B::show)},
    {"PATCH", SLIPWAY_SCOPE, kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.job_tokens, &B::change)},
    {"GET", SLIPWAY_SCOPE "/allowlist", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.job_tokens, &B::list)},
    {"POST", SLIPWAY_SCOPE "/allowlist", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.job_tokens, &B::allow)},
    {"DELETE", SLIPWAY_SCOPE "/allowlist/{target_project_id}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.job_tokens, &B::forbid)},
    {"GET", SLIPWAY_PROJECT "/protected_branches", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.protections, &O::list_branches)},
    {"POST", SLIPWAY_PROJECT "/protected_branches", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.protections, &O::protect_branch)},
    {"GET", SLIPWAY_PROJECT "/protected_branches/{ref_name}", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.protections, &O::show_branch)},
    {"DELETE", SLIPWAY_PROJECT "/protected_branches/{ref_name}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.protections, &O::unprotect_branch)},
    {"GET", SLIPWAY_PROJECT "/protected_tags", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.protections, &O::list_tags)},
    {"POST", SLIPWAY_PROJECT "/protected_tags", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.protections, &O::protect_tag)},
    {"GET", SLIPWAY_PROJECT "/protected_tags/{ref_name}", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.protections, &O::show_tag)},
    {"DELETE", SLIPWAY_PROJECT "/protected_tags/{ref_name}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.protections, &O::unprotect_tag)},

    {"GET", SLIPWAY_PROJECT "/members", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::list)},
    {"POST", SLIPWAY_PROJECT "/members", kUser, Role::Owner, kApi, Csrf::Session, kSmall, plain(h.members, &M::add)},
    {"GET", SLIPWAY_PROJECT "/members/all", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::list_all)},
    {"GET", SLIPWAY_PROJECT "/members/all/{user_id}", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::show_any)},
    {"GET", SLIPWAY_PROJECT "/members/{user_id}", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::show)},
    {"PUT", SLIPWAY_PROJECT "/members/{user_id}", kUser, Role::Owner, kApi, Csrf::Session, kSmall, plain(h.members, &M::update)},
    {"DELETE", SLIPWAY_PROJECT "/members/{user_id}", kUser, Role::Owner, kApi, Csrf::Session, kSmall, plain(h.members, &M::remove)},
    {"GET", SLIPWAY_GROUP "/members", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::list)},
    {"POST", SLIPWAY_GROUP "/members", kUser, Role::Owner, kApi, Csrf::Session, kSmall, plain(h.members, &M::add)},
    {"GET", SLIPWAY_GROUP "/members/all", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::list_all)},
    {"GET", SLIPWAY_GROUP "/members/all/{user_id}", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::show_any)},
    {"GET", SLIPWAY_GROUP "/members/{user_id}", kUser, Role::Guest, kRead, Csrf::Safe, kNoBody, plain(h.members, &M::show)},
    {"PUT", SLIPWAY_GROUP "/members/{user_id}", kUser, Role::Owner, kApi, Csrf::Session, kSmall, plain(h.members, &M::update)},
    {"DELETE", SLIPWAY_GROUP "/members/{user_id}", kUser, Role::Owner, kApi, Csrf::Session, kSmall, plain(h.members, &M::remove)},
    {"GET", SLIPWAY_PROJECT "/access_tokens", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.project_tokens, &K::list)},
    {"POST", SLIPWAY_PROJECT "/access_tokens", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.project_tokens, &K::create)},
    {"GET", SLIPWAY_PROJECT "/access_tokens/{token_id}", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.project_tokens, &K::show)},
    {"DELETE", SLIPWAY_PROJECT "/access_tokens/{token_id}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.project_tokens, &K::revoke)},

    // Values of variables are shown only to a token that may do everything: read_api is not enough.
    {"GET", SLIPWAY_PROJECT "/variables", kUser, Role::Maintainer, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::list)},
    {"POST", SLIPWAY_PROJECT "/variables", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.variables, &V::create)},
    {"GET", SLIPWAY_PROJECT "/variables/{key}", kUser, Role::Maintainer, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::show)},
    {"PUT", SLIPWAY_PROJECT "/variables/{key}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.variables, &V::update)},
    {"DELETE", SLIPWAY_PROJECT "/variables/{key}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.variables, &V::remove)},
    {"GET", SLIPWAY_PROJECT "/variables/{key}/uses", kUser, Role::Maintainer, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::uses)},
    {"GET", SLIPWAY_GROUP "/variables", kUser, Role::Maintainer, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::list)},
    {"POST", SLIPWAY_GROUP "/variables", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.variables, &V::create)},
    {"GET", SLIPWAY_GROUP "/variables/{key}", kUser, Role::Maintainer, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::show)},
    {"PUT", SLIPWAY_GROUP "/variables/{key}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.variables, &V::update)},
    {"DELETE", SLIPWAY_GROUP "/variables/{key}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.variables, &V::remove)},
    {"GET", SLIPWAY_GROUP "/variables/{key}/uses", kUser, Role::Maintainer, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::uses)},
    {"GET", "/api/v4/admin/ci/variables", kUser, Role::Admin, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::list)},
    {"POST", "/api/v4/admin/ci/variables", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.variables, &V::create)},
    {"GET", "/api/v4/admin/ci/variables/{key}", kUser, Role::Admin, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::show)},
    {"PUT", "/api/v4/admin/ci/variables/{key}", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.variables, &V::update)},
    {"DELETE", "/api/v4/admin/ci/variables/{key}", kUser, Role::Admin, kApi, Csrf::Session, kSmall, plain(h.variables, &V::remove)},
    {"GET", "/api/v4/admin/ci/variables/{key}/uses", kUser, Role::Admin, kApi, Csrf::Safe, kNoBody, plain(h.variables, &V::uses)},

    {"GET", SLIPWAY_PROJECT "/ci/lint", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.projects, &J::lint_of_project)},
    {"GET", SLIPWAY_PROJECT "/ci/file", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.projects, &J::pipeline_file)},
    {"POST", SLIPWAY_PROJECT "/ci/lint", kUser, Role::Developer, kApi, Csrf::Session, kFile, plain(h.projects, &J::lint)},

    {"GET", SLIPWAY_PROJECT "/pipelines", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.pipelines, &P::list)},
    {"POST", SLIPWAY_PROJECT "/pipeline", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.pipelines, &P::create)},
    {"GET", SLIPWAY_PIPELINE, kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.pipelines, &P::show)},
    {"GET", SLIPWAY_PIPELINE "/jobs", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.pipelines, &P::jobs)},
    {"GET", SLIPWAY_PIPELINE "/bridges", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.pipelines, &P::bridges)},
    {"POST", SLIPWAY_PIPELINE "/cancel", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.pipelines, &P::cancel)},
    {"POST", SLIPWAY_PIPELINE "/retry", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.pipelines, &P::retry)},
    {"GET", SLIPWAY_PIPELINE "/test_report", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.test_reports, &Q::report)},
    {"GET", SLIPWAY_PIPELINE "/test_report_summary", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.test_reports, &Q::summary)},
    {"GET", SLIPWAY_PIPELINE "/tests", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.test_reports, &Q::tests)},
    {"GET", SLIPWAY_PIPELINE "/tests/comparison", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.test_reports, &Q::comparison)},
    {"GET", SLIPWAY_PIPELINE "/coverage_files", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.coverage, &Z::files)},
    {"GET", SLIPWAY_PIPELINE "/coverage_files/summary", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.coverage, &Z::summary)},
    {"GET", SLIPWAY_PIPELINE "/coverage_files/lines", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.coverage, &Z::lines)},
    {"GET", SLIPWAY_PIPELINE "/findings", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.findings, &FindingsRoutes::list)},
    {"GET", SLIPWAY_PIPELINE "/findings/summary", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.findings, &FindingsRoutes::summary)},
    {"GET", SLIPWAY_PROJECT "/tests/history", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.test_reports, &Q::history)},
    {"GET", SLIPWAY_PROJECT "/tests/flaky", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.test_reports, &Q::flaky)},
    {"GET", SLIPWAY_PROJECT "/jobs", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.pipelines, &P::list_jobs)},
    {"GET", SLIPWAY_JOB, kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.pipelines, &P::show_job)},
    {"POST", SLIPWAY_JOB "/cancel", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.pipelines, &P::cancel_job)},
    {"POST", SLIPWAY_JOB "/retry", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.pipelines, &P::retry_job)},
    {"POST", SLIPWAY_JOB "/play", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.pipelines, &P::play_job)},

    {"POST", SLIPWAY_PROJECT "/runs/known", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.runs, &RunRoutes::known)},
    {"POST", SLIPWAY_PROJECT "/runs/objects", kUser, Role::Developer, kApi, Csrf::Session, limits.run, upload(h.runs, &RunRoutes::upload)},
    {"POST", SLIPWAY_PROJECT "/runs", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.runs, &RunRoutes::create)},

    {"GET", SLIPWAY_SCHEDULES, kUser, Role::Developer, kRead, Csrf::Safe, kNoBody, plain(h.schedules, &S::list)},
    {"POST", SLIPWAY_SCHEDULES, kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::create)},
    {"GET", SLIPWAY_SCHEDULE, kUser, Role::Developer, kRead, Csrf::Safe, kNoBody, plain(h.schedules, &S::show)},
    {"PUT", SLIPWAY_SCHEDULE, kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::update)},
    {"DELETE", SLIPWAY_SCHEDULE, kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::remove)},
    {"POST", SLIPWAY_SCHEDULE "/play", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::play)},
    {"POST", SLIPWAY_SCHEDULE "/take_ownership", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::take_ownership)},
    {"GET", SLIPWAY_SCHEDULE "/runs", kUser, Role::Developer, kRead, Csrf::Safe, kNoBody, plain(h.schedules, &S::runs)},
    {"POST", SLIPWAY_SCHEDULE "/variables", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::add_variable)},
    {"PUT", SLIPWAY_SCHEDULE "/variables/{key}", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::change_variable)},
    {"DELETE", SLIPWAY_SCHEDULE "/variables/{key}", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.schedules, &S::remove_variable)},
    {"GET", SLIPWAY_PROJECT "/triggers", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.triggers, &T::list)},
    {"POST", SLIPWAY_PROJECT "/triggers", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.triggers, &T::create)},
    {"GET", SLIPWAY_PROJECT "/triggers/{trigger_id}", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.triggers, &T::show)},
    {"PUT", SLIPWAY_PROJECT "/triggers/{trigger_id}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.triggers, &T::update)},
    {"DELETE", SLIPWAY_PROJECT "/triggers/{trigger_id}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.triggers, &T::remove)},
    {"POST", SLIPWAY_PROJECT "/trigger/pipeline", kNone, Role::Anybody, kApi, Csrf::Token, kSmall, plain(h.triggers, &T::start_pipeline)},
    {"GET", SLIPWAY_GROUPS, kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.resource_groups, &G::list)},
    {"GET", SLIPWAY_GROUPS "/{key}", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.resource_groups, &G::show)},
    {"PUT", SLIPWAY_GROUPS "/{key}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.resource_groups, &G::update)},

    {"GET", SLIPWAY_PROJECT "/environments", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.deployments, &X::list_environments)},
    {"GET", SLIPWAY_ENVIRONMENT, kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.deployments, &X::show_environment)},
    {"PUT", SLIPWAY_ENVIRONMENT, kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deployments, &X::update_environment)},
    {"DELETE", SLIPWAY_ENVIRONMENT, kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deployments, &X::remove_environment)},
    {"POST", SLIPWAY_ENVIRONMENT "/stop", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.deployments, &X::stop)},
    {"POST", SLIPWAY_ENVIRONMENT "/rollback", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.deployments, &X::roll_back)},
    {"GET", SLIPWAY_PROJECT "/deployments", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.deployments, &X::list)},
    {"GET", SLIPWAY_DEPLOYMENT, kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.deployments, &X::show)},
    {"POST", SLIPWAY_DEPLOYMENT "/approval", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.deployments, &X::approve)},
    {"GET", SLIPWAY_PROJECT "/protected_environments", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.deployment_rules, &N::list_protected)},
    {"POST", SLIPWAY_PROJECT "/protected_environments", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deployment_rules, &N::protect)},
    {"GET", SLIPWAY_PROJECT "/protected_environments/{name}", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.deployment_rules, &N::show_protected)},
    {"DELETE", SLIPWAY_PROJECT "/protected_environments/{name}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deployment_rules, &N::unprotect)},
    {"GET", SLIPWAY_PROJECT "/freeze_periods", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.deployment_rules, &N::list_freezes)},
    {"POST", SLIPWAY_PROJECT "/freeze_periods", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deployment_rules, &N::create_freeze)},
    {"GET", SLIPWAY_FREEZE, kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.deployment_rules, &N::show_freeze)},
    {"PUT", SLIPWAY_FREEZE, kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deployment_rules, &N::update_freeze)},
    {"DELETE", SLIPWAY_FREEZE, kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.deployment_rules, &N::remove_freeze)},

    {"GET", SLIPWAY_JOB "/trace", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.traces, &TraceRoutes::raw)},
    {"GET", SLIPWAY_JOB "/trace/events", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.traces, &TraceRoutes::events)},
    {"GET", SLIPWAY_JOB "/trace/search", kUser, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.traces, &TraceRoutes::search)},
    {"GET", SLIPWAY_JOB "/artifacts", kUserOrJob, Role::LogReader, kRead, Csrf::Safe, kNoBody, plain(h.artifacts, &ArtifactRoutes::download)},
    {"DELETE", SLIPWAY_JOB "/artifacts", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.artifacts, &ArtifactRoutes::remove)},
    {"POST", SLIPWAY_JOB "/artifacts/keep", kUser, Role::Developer, kApi, Csrf::Session, kSmall, plain(h.artifacts, &ArtifactRoutes::keep)},
    {"DELETE", SLIPWAY_PROJECT "/artifacts", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.artifacts, &ArtifactRoutes::remove_of_project)},
    {"DELETE", SLIPWAY_PROJECT "/caches", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.caches, &C::clear)},
    {"GET", "/api/v4/events", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.pages, &PageRoutes::events)},

    {"POST", "/api/v4/runners/verify", kRunner, Role::Runner, kApi, Csrf::Token, kSmall, plain(h.protocol, &W::verify)},
    {"DELETE", "/api/v4/runners/managers", kRunner, Role::Runner, kApi, Csrf::Token, kSmall, plain(h.protocol, &W::unregister_manager)},
    {"DELETE", "/api/v4/runners", kRunner, Role::Runner, kApi, Csrf::Token, kSmall, plain(h.runners, &R::remove_itself)},
    {"POST", "/api/v4/runners/reset_authentication_token", kRunner, Role::Runner, kApi, Csrf::Token, kSmall, plain(h.runners, &R::reset_own_token)},
    {"POST", "/api/v4/jobs/request", kRunner, Role::Runner, kApi, Csrf::Token, kSmall, held(h.protocol, &W::request_job)},
    {"GET", "/api/v4/job", kJob, Role::Job, kRead, Csrf::Safe, kNoBody, plain(h.pipelines, &P::show_own_job)},
    {"PUT", "/api/v4/jobs/{job_id}", kJob, Role::Job, kApi, Csrf::Token, kSmall, held(h.protocol, &W::update_job)},
    {"PATCH", "/api/v4/jobs/{job_id}/trace", kJob, Role::Job, kApi, Csrf::Token, kTrace, upload(h.traces, &TraceRoutes::append)},
    {"POST", "/api/v4/jobs/{job_id}/artifacts", kJob, Role::Job, kApi, Csrf::Token, limits.artifact + kMultipart, upload(h.artifacts, &ArtifactRoutes::upload)},
    {"GET", "/api/v4/jobs/{job_id}/artifacts", kJob, Role::Job, kRead, Csrf::Safe, kNoBody, plain(h.artifacts, &ArtifactRoutes::download_dependency)},

    {"GET", SLIPWAY_CACHE, kJob, Role::Job, kRead, Csrf::Safe, kNoBody, plain(h.caches, &C::show)},
    {"PUT", SLIPWAY_CACHE, kJob, Role::Job, kApi, Csrf::Token, kCacheList, plain(h.caches, &C::store)},
    {"POST", SLIPWAY_CACHE "/missing", kJob, Role::Job, kRead, Csrf::Token, kCacheList, plain(h.caches, &C::missing)},
    {"GET", SLIPWAY_CACHE "/pieces/{piece}", kJob, Role::Job, kRead, Csrf::Safe, kNoBody, plain(h.caches, &C::download_piece)},
    {"PUT", SLIPWAY_CACHE "/pieces/{piece}", kJob, Role::Job, kApi, Csrf::Token, kCachePiece, plain(h.caches, &C::upload_piece)},

    {"GET", "/api/v4/runners", kUser, Role::SignedIn, kRead, Csrf::Safe, kNoBody, plain(h.runners, &R::list)},
    {"GET", "/api/v4/runners/all", kUser, Role::Admin, kRead, Csrf::Safe, kNoBody, plain(h.runners, &R::list)},
    {"POST", "/api/v4/runners", kNone, Role::Anybody, kApi, Csrf::Token, kSmall, plain(h.runners, &R::register_legacy)},
    {"GET", "/api/v4/runners/{runner_id}", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.runners, &R::show)},
    {"GET", "/api/v4/runners/{runner_id}/managers", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.runners, &R::managers)},
    {"GET", "/api/v4/runners/{runner_id}/jobs", kUser, Role::Maintainer, kRead, Csrf::Safe, kNoBody, plain(h.runners, &R::jobs)},
    {"PUT", "/api/v4/runners/{runner_id}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.runners, &R::update)},
    {"DELETE", "/api/v4/runners/{runner_id}", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.runners, &R::remove)},
    {"POST", "/api/v4/runners/{runner_id}/reset_authentication_token", kUser, Role::Maintainer, kApi, Csrf::Session, kSmall, plain(h.runners, &R::reset_token)},
    {"POST", "/api/v4/user/runners", kUser, Role::SignedIn, Scope::CreateRunner, Csrf::Session, kSmall, plain(h.runners, &R::create)},

    {"POST", "/hooks/{project_path}", kNone, Role::Anybody, kApi, Csrf::Token, limits.webhook, plain(h.deliveries, &D::receive)},
    {"GET", "/{project_path}.git/info/refs", kBasic, Role::Reader, Scope::ReadRepository, Csrf::Safe, kNoBody, plain(h.git, &GitRoutes::info_refs)},
    {"POST", "/{project_path}.git/git-upload-pack", kBasic, Role::Reader, Scope::ReadRepository, Csrf::Token, kGit, plain(h.git, &GitRoutes::upload_pack)},
    {"GET", "/{project_path}/badges/{ref}/pipeline.svg", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.badges, &BadgeRoutes::pipeline)},
    {"GET", "/{project_path}/badges/{ref}/coverage.svg", kUser, Role::Reader, kRead, Csrf::Safe, kNoBody, plain(h.badges, &BadgeRoutes::coverage)},

    // The browser application: everything that is nothing else. Not in openapi.yaml.
    {"GET", "/", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.pages, &PageRoutes::page)},
    {"GET", "/{page}", kNone, Role::Anybody, kRead, Csrf::Safe, kNoBody, plain(h.pages, &PageRoutes::page)},
  };
  // clang-format on
}

}  // namespace slipway::server::http
