#include "server/auth/policy.h"

#include <utility>
#include <vector>

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

constexpr Place kPrivate{ProjectId{1}};
constexpr Place kPublic{ProjectId{2}, Visibility::Public};

Place with_level(Level level) {
  return {ProjectId{1}, Visibility::Private, true, level};
}

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

TEST_CASE("each level may what the ones below it may", "[auth]") {
  const std::vector<std::pair<Role, Level>> steps{{Role::Guest, Level::Guest},
                                                  {Role::Reporter, Level::Reporter},
                                                  {Role::Developer, Level::Developer},
                                                  {Role::Maintainer, Level::Maintainer},
                                                  {Role::Owner, Level::Owner}};
  for (const auto& [role, least] : steps)
    for (const auto& [other, level] : steps) {
      const auto place = with_level(level);
      CHECK(decide(user(false), role, Scope::Api, &place) ==
            (level >= least ? Decision::Allowed : Decision::Denied));
    }
  const auto owner = with_level(Level::Owner);
  CHECK(decide(user(false), Role::Admin, Scope::Api, &owner) == Decision::Denied);
}

TEST_CASE("an internal project is read by people who are signed in, not by bots", "[auth]") {
  const Place internal{ProjectId{3}, Visibility::Internal};
  auto bot = user(false);
  bot.is_bot = true;
  CHECK(decide(user(false), Role::Reader, Scope::ReadApi, &internal) == Decision::Allowed);
  CHECK(decide(anonymous(), Role::Reader, Scope::ReadApi, &internal) == Decision::Hidden);
  CHECK(decide(bot, Role::Reader, Scope::ReadApi, &internal) == Decision::Hidden);
}

TEST_CASE("logs are read by all readers, or by reporters", "[auth]") {
  const Place quiet{ProjectId{1}, Visibility::Public, false};
  const Place reported{ProjectId{1}, Visibility::Public, false, Level::Reporter};
  CHECK(decide(anonymous(), Role::LogReader, Scope::ReadApi, &kPublic) == Decision::Allowed);
  CHECK(decide(anonymous(), Role::LogReader, Scope::ReadApi, &quiet) == Decision::Unauthenticated);
  CHECK(decide(user(false), Role::LogReader, Scope::ReadApi, &quiet) == Decision::Denied);
  CHECK(decide(user(false), Role::LogReader, Scope::ReadApi, &reported) == Decision::Allowed);
  CHECK(decide(job(ProjectId{1}), Role::LogReader, Scope::ReadApi, &quiet) == Decision::Allowed);
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
