#include "server/outbox/forge_status.h"

#include <nlohmann/json.hpp>

#include "tests/base/scripted_server.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using nlohmann::json;
using slipway::test::ScriptedServer;
using namespace std::chrono_literals;

const std::string kTaken =
    "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

std::string answer(const std::string& status, const std::string& body = "no") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

json body_of(const std::string& request) {
  return json::parse(request.substr(request.find("\r\n\r\n") + 4));
}

// An outbox whose target is the real one, and a project whose git host is a stand-in.
struct Fixture : test::StoreFixture, OutboxWriter {
  FakeClock clock{1000};
  ForgeStatusOptions options = make_options();
  Keyring keys = Keyring::make();
  ForgeStatusTarget target{*database, clock, keys, options};
  Outbox outbox{*database,
                *this,
                clock,
                {{"pipeline_status", &target}, {"gate_status", &target}},
                {.attempts = 50}};
  ProjectRow hooked;
  std::string last_error;

  static ForgeStatusOptions make_options() {
    ForgeStatusOptions options;
    options.external_url = "https://ci.example";
    options.allow_private = true;
    options.failures = 2;
    return options;
  }
  Fixture() { hooked = *stores().projects.find(project()); }

  void use(const std::string& kind, const std::string& api) {
    hooked.forge = kind;
    hooked.forge_api_url = api;
    hooked.forge_token = target.seal_token("secret");
    commit([&](Stores& stores) {
      stores.projects.update(hooked);
      return true;
    });
  }
  PipelineRow run(const std::string& status, const std::string& reason = "") {
    PipelineRow row = pipeline(hooked.id);
    owe(row, status, reason);
    return row;
  }
  void owe(const PipelineRow& row, const std::string& status, const std::string& reason = "") {
    stores().outbox.insert(
        {{},
         "pipeline_status",
         "status/" + std::to_string(row.project_id.value) + "/" + row.sha + "/" + row.source,
         json{{"pipeline_id", row.id.value}, {"status", status}, {"reason", reason}}.dump(),
         0,
         clock.now(),
         clock.now(),
         ""});
  }
  void deliver_all() {
    while (outbox.run_due() > 0) {
    }
  }
  long long waiting() { return stores().outbox.count_waiting(); }

