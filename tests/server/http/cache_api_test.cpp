// Caches that runners share, over HTTP; answers are compared with openapi.yaml.

#include "base/crypto.h"
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"
#include "tests/support/zstd.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::Answer;
using test::ApiFixture;

constexpr std::string_view kPlain = "build: {script: [make], cache: {key: k, paths: [x]}}\n";
constexpr std::string_view kStepsDown =
    "build: {script: [make], cache: {key: k, paths: [x], unprotect: true}}\n";
const std::string kPiece = sha256_hex("bytes");

struct Fixture {
  ApiFixture api;
  ProjectId project = api.make_project();
  std::string runner = api.make_runner();

  ApiFixture::TakenJob job(bool ref_protected, std::string_view file = kPlain) {
    if (ref_protected)
      api.make_protected_pipeline(project, file);
    else
      api.make_pipeline(project, file);
    return api.take_job(runner);
  }
  static std::string path(const ApiFixture::TakenJob& job, const std::string& what,
                          const std::string& key) {
    return job.path() + "/cache" + what + "?key=" + key;
  }
  Answer call(const ApiFixture::TakenJob& job, const char* method, const std::string& what,
              const std::string& key, const json& body = {}) {
    auto answer = api.call_with(job.header(), method, path(job, what, key), body);
    const bool is_piece = what.starts_with("/pieces/");
    CAPTURE(method, what, answer.raw.body);
    CHECK(test::contract().mismatch(
              method, "/api/v4/jobs/{job_id}/cache" + (is_piece ? "/pieces/{piece}" : what),
              answer.status, answer.body) == "");
    return answer;
  }
  int send_piece(const ApiFixture::TakenJob& job, const std::string& key,
                 const std::string& body = test::packed("bytes")) {
    return api.connect()
        .request("PUT", path(job, "/pieces/" + kPiece, key),
                 job.header() + "Content-Type: application/zstd\r\n", body)
        .status;
  }
  static json list(const std::string& signature = "s") {
    return {{"signature", signature},
            {"files", 1},
            {"bytes", 5},
            {"pieces", json::array({json::array({kPiece, 5})})}};
  }
  void store(const ApiFixture::TakenJob& job, const std::string& key) {
    REQUIRE(send_piece(job, key) == 204);
    REQUIRE(call(job, "PUT", "", key, list()).status == 204);
  }
  bool sees(const ApiFixture::TakenJob& job, const std::string& key) {
    return call(job, "GET", "", key).status == 200;
  }
};

}  // namespace

TEST_CASE("a job stores a cache on the server, and a later one gets it", "[api][caches]") {
  Fixture f;
  const auto first = f.job(false);
  CHECK(f.call(first, "GET", "", "k").status == 404);
  CHECK(f.call(first, "POST", "/missing", "k", {{"pieces", {kPiece}}}).body["missing"] ==
        json{kPiece});
  const auto early = f.call(first, "PUT", "", "k", Fixture::list());
  CHECK(early.status == 409);
  CHECK(early.body["missing"] == json{kPiece});
  f.store(first, "k");

  const auto later = f.job(false);
  CHECK(f.call(later, "GET", "", "k").body == Fixture::list());
  CHECK(f.call(later, "POST", "/missing", "k", {{"pieces", {kPiece}}}).body["missing"].empty());
  const auto piece =
      f.api.call_with(later.header(), "GET", Fixture::path(later, "/pieces/" + kPiece, "k"));
  CHECK(piece.raw.body == test::packed("bytes"));
}

TEST_CASE("no job of an unprotected ref reaches a protected ref's caches, whatever its key",
          "[api][caches]") {
  Fixture f;
  const auto guarded = f.job(true);
  f.store(guarded, "k-protected");
  const auto other = f.job(false);

  for (const std::string key : {"k-protected", "k-non_protected", "k"}) {
    CAPTURE(key);
    CHECK_FALSE(f.sees(other, key));
    // Nor does it learn whether a piece is there.
    CHECK(f.call(other, "POST", "/missing", key, {{"pieces", {kPiece}}}).body["missing"] ==
          json{kPiece});
    CHECK(f.call(other, "GET", "/pieces/" + kPiece, key).status == 404);
  }
  // What it stores under the protected key is its own side's.
  REQUIRE(f.send_piece(other, "k-protected") == 204);
  REQUIRE(f.call(other, "PUT", "", "k-protected", Fixture::list("evil")).status == 204);
  CHECK(f.call(guarded, "GET", "", "k-protected").body == Fixture::list());
}

TEST_CASE("a job of a fork reaches no caches but those of its own merge request", "[api][caches]") {
  Fixture f;
  const auto other = f.job(false);
  f.store(other, "k");
  const auto of_fork = [&](std::int64_t number) {
    f.api.make_fork_pipeline(f.project, kPlain, number);
    return f.api.take_job(f.runner);
  };
  const auto fork = of_fork(7);
  CHECK_FALSE(f.sees(fork, "k"));
  CHECK(f.call(fork, "POST", "/missing", "k", {{"pieces", {kPiece}}}).body["missing"] ==
        json{kPiece});
  REQUIRE(f.send_piece(fork, "k") == 204);
  REQUIRE(f.call(fork, "PUT", "", "k", Fixture::list("evil")).status == 204);
  CHECK(f.call(other, "GET", "", "k").body == Fixture::list());
  CHECK_FALSE(f.sees(of_fork(8), "k"));
  CHECK(f.call(of_fork(7), "GET", "", "k").body == Fixture::list("evil"));
  // They go with the project's others.
  REQUIRE(f.api.call("DELETE", "/api/v4/projects/" + std::to_string(f.project.value) + "/caches")
              .status == 204);
  CHECK_FALSE(f.sees(of_fork(7), "k"));
}

