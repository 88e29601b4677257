// Reports of findings from a runner's upload to what the page and the git host are told.

#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

using namespace slipway;
using namespace slipway::test;
using nlohmann::json;

namespace {

const std::string kPipelines = "/api/v4/projects/1/pipelines/";

// Sends `text` as a report of the job, as runners send these kinds: not packed.
int send_report(ApiFixture& api, const ApiFixture::TakenJob& job, const std::string& type,
                const std::string& text) {
  const auto body =
      "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"r.json\"\r\n\r\n" + text +
      "\r\n--B--\r\n";
  return api.connect()
      .request("POST", job.path() + "/artifacts?artifact_type=" + type + "&artifact_format=raw",
               job.header() + "Content-Type: multipart/form-data; boundary=B\r\n", body)
      .status;
}

void finish(ApiFixture& api, const ApiFixture::TakenJob& job) {
  REQUIRE(
      api.call_with(job.header(), "PUT", job.path(), {{"token", job.token}, {"state", "success"}})
          .status == 200);
}

json get(ApiFixture& api, const std::string& pipeline, const std::string& rest) {
  static const OpenApi openapi;
  const auto answer = api.call("GET", kPipelines + pipeline + "/findings" + rest);
  REQUIRE(answer.status == 200);
  const auto pattern = rest.substr(0, rest.find('?'));
  CHECK(openapi.mismatch("GET", "/api/v4/projects/{id}/pipelines/{pipeline_id}/findings" + pattern,
                         200, answer.body) == "");
  return answer.body;
}

std::string names(const json& findings) {
  std::string text;
  for (const auto& one : findings)
    text += one["state"].get<std::string>() + " " + one["name"].get<std::string>() + "\n";
  return text;
}

// A vulnerability for each pair of name and severity.
std::string sast(const std::vector<std::pair<std::string, std::string>>& found) {
  json list = json::array();
  for (const auto& [name, severity] : found)
    list.push_back({{"id", name},
                    {"name", name},
                    {"severity", severity},
                    {"description", "About " + name},
                    {"solution", "Mend it"},
                    {"scanner", {{"id", "semgrep"}, {"name", "Semgrep"}}},
                    {"location", {{"file", "src/" + name + ".py"}, {"start_line", 4}}},
                    {"identifiers", {{{"type", "cwe"}, {"name", "CWE-89"}, {"value", "89"}}}}});
  return json{{"version", "15.0.7"}, {"vulnerabilities", list}}.dump();
}

const std::string kOneJob = "unit: {script: make}";

}  // namespace

TEST_CASE("what a scanner found is there as soon as its report is", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project("group/name"), kOneJob).value);
  const auto job = api.take_job(api.make_runner());
  REQUIRE(send_report(api, job, "sast", sast({{"mild", "Low"}, {"bad", "Critical"}})) == 201);
  REQUIRE(send_report(api, job, "codequality", "no report") == 201);

  const auto list = get(api, id, "");
  CHECK(names(list) == "new bad\nnew mild\n");
  const std::string print = list[0]["fingerprint"];
  CHECK(list[0] == json{{"fingerprint", print},
                        {"kind", "sast"},
                        {"state", "new"},
                        {"severity", "critical"},
                        {"name", "bad"},
                        {"description", "About bad"},
                        {"solution", "Mend it"},
                        {"file", "src/bad.py"},
                        {"line", 4},
                        {"subject", nullptr},
                        {"identifiers", {"CWE-89"}},
                        {"scanner", "Semgrep"},
                        {"job_id", job.id}});
  const auto summary = get(api, id, "/summary");
  CHECK(summary["counts"]["new"]["critical"] == 1);
  CHECK(summary["counts"]["new"]["low"] == 1);
  CHECK(summary["counts"]["known"]["low"] == 0);
  REQUIRE(summary["reports"].size() == 2);
  CHECK(summary["reports"][0]["kind"] == "codequality");
  CHECK(summary["reports"][0]["error"] == "file 1 of the report, line 1: it is no valid JSON");
  CHECK(summary["reports"][1] == json{{"job", {{"id", job.id}, {"name", "unit"}}},
                                      {"kind", "sast"},
                                      {"findings", 2},
                                      {"left_out", 0},
                                      {"error", nullptr}});
  CHECK(summary["bases"][1] == json{{"kind", "sast"}, {"ref", "main"}, {"pipeline_id", nullptr}});
}

