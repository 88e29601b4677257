// Runs of work trees over the API, compared with openapi.yaml.
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::ApiFixture;
using test::check_contract;

const std::string kRuns = "/api/v4/projects/{id}/runs";
const std::string kPath = "/api/v4/projects/1/runs";
const std::string kSha(40, 'a');
const std::string kOther(40, 'b');

test::RawResponse send(ApiFixture& api, const std::string& query, const std::string& bytes) {
  return api.connect().request(
      "POST", kPath + "/objects" + query,
      "PRIVATE-TOKEN: " + api.admin + "\r\nContent-Type: application/octet-stream\r\n", bytes);
}

}  // namespace

TEST_CASE("which commits are known is answered, for whole ids and not too many", "[api]") {
  ApiFixture api;
  api.make_project();
  const auto known = api.call("POST", kPath + "/known", {{"commits", {kSha, kOther}}});
  check_contract("POST", kRuns + "/known", known, 200);
  CHECK(known.body["known"] == json::array({kOther}));
  CHECK(api.call("POST", kPath + "/known", {{"commits", json::array()}}).status == 400);
  CHECK(api.call("POST", kPath + "/known", {{"commits", {"main"}}}).status == 400);
  const std::vector<std::string> many(501, kSha);
  CHECK(api.call("POST", kPath + "/known", {{"commits", many}}).status == 400);
}

TEST_CASE("a bundle is taken whole, refused in words, and its file goes in any case", "[api]") {
  ApiFixture api;
  api.make_project();
  CHECK(send(api, "?sha=" + kSha, "bytes").status == 201);
  CHECK(api.outside.asked.back() == "take aaaa bytes");
  CHECK_FALSE(std::filesystem::exists(api.outside.uploads / "bundle"));
  const auto refused = send(api, "?sha=" + kSha, "broken");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("it is no bundle") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(api.outside.uploads / "bundle"));
  CHECK(send(api, "?sha=main", "bytes").status == 400);
  CHECK(send(api, "", "bytes").status == 400);
}

TEST_CASE("a run is started with what was given, and is on record", "[api]") {
  ApiFixture api;
  api.make_project();
  const auto made = api.call("POST", kPath,
                             {{"sha", kSha},
                              {"branch", "topic/x"},
                              {"before", kOther},
                              {"variables", {{{"key", "A"}, {"value", "1"}}}},
                              {"inputs", {{"n", 3}}}});
  check_contract("POST", kRuns, made, 201);
  CHECK(api.outside.asked.back() == "run aaaa on topic/x since bbbb 1 1");
  for (const json& wrong :
       {json{{"branch", "x"}}, json{{"sha", kSha}}, json{{"sha", "main"}, {"branch", "x"}},
        json{{"sha", kSha}, {"branch", "../x"}}, json{{"sha", kSha}, {"branch", "a b"}},
        json{{"sha", kSha}, {"branch", "x"}, {"before", "HEAD"}},
        json{{"sha", kSha}, {"branch", "x"}, {"variables", {{{"value", "1"}}}}}}) {
    CAPTURE(wrong);
    CHECK(api.call("POST", kPath, wrong).status == 400);
  }
  CHECK(api.call("POST", "/api/v4/projects/9/runs", {{"sha", kSha}, {"branch", "x"}}).status ==
        404);
}

}  // namespace slipway::server::http
