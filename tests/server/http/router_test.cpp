#include "server/http/router.h"

#include "tests/server/http/listener_fixture.h"

namespace slipway::server::http {
namespace {

using Segments = std::vector<std::string>;

struct SomeRoutes {
  PlainHandler nothing = [](const Call&) -> Result<Response> { return Response{}; };
  std::vector<Route> routes{
      test::route("GET", "/healthz", nothing),
      test::route("GET", "/api/v4/projects/{id}", nothing),
      test::route("PUT", "/api/v4/projects/{id}", nothing),
      test::route("GET", "/api/v4/projects/{id}/protected_branches/{ref_name}", nothing),
      test::route("GET", "/api/v4/groups/{group}/variables/{key}", nothing),
      test::route("GET", "/api/v4/runners/{runner_id}", nothing),
      test::route("POST", "/hooks/{project_path}", nothing),
      test::route("GET", "/{project_path}.git/info/refs", nothing),
      test::route("GET", "/{project_path}/badges/{ref}/pipeline.svg", nothing)};
  Router router{routes};

  std::string pattern(std::string_view method, const Segments& segments) const {
    const auto match = router.find(method, segments);
    return match.route == nullptr ? "" : std::string{match.route->pattern};
  }
};

TEST_CASE("a path finds its row and what the pattern catches", "[http]") {
  const SomeRoutes some;
  const auto match = some.router.find("GET", {"api", "v4", "projects", "12"});
  REQUIRE(match.route != nullptr);
  CHECK(match.params.at("id") == "12");
  CHECK(some.pattern("HEAD", {"healthz"}) == "/healthz");
  CHECK(some.pattern("GET", {}).empty());
  CHECK(some.pattern("GET", {"healthz", "x"}).empty());
  CHECK(some.pattern("GET", Segments(30, "a")).empty());
}

TEST_CASE("a project's path may have several segments", "[http]") {
  const SomeRoutes some;
  CHECK(some.router.find("POST", {"hooks", "a", "b", "c"}).params.at("project_path") == "a/b/c");
  const auto git = some.router.find("GET", {"a", "b.git", "info", "refs"});
  REQUIRE(git.route != nullptr);
  CHECK(git.params.at("project_path") == "a/b");
  CHECK(some.pattern("GET", {"a", ".git", "info", "refs"}).empty());
  CHECK(some.pattern("GET", {"a", "b", "info", "refs"}).empty());
  const auto badge = some.router.find("GET", {"a", "b", "badges", "fix", "x", "pipeline.svg"});
  REQUIRE(badge.route != nullptr);
  CHECK(badge.params.at("project_path") == "a/b");
  CHECK(badge.params.at("ref") == "fix/x");
}

TEST_CASE("a path that has other methods names them", "[http]") {
  const SomeRoutes some;
  const auto match = some.router.find("DELETE", {"api", "v4", "projects", "12"});
  CHECK(match.route == nullptr);
  CHECK(match.allowed == "GET, HEAD, PUT");
}

TEST_CASE("an encoded slash is for names of projects, groups and refs only", "[http]") {
  const SomeRoutes some;
  CHECK(some.pattern("GET", {"api", "v4", "projects", "a/b"}) == "/api/v4/projects/{id}");
  const Segments branch{"api", "v4", "projects", "a/b", "protected_branches", "release/*"};
  CHECK(some.pattern("GET", branch) == "/api/v4/projects/{id}/protected_branches/{ref_name}");
  CHECK(some.pattern("GET", {"api", "v4", "groups", "a/b", "variables", "K"}) ==
        "/api/v4/groups/{group}/variables/{key}");
  CHECK(some.router.find("GET", {"api", "v4", "groups", "a", "variables", "K/x"}).malformed);
  CHECK(some.router.find("GET", {"api", "v4", "groups", "a/b", "variables", "K/x"}).malformed);
  CHECK(some.router.find("GET", {"api", "v4", "runners", "a/b"}).malformed);
  CHECK(some.router.find("POST", {"hooks", "a/b", "c"}).malformed);
}

}  // namespace
}  // namespace slipway::server::http