TEST_CASE("findings are filtered, searched and paged", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project(), kOneJob).value);
  const auto job = api.take_job(api.make_runner());
  REQUIRE(send_report(api, job, "sast",
                      sast({{"one", "Low"}, {"two", "High"}, {"three", "High"}})) == 201);
  CHECK(names(get(api, id, "?severity=high")) == "new three\nnew two\n");
  CHECK(names(get(api, id, "?state=known")).empty());
  CHECK(names(get(api, id, "?kind=dast")).empty());
  CHECK(names(get(api, id, "?kind=sast&search=TWO.PY")) == "new two\n");
  CHECK(get(api, id, "?search=cwe-89").size() == 3);
  CHECK(get(api, id, "?search=SEMGREP").size() == 3);
  CHECK(names(get(api, id, "?per_page=2&page=2")) == "new one\n");
  CHECK(get(api, id, "?per_page=2&page=3").empty());
  CHECK(api.call("GET", kPipelines + id + "/findings?severity=bad").status == 400);
  CHECK(api.call("GET", kPipelines + id + "/findings?state=old").status == 400);
  CHECK(api.call("GET", kPipelines + id + "/findings?page=0").status == 400);
}

TEST_CASE("findings of another project, or of no pipeline, are not there", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project()).value);
  api.make_project("group/second");
  for (const std::string rest : {"", "/summary"}) {
    CHECK(api.call("GET", "/api/v4/projects/2/pipelines/" + id + "/findings" + rest).status == 404);
    CHECK(api.call("GET", kPipelines + "99/findings" + rest).status == 404);
  }
  CHECK(get(api, id, "/summary")["reports"].empty());
}

TEST_CASE("the gate says what new findings mean, and leaves the jobs alone", "[api]") {
  ApiFixture api;
  const auto project = api.make_project();
  const auto runner = api.make_runner();
  CHECK(api.call("PUT", "/api/v4/projects/1", {{"findings_gate", "severe"}}).status == 400);
  const auto set = api.call("PUT", "/api/v4/projects/1",
                            {{"findings_gate", "high"}, {"forge", "gitlab"}, {"forge_token", "t"}});
  REQUIRE(set.status == 200);
  CHECK(set.body["findings_gate"] == "high");

  const auto run = [&](const std::string& report) {
    const auto id = std::to_string(api.make_pipeline(project, kOneJob).value);
    const auto job = api.take_job(runner);
    CHECK(api.call("GET", kPipelines + id).body["findings_gate"]["state"] == "none");
    if (!report.empty()) REQUIRE(send_report(api, job, "sast", report) == 201);
    finish(api, job);
    const auto shown = api.call("GET", kPipelines + id).body;
    CHECK(shown["status"] == "success");
    return shown["findings_gate"];
  };
  CHECK(run("") == json{{"state", "none"}, {"text", ""}});
  CHECK(run(sast({{"old", "High"}}))["state"] == "failed");
  CHECK(run(sast({{"old", "High"}, {"mild", "Low"}})) ==
        json{{"state", "passed"},
             {"text", "No new findings of severity high or worse against main"}});
  CHECK(
      run(sast({{"old", "High"}, {"fresh", "Critical"}})) ==
      json{{"state", "failed"}, {"text", "1 new finding of severity high or worse against main"}});

  std::vector<std::string> told;
  for (const auto& effect : api.database->read()->outbox.due(api.clock.now(), 100))
    if (effect.kind == "gate_status") told.push_back(effect.payload);
  REQUIRE(!told.empty());
  const auto first = json::parse(told[0]);
  CHECK(first["gate"] == "findings");
  CHECK(first["status"] == "failed");
}
