// The permission matrix: every row of the route table asked by everybody there is, in a project
// that is theirs and in others. What is expected follows from the table's columns alone, by rules
// that are written down here a second time and shorter.

#include "server/http/gate.h"
#include "server/http/route_table.h"
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/table_only.h"

namespace slipway::server::http {
namespace {

using auth::Credential;
using auth::Role;
using nlohmann::json;
using test::ApiFixture;

struct Caller {
  std::string name;
  std::string header;
  std::string value;
  Level level = Level::None;  // in team/own; none anywhere else
  bool user = false;
  bool admin = false;
  bool bot = false;
  bool reads_only = false;  // a token of scope read_api
  bool runner = false;
  bool job = false;  // of team/own
};

// Where a path may lead.
struct Target {
  const char* name;
  std::string project;
  std::string group;
  std::string runner;
  const char* visibility;  // "" for what is not there
  bool own;
  bool public_jobs = true;
};

struct People {
  ApiFixture& api;
  ProjectId own = api.make_project("team/own");
  ProjectId other = api.make_project("club/other");
  ProjectId internal = api.make_project("house/internal", "internal");
  ProjectId open = api.make_project("town/open", "public");
  ProjectId quiet = quiet_project();
  std::vector<Caller> callers;

  explicit People(ApiFixture& fixture) : api(fixture) {
    callers.push_back({"anonymous", "", ""});
    callers.push_back({"stranger", "private-token", api.make_user("stranger"), {}, true});
    const auto member = [&](const std::string& name, Level level) {
      const auto token = api.make_user(name);
      api.make_member("projects/" + std::to_string(own.value), name, level);
      callers.push_back({name, "private-token", token, level, true});
    };
    member("guest", Level::Guest);
    member("reporter", Level::Reporter);
    member("developer", Level::Developer);
    member("maintainer", Level::Maintainer);
    member("owner", Level::Owner);
    const auto by_group = api.make_user("group-developer");
    api.make_member("groups/team", "group-developer", Level::Developer);
    callers.push_back(
        {"group-developer", "authorization", "Bearer " + by_group, Level::Developer, true});
    callers.push_back({"admin", "private-token", api.admin, Level::Owner, true, true});
    const auto read_only = api.call("POST", "/api/v4/personal_access_tokens",
                                    {{"name", "r"}, {"scopes", {"read_api"}}});
    callers.push_back({"admin's read token", "private-token", read_only.body["token"], Level::Owner,
                       true, true, false, true});
    const auto project_token =
        api.call("POST", "/api/v4/projects/" + std::to_string(own.value) + "/access_tokens",
                 {{"name", "bot"}, {"access_level", 40}});
    callers.push_back({"project token", "private-token", project_token.body["token"],
                       Level::Maintainer, true, false, true});
    const auto runner = api.make_runner();
    api.make_pipeline(own);
    callers.push_back(
        {"runner token", "runner-token", runner, {}, false, false, false, false, true});
    callers.push_back({"job token",
                       "job-token",
                       api.take_job(runner).token,
                       {},
                       false,
                       false,
                       false,
                       false,
                       false,
                       true});
    callers.push_back({"wrong token", "private-token", "glpat-wrong"});
  }

  ProjectId quiet_project() {
    const auto id = api.make_project("town/quiet", "public");
    REQUIRE(
        api.call("PUT", "/api/v4/projects/" + std::to_string(id.value), {{"public_jobs", false}})
            .status == 200);
    return id;
  }

  std::string runner_of(ProjectId project) {
    const auto made = api.call("POST", "/api/v4/user/runners",
                               {{"runner_type", "project_type"}, {"project_id", project.value}});
    REQUIRE(made.status == 201);
    return std::to_string(made.body["id"].get<std::int64_t>());
  }