TEST_CASE("a protected job works on the other side only where its pipeline file says so",
          "[api][caches]") {
  Fixture f;
  f.store(f.job(false), "k-non_protected");
  CHECK_FALSE(f.sees(f.job(true), "k-non_protected"));
  const auto stepping_down = f.job(true, kStepsDown);
  CHECK(f.sees(stepping_down, "k-non_protected"));
  f.store(stepping_down, "k-protected");
  CHECK_FALSE(f.sees(f.job(false), "k-protected"));
}

TEST_CASE("caches are one project's", "[api][caches]") {
  Fixture f;
  f.store(f.job(false), "k");
  f.project = f.api.make_project("group/other");
  CHECK_FALSE(f.sees(f.job(false), "k"));
}

TEST_CASE("a job's token opens its own caches, while it runs", "[api][caches]") {
  Fixture f;
  const auto job = f.job(false);
  const auto other = f.job(false);
  CHECK(f.api.call_with(other.header(), "GET", Fixture::path(job, "", "k")).status == 403);
  CHECK(f.api.call_with(job.header(), "PUT", job.path(), {{"state", "success"}}).status == 200);
  CHECK(f.call(job, "GET", "", "k").status == 403);
  CHECK(f.send_piece(job, "k") == 403);
}

TEST_CASE("what is wrong with a call about caches is told", "[api][caches]") {
  Fixture f;
  const auto job = f.job(false);
  CHECK(f.call(job, "GET", "", "").status == 400);
  CHECK(f.call(job, "GET", "", std::string(1025, 'k')).status == 400);
  CHECK(f.send_piece(job, "k", test::packed("other")) == 400);
  CHECK(f.send_piece(job, "k", std::string(5 << 20, 'x')) == 413);
  CHECK(f.call(job, "PUT", "", "k", {{"files", 1}}).status == 400);
  CHECK(f.call(job, "POST", "/missing", "k", {{"pieces", {"../x"}}}).body["message"] ==
        "field 'pieces' must be a list of at most 65536 ids, each of 64 small hex digits");
}

TEST_CASE("what a runner tells of caches and artifacts is on the job, as far as it is known",
          "[api][caches]") {
  Fixture f;
  const auto job = f.job(false);
  const json hit{
      {"kind", "cache_restore"}, {"name", "k"}, {"result", "hit"}, {"keys", {"k", "main"}},
      {"shared", true},          {"files", 2},  {"bytes", 300},    {"moved_bytes", 40},
      {"seconds", 0.5}};
  json odd = hit;
  odd["name"] = std::string(300, 'n') + "\n";
  odd["keys"] = {1, "a\x1b[2Jb"};
  odd["bytes"] = -1;
  odd["seconds"] = "soon";
  json told = json::array({hit, odd, 7, {{"kind", "cache_restore"}, {"name", "k"}}});
  told.push_back({{"kind", "<script>"}, {"name", "k"}, {"result", "hit"}});
  for (int i = 0; i < 50; ++i) told.push_back(hit);

  CHECK(
      f.api.call_with(job.header(), "PUT", job.path(), {{"state", "success"}, {"transfers", told}})
          .status == 200);

  const auto shown = f.api.call("GET", "/api/v4/projects/" + std::to_string(f.project.value) +
                                           "/jobs/" + std::to_string(job.id));
  test::check_contract("GET", "/api/v4/projects/{id}/jobs/{job_id}", shown, 200);
  const json& transfers = shown.body["transfers"];
  CHECK(transfers.size() == 32);
  CHECK(transfers[0] == hit);
  CHECK(transfers[1]["name"] == std::string(255, 'n'));
  CHECK(transfers[1]["keys"] == json::array({"", "a [2Jb"}));
  CHECK(transfers[1]["bytes"] == 0);
  CHECK(transfers[1]["seconds"] == 0);
}

TEST_CASE("maintainers remove a project's caches, and that is on record", "[api][caches]") {
  Fixture f;
  const auto job = f.job(false);
  f.store(job, "k");
  const std::string project = "projects/" + std::to_string(f.project.value);
  const auto token = f.api.make_user("dev");
  f.api.make_member(project, "dev", Level::Developer);
  CHECK(
      f.api
          .call_with("PRIVATE-TOKEN: " + token + "\r\n", "DELETE", "/api/v4/" + project + "/caches")
          .status == 403);
  CHECK(f.sees(job, "k"));
  CHECK(f.api.call("DELETE", "/api/v4/" + project + "/caches").status == 204);
  CHECK_FALSE(f.sees(job, "k"));
  // Nobody waits for an entry; what was asked of the coordinator before this is done with it.
  REQUIRE(f.api.coordinator->write<bool>([](WriteTransaction&) -> Result<bool> { return true; }));
  const auto events = f.api.call("GET", "/api/v4/audit_events?action=caches.deleted");
  CHECK(events.raw.body.find("\"caches.deleted\"") != std::string::npos);
}

}  // namespace slipway::server::http
