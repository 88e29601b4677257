#include "server/auth/policy.h"

#include "tests/support/catch.h"

namespace slipway::server::auth {
namespace {

Principal anonymous() {
  return {};
}

Principal user(bool admin) {
  Principal principal;
  principal.kind = PrincipalKind::User;
  principal.user = UserId{1};
  principal.is_admin = admin;
  return principal;
}

Principal with_token(std::vector<std::string> scopes) {
  auto principal = user(true);
  principal.token = TokenId{1};
  principal.scopes = std::move(scopes);
  return principal;
}

Principal job(ProjectId project) {
  Principal principal;
  principal.kind = PrincipalKind::Job;
  principal.job = JobId{5};
  principal.job_project = project;
  return principal;
}

constexpr ProjectAccess kPrivate{ProjectId{1}, false};
constexpr ProjectAccess kPublic{ProjectId{2}, true};

TEST_CASE("a private project is hidden from everybody but administrators", "[auth]") {
  for (const auto role : {Role::Reader, Role::Developer, Role::Maintainer}) {
    CHECK(decide(anonymous(), role, Scope::Api, &kPrivate) == Decision::Hidden);
    CHECK(decide(user(false), role, Scope::Api, &kPrivate) == Decision::Hidden);
    CHECK(decide(user(true), role, Scope::Api, &kPrivate) == Decision::Allowed);
  }
}

TEST_CASE("a public project is read by everybody and changed by administrators", "[auth]") {
  CHECK(decide(anonymous(), Role::Reader, Scope::ReadApi, &kPublic) == Decision::Allowed);
  CHECK(decide(user(false), Role::Reader, Scope::ReadApi, &kPublic) == Decision::Allowed);
  for (const auto role : {Role::Developer, Role::Maintainer}) {
    CHECK(decide(anonymous(), role, Scope::Api, &kPublic) == Decision::Unauthenticated);
    CHECK(decide(user(false), role, Scope::Api, &kPublic) == Decision::Denied);
    CHECK(decide(user(true), role, Scope::Api, &kPublic) == Decision::Allowed);
  }
}

TEST_CASE("a personal token may do what its scopes say and no more", "[auth]") {
  CHECK(decide(with_token({"api"}), Role::Admin, Scope::Api, nullptr) == Decision::Allowed);
  CHECK(decide(with_token({"api"}), Role::Admin, Scope::CreateRunner, nullptr) ==
        Decision::Allowed);
  CHECK(decide(with_token({"read_api"}), Role::Reader, Scope::ReadApi, &kPrivate) ==
        Decision::Allowed);
  CHECK(decide(with_token({"read_api"}), Role::Developer, Scope::Api, &kPrivate) ==
        Decision::Denied);
  CHECK(decide(with_token({"create_runner"}), Role::Admin, Scope::CreateRunner, nullptr) ==
        Decision::Allowed);
  CHECK(decide(with_token({"create_runner"}), Role::Reader, Scope::ReadApi, &kPrivate) ==
        Decision::Denied);
  CHECK(decide(with_token({}), Role::SignedIn, Scope::ReadApi, nullptr) == Decision::Denied);
}

TEST_CASE("runners and jobs are no users", "[auth]") {
  Principal runner;
  runner.kind = PrincipalKind::Runner;
  CHECK(decide(runner, Role::Runner, Scope::Api, nullptr) == Decision::Allowed);
  CHECK(decide(runner, Role::Job, Scope::Api, nullptr) == Decision::Denied);
  CHECK(decide(runner, Role::SignedIn, Scope::Api, nullptr) == Decision::Denied);
  CHECK(decide(job(ProjectId{1}), Role::Job, Scope::Api, nullptr) == Decision::Allowed);
  CHECK(decide(job(ProjectId{1}), Role::Admin, Scope::Api, nullptr) == Decision::Denied);
}

TEST_CASE("a job reads its own project and public ones", "[auth]") {
  CHECK(decide(job(ProjectId{1}), Role::Reader, Scope::ReadApi, &kPrivate) == Decision::Allowed);
  CHECK(decide(job(ProjectId{9}), Role::Reader, Scope::ReadApi, &kPrivate) == Decision::Hidden);
  CHECK(decide(job(ProjectId{9}), Role::Reader, Scope::ReadApi, &kPublic) == Decision::Allowed);
  CHECK(decide(job(ProjectId{1}), Role::Developer, Scope::Api, &kPrivate) == Decision::Denied);
}

}  // namespace
}  // namespace slipway::server::auth