  std::vector<Target> targets() {
    const auto id = [](ProjectId project) { return std::to_string(project.value); };
    return {{"own", id(own), "team", runner_of(own), "private", true},
            {"other", id(other), "club", runner_of(other), "private", false},
            {"internal", id(internal), "house", "1", "internal", false},
            {"public", id(open), "town", "1", "public", false},
            {"public, logs for members", id(quiet), "town", "1", "public", false, false},
            {"not there", "999", "nowhere", "999", "", false}};
  }
};

enum class Names { Nothing, Project, Group, Runner };

Names names(const Route& route) {
  if (route.pattern.starts_with("/api/v4/projects/{id}") ||
      route.pattern.find("{project_path}") != std::string_view::npos)
    return Names::Project;
  if (route.pattern.starts_with("/api/v4/groups/{group}")) return Names::Group;
  return route.pattern.starts_with("/api/v4/runners/{runner_id}") ? Names::Runner : Names::Nothing;
}

// The level that a role asks for; nullopt for the roles that are none.
std::optional<Level> asked_level(Role role) {
  switch (role) {
    case Role::Guest: return Level::Guest;
    case Role::Reporter: return Level::Reporter;
    case Role::Developer: return Level::Developer;
    case Role::Maintainer: return Level::Maintainer;
    case Role::Owner: return Level::Owner;
    case Role::Anybody:
    case Role::SignedIn:
    case Role::Reader:
    case Role::LogReader:
    case Role::Admin:
    case Role::Runner:
    case Role::Job: return std::nullopt;
  }
  return std::nullopt;
}

constexpr int kAllowed = 200;

// What the credential is on this route, or the status that refuses it.
int refused_credential(const Route& route, const Caller& caller) {
  const bool of_user = route.credential == Credential::User ||
                       route.credential == Credential::UserOrJob ||
                       route.credential == Credential::JobTokenBasic;
  if (of_user && caller.name == "wrong token") return 401;
  if (of_user && caller.job && route.credential != Credential::UserOrJob) return 401;
  if (route.credential == Credential::RunnerToken && !caller.runner) return 400;
  if (route.credential == Credential::JobToken && !caller.job) return 403;
  return 0;
}

bool is_seen(const Caller& caller, const Target& target, Names what, Level level) {
  if (*target.visibility == '\0') return false;
  if (caller.admin || level > Level::None) return true;
  if (what == Names::Group) return false;
  if (what == Names::Runner) return target.runner == "1" && caller.user && !caller.bot;
  if (caller.job && target.own) return true;
  const std::string_view visibility = target.visibility;
  return visibility == "public" || (visibility == "internal" && caller.user && !caller.bot);
}

int expected(const Route& route, const Caller& given, const Target& target) {
  if (const int refused = refused_credential(route, given)) return refused;
  // Where nobody looks for it, a credential makes nobody of anybody.
  Caller caller = given;
  if (route.credential == Credential::None) caller = {"anonymous", "", ""};
  if (caller.runner && route.credential != Credential::RunnerToken) caller = {"anonymous", "", ""};
  const auto what = names(route);
  const bool of_group = caller.name == "group-developer" || caller.admin;
  Level level = target.own || caller.admin ? caller.level : Level::None;
  if (what == Names::Group && !of_group) level = Level::None;
  if (what == Names::Nothing) level = caller.admin ? Level::Owner : Level::None;
  const bool names_place = what != Names::Nothing;
  if (names_place && *target.visibility == '\0') {
    // git asks for a password only when it is told that one is wanted.
    const bool git = route.credential == Credential::JobTokenBasic;
    return git && !caller.user && !caller.job ? 401 : 404;
  }
  if (route.role == Role::Anybody) return kAllowed;
  if (names_place && !is_seen(caller, target, what, level)) {
    const bool git = route.credential == Credential::JobTokenBasic;
    return git && !caller.user && !caller.job ? 401 : 404;
  }
  const bool is_reading = route.scope == auth::Scope::ReadApi ||
                          route.scope == auth::Scope::ReadUser ||
                          route.scope == auth::Scope::ReadRepository;
  if (caller.reads_only && !is_reading) return 403;
  bool allowed = false;
  if (const auto least = asked_level(route.role)) {
    allowed = level >= *least;
  } else {
    const bool logs = target.public_jobs || level >= Level::Reporter;
    allowed = route.role == Role::Reader || (route.role == Role::LogReader && logs) ||
              (route.role == Role::SignedIn && caller.user) ||
              (route.role == Role::Admin && caller.admin) ||
              (route.role == Role::Runner && caller.runner) ||
              (route.role == Role::Job && caller.job);
  }
  if (allowed) return kAllowed;
  return caller.user || caller.job || caller.runner ? 403 : 401;
}

// The route's request, as the front hands it to the gate.
Call call_of(const Route& route, const Caller& caller, const Target& target) {
  Call call;
  call.request.method = route.method;
  call.request.remote = "127.0.0.1";
  if (names(route) == Names::Project)
    call.request
        .params[route.pattern.find("{project_path}") == std::string_view::npos ? "id"
                                                                               : "project_path"] =
        target.project;
  call.request.params["group"] = target.group;
  call.request.params["runner_id"] = target.runner;
  if (!caller.header.empty()) call.request.headers.set(caller.header, caller.value);
  if (route.csrf == Csrf::Origin) call.request.headers.set("content-type", "application/json");
  return call;
}

TEST_CASE("the permission matrix: every route, every role", "[routes][matrix]") {
  ApiFixture api;
  People people{api};
  TableOnly table{api};
  AuthGate gate{table.sessions, table.tokens, *api.coordinator,
                *api.database,  api.clock,    "http://ci.test"};
  const auto targets = people.targets();
  int cells = 0;
  for (const auto& route : table.routes) {
    for (const auto& caller : people.callers) {
      for (const auto& target : targets) {
        if (names(route) == Names::Nothing && !target.own) continue;
        auto call = call_of(route, caller, target);
        const auto refusal = gate.admit(route, call);
        const int status = refusal ? refusal->status : kAllowed;
        ++cells;
        const int wanted = expected(route, caller, target);
        // A line for each of thousands would say nothing.
        if (status == wanted) continue;
        CAPTURE(route.method, route.pattern, caller.name, target.name);
        CHECK(status == wanted);
      }
    }
  }
  CHECK(cells > 5000);
}

// What does not exist and what one may not see are the same to the byte.
TEST_CASE("nothing tells a hidden project from one that is not there", "[routes][matrix]") {
  ApiFixture api;
  People people{api};
  TableOnly table{api};
  AuthGate gate{table.sessions, table.tokens, *api.coordinator,
                *api.database,  api.clock,    "http://ci.test"};
  const auto targets = people.targets();
  const auto& hidden = targets.at(1);
  const auto& missing = targets.back();
  const auto& stranger = people.callers.at(1);
  for (const auto& route : table.routes) {
    if (names(route) == Names::Nothing || route.credential == Credential::None) continue;
    auto first = call_of(route, stranger, hidden);
    auto second = call_of(route, stranger, missing);
    const auto of_hidden = gate.admit(route, first);
    const auto of_missing = gate.admit(route, second);
    CAPTURE(route.method, route.pattern);
    REQUIRE(of_hidden);
    REQUIRE(of_missing);
    CHECK(of_hidden->status == of_missing->status);
    CHECK(of_hidden->body == of_missing->body);
  }
}

}  // namespace
}  // namespace slipway::server::http