  Result<void> delivered(EffectId id) override {
    stores().outbox.delivered(id);
    return {};
  }
  Result<void> postpone(EffectId id, UnixMillis due_at, const std::string& error) override {
    last_error = error;
    stores().outbox.postpone(id, due_at, error);
    return {};
  }
  Result<void> abandon(EffectId id, const std::string& error) override {
    last_error = error;
    stores().outbox.abandon(id, clock.now(), error);
    return {};
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a git host is told of a pipeline, step by step", "[outbox]") {
  ScriptedServer host{{kTaken, kTaken, kTaken}};
  use("github", host.url("/api/v3"));
  const PipelineRow row = run("pending");
  owe(row, "running");
  owe(row, "failed", "A job has failed.");
  deliver_all();
  CHECK(waiting() == 0);
  REQUIRE(host.requests().size() == 3);
  CHECK(host.requests()[0].find("POST /api/v3/repos/group/name/statuses/0123456789abcdef ") == 0);
  CHECK(host.requests()[0].find("Authorization: Bearer secret\r\n") != std::string::npos);
  CHECK(body_of(host.requests()[0])["state"] == "pending");
  CHECK(body_of(host.requests()[1])["description"] == "Pipeline 1 is running.");
  CHECK(body_of(host.requests()[2]) ==
        json{{"state", "failure"},
             {"target_url",
              "https://ci.example/group/name/-/pipelines/" + std::to_string(row.id.value)},
             {"description", "Pipeline 1 has failed: A job has failed."},
             {"context", "slipway/push"}});
}

TEST_CASE_METHOD(Fixture, "a gate is a status of its own", "[outbox]") {
  ScriptedServer host{{kTaken}};
  use("github", host.url("/api/v3"));
  const PipelineRow row = pipeline(hooked.id);
  stores().outbox.insert({{},
                          "gate_status",
                          "status/1/findings",
                          json{{"pipeline_id", row.id.value},
                               {"gate", "findings"},
                               {"status", "failed"},
                               {"reason", "1 new finding of severity critical against main"}}
                              .dump(),
                          0,
                          clock.now(),
                          clock.now(),
                          ""});
  deliver_all();
  CHECK(waiting() == 0);
  REQUIRE(host.requests().size() == 1);
  CHECK(body_of(host.requests()[0]) ==
        json{{"state", "failure"},
             {"target_url",
              "https://ci.example/group/name/-/pipelines/" + std::to_string(row.id.value)},
             {"description", "1 new finding of severity critical against main."},
             {"context", "slipway/findings"}});
}

TEST_CASE_METHOD(Fixture, "repositories are asked for where a token may go, and nowhere else",
                 "[outbox]") {
  const std::string list =
      R"([{"full_name":"team/app","clone_url":"https://g/team/app.git","private":true}])";
  ScriptedServer host{{answer("200 OK", list), answer("302 Found\r\nLocation: http://other/")}};
  const auto asked = target.repositories(ForgeKind::Gitea, host.url("/api/v1"), "s3cret", "", 1);
  REQUIRE(asked);
  CHECK(asked->repositories.at(0).path == "team/app");
  CHECK(host.requests().at(0).find("Authorization: token s3cret\r\n") != std::string::npos);
  CHECK(host.requests().at(0).find("s3cret") == host.requests().at(0).rfind("s3cret"));
  // A redirect is not followed: the token would go along.
  CHECK_FALSE(target.repositories(ForgeKind::Gitea, host.url("/api/v1"), "s3cret", "", 1));

  options.allow_private = false;
  const ForgeStatusTarget strict{*database, clock, keys, options};
  for (const std::string url :
       {"http://git.example/api/v1", "https://127.0.0.1/api/v1", "https://169.254.169.254/api/v1",
        "https://user:x@git.example/api", "https://[::1]/api/v1", "file:///etc/passwd"}) {
    INFO(url);
    const auto refused = strict.repositories(ForgeKind::Gitea, url, "s3cret", "", 1);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::InvalidInput);
    CHECK(refused.error().message.find("s3cret") == std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "a commit without a pipeline is told as a success, unless it gets one",
                 "[outbox]") {
  ScriptedServer host{{kTaken, kTaken}};
  use("github", host.url());
  const auto owe_none = [&](const std::string& sha) {
    const std::string payload = json{
        {"project_id", hooked.id.value},
        {"sha", sha},
        {"ref", "main"},
        {"source", "push"},
        {"status", "skipped"},
        {"reason",
         "No job is for it."}}.dump();
    stores().outbox.insert(
        {{}, "pipeline_status", "status/" + sha, payload, 0, clock.now(), clock.now(), ""});
  };
  owe_none("fedcba9876543210");
  deliver_all();
  REQUIRE(host.requests().size() == 1);
  CHECK(body_of(host.requests()[0]) ==
        json{{"state", "success"},
             {"target_url", "https://ci.example/group/name/-/pipelines"},
             {"description", "There is no pipeline: No job is for it."},
             {"context", "slipway/push"}});
  run("running");
  owe_none("0123456789abcdef");
  deliver_all();
  REQUIRE(host.requests().size() == 2);
  CHECK(body_of(host.requests()[1])["description"] == "Pipeline 1 is running.");
}

TEST_CASE_METHOD(Fixture, "a skipped pipeline is told as a success with its reason", "[outbox]") {
  ScriptedServer host{{kTaken}};
  use("gitlab", host.url());
  run("skipped", "The commit message asks to skip.");
  deliver_all();
  REQUIRE(host.requests().size() == 1);
  CHECK(body_of(host.requests()[0])["state"] == "success");
  CHECK(body_of(host.requests()[0])["description"] ==
        "Pipeline 1 was skipped: The commit message asks to skip.");
}

TEST_CASE_METHOD(Fixture, "what fails is told again, and what follows waits for it", "[outbox]") {
  ScriptedServer host{{answer("503 Busy"), kTaken, kTaken}};
  use("gitea", host.url());
  const PipelineRow row = run("running");
  owe(row, "success");
  deliver_all();
  CHECK(waiting() == 2);
  CHECK(last_error == "gitea answered 503: no");
  clock.tick(1s);
  deliver_all();
  CHECK(waiting() == 0);
  REQUIRE(host.requests().size() == 3);
  CHECK(body_of(host.requests()[1])["description"] == "Pipeline 1 is running.");
  CHECK(body_of(host.requests()[2])["state"] == "success");
}

TEST_CASE_METHOD(Fixture, "an older pipeline does not hide the newer one of its commit",
                 "[outbox]") {
  ScriptedServer host{{kTaken}};
  use("github", host.url());
  const PipelineRow older = run("running");
  run("success");
  owe(older, "failed");
  deliver_all();
  CHECK(waiting() == 0);
  REQUIRE(host.requests().size() == 1);
  CHECK(body_of(host.requests()[0])["state"] == "success");
}

TEST_CASE_METHOD(Fixture, "a host that fails in a row is left alone for a while", "[outbox]") {
  ScriptedServer host{{answer("500 Oops"), "", kTaken, kTaken}};
  use("github", host.url());
  run("running");
  deliver_all();
  clock.tick(1s);
  deliver_all();
  CHECK(last_error.find("could not be told because of a socket error") != std::string::npos);
  clock.tick(2s);
  deliver_all();
  CHECK(last_error == host.url() + " is left alone: it failed 2 times in a row");
  CHECK(host.requests().size() == 2);
  CHECK(waiting() == 1);
  clock.tick(30s);
  deliver_all();
  CHECK(waiting() == 0);
  CHECK(host.requests().size() == 3);
}

TEST_CASE_METHOD(Fixture, "a host that never answers is waited for no longer than the deadline",
                 "[outbox]") {
  options.deadline = 100ms;
  ForgeStatusTarget impatient{*database, clock, keys, options};
  const UniqueFd silent{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(silent.get(), 4) == 0);
  REQUIRE(::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  use("github", "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  run("running");
  const auto due = database->read()->outbox.due(clock.now(), 1);
  REQUIRE(due.size() == 1);
  const auto told = impatient.deliver(due[0]);
  REQUIRE_FALSE(told);
  CHECK(told.error().kind == ErrorKind::Unavailable);
  CHECK(told.error().message.find("because of a timeout error") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a token that is refused is tried again, and a new one is taken",
                 "[outbox]") {
  ScriptedServer host{{answer("401 Unauthorized"), kTaken}};
  use("github", host.url());
  run("success");
  deliver_all();
  CHECK(waiting() == 1);
  CHECK(last_error == "github answered 401: no");
  CHECK(last_error.find("secret") == std::string::npos);
  hooked.forge_token = target.seal_token("renewed");
  commit([&](Stores& stores) {
    stores.projects.update(hooked);
    return true;
  });
  clock.tick(1s);
  deliver_all();
  CHECK(waiting() == 0);
  CHECK(host.requests()[1].find("Bearer renewed") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what no repeating mends is given up, and the next goes on", "[outbox]") {
  ScriptedServer host{{answer("422 Unprocessable"), answer("302 Found"), kTaken}};
  use("github", host.url());
  const PipelineRow row = run("pending");
  owe(row, "running");
  owe(row, "success");
  deliver_all();
  CHECK(waiting() == 0);
  REQUIRE(host.requests().size() == 3);
  CHECK(body_of(host.requests()[2])["state"] == "success");
}

TEST_CASE_METHOD(Fixture, "no git host inside our own network is told unless that is allowed",
                 "[outbox]") {
  options.allow_private = false;
  ForgeStatusTarget strict{*database, clock, keys, options};
  run("success");
  const auto due = database->read()->outbox.due(clock.now(), 1);
  REQUIRE(due.size() == 1);
  use("github", "http://127.0.0.1:1");
  auto told = strict.deliver(due[0]);
  REQUIRE_FALSE(told);
  CHECK(told.error().message == "field 'forge_api_url' must begin with https://");
  for (const char* inside : {"https://127.0.0.1:1", "https://[::1]:1", "https://localhost:1",
                             "https://10.0.0.1", "https://169.254.169.254", "https://0x7f000001"}) {
    use("github", inside);
    told = strict.deliver(due[0]);
    REQUIRE_FALSE(told);
    CHECK(told.error().kind == ErrorKind::Denied);
  }
}

TEST_CASE_METHOD(Fixture, "without a git host there is nothing to tell, without a token it waits",
                 "[outbox]") {
  run("success");
  hooked.forge_token.clear();
  deliver_all();
  CHECK(waiting() == 1);
  CHECK(last_error == "the project has no forge_token");
  use("", "");
  clock.tick(1s);
  deliver_all();
  CHECK(waiting() == 0);
}

TEST_CASE("an address that cannot be a git host's API says why", "[outbox]") {
  CHECK(why_no_forge_api("https://git.example/api/v4", false).empty());
  CHECK(why_no_forge_api("http://git.example:3000/api/v1", true).empty());
  CHECK(why_no_forge_api("http://git.example", false) == "must begin with https://");
  CHECK(why_no_forge_api("ftp://git.example", true) == "must begin with https://");
  CHECK(why_no_forge_api("https:///x", false) == "must be an address with a host");
  CHECK(why_no_forge_api("https://u:p@git.example", false) == "must not hold a user or a password");
  CHECK(why_no_forge_api("https://git.example/?x", false) ==
        "must be an address without blanks, queries and fragments");
  CHECK(why_no_forge_api("https://git.example/\r\nX: y", false) ==
        "must be an address without blanks, queries and fragments");
}

}  // namespace slipway::server
