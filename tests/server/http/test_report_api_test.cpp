// Test reports from a runner's upload to what GitLab's API and the page ask for.

#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"
#include "tests/support/gzip.h"

using namespace slipway;
using namespace slipway::test;
using nlohmann::json;

namespace {

const std::string kPipelines = "/api/v4/projects/1/pipelines/";

// Sends `files` as the JUnit report of the job, packed as runners pack them.
int send_report(ApiFixture& api, const ApiFixture::TakenJob& job,
                const std::vector<std::string>& files) {
  std::string packed;
  for (const std::string& file : files) packed += gzip(file);
  const auto body =
      "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"junit.xml.gz\"\r\n\r\n" +
      packed + "\r\n--B--\r\n";
  return api.connect()
      .request("POST", job.path() + "/artifacts?artifact_type=junit&artifact_format=gzip",
               job.header() + "Content-Type: multipart/form-data; boundary=B\r\n", body)
      .status;
}

json get(ApiFixture& api, const std::string& pattern, const std::string& target) {
  static const OpenApi openapi;
  const auto answer = api.call("GET", target);
  REQUIRE(answer.status == 200);
  CHECK(openapi.mismatch("GET", "/api/v4/projects/{id}" + pattern, 200, answer.body) == "");
  return answer.body;
}

std::vector<std::string> names(const json& tests) {
  std::vector<std::string> found;
  for (const auto& test : tests) found.push_back(test["name"]);
  return found;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the tests of a pipeline are there as soon as the report is", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project()).value);
  const auto job = api.take_job(api.make_runner());
  REQUIRE(send_report(
              api, job,
              {"<testsuite><testcase classname='Calc' name='adds' time='1.5'/>"
               "<testcase classname='Calc' name='divides' file='calc.py'><failure message='by 0'/>"
               "</testcase></testsuite>",
               "<testsuite><testcase name='later'><skipped/></testcase><testcase name='shaky'>"
               "<flakyFailure message='once'/></testcase></testsuite>"}) == 201);

  const auto report =
      get(api, "/pipelines/{pipeline_id}/test_report", kPipelines + id + "/test_report");
  CHECK(report["total_count"] == 4);
  CHECK(report["failed_count"] == 1);
  CHECK(report["total_time"] == 1.5);
  REQUIRE(report["test_suites"].size() == 1);
  const auto& suite = report["test_suites"][0];
  CHECK(suite["name"] == "build");
  CHECK(suite["suite_error"].is_null());
  CHECK(names(suite["test_cases"]) == Names{"adds", "divides", "later", "shaky"});
  CHECK(suite["test_cases"][1]["system_output"] == "by 0");
  CHECK(suite["test_cases"][1]["recent_failures"] == json{{"count", 1}, {"base_branch", "main"}});

  const auto summary = get(api, "/pipelines/{pipeline_id}/test_report_summary",
                           kPipelines + id + "/test_report_summary");
  CHECK(summary["total"]["count"] == 4);
  CHECK(summary["test_suites"][0]["build_ids"] == json::array({job.id}));

  const auto list = [&](const std::string& query) {
    return names(get(api, "/pipelines/{pipeline_id}/tests", kPipelines + id + "/tests" + query));
  };
  CHECK(list("") == Names{"divides", "shaky", "later", "adds"});
  CHECK(list("?per_page=2&page=2") == Names{"later", "adds"});
  CHECK(list("?status=flaky") == Names{"shaky"});
  CHECK(list("?status=success") == Names{"shaky", "adds"});
  CHECK(list("?search=CALC") == Names{"divides", "adds"});
  CHECK(list("?job=build") == Names{"divides", "shaky", "later", "adds"});
  CHECK(list("?job=other").empty());
  CHECK(api.call("GET", kPipelines + id + "/tests?status=green").status == 400);

  const auto compared =
      get(api, "/pipelines/{pipeline_id}/tests/comparison", kPipelines + id + "/tests/comparison");
  CHECK(compared["base"].is_null());
  CHECK(names(compared["new_failures"]) == Names{"divides"});
  const auto flaky = get(api, "/tests/flaky", "/api/v4/projects/1/tests/flaky");
  REQUIRE(names(flaky) == Names{"shaky"});
  const std::string key = compared["new_failures"][0]["key"];
  const auto history =
      get(api, "/tests/history", "/api/v4/projects/1/tests/history?job=build&key=" + key);
  REQUIRE(history.size() == 1);
  CHECK(history[0]["status"] == "failed");
  CHECK(api.call("GET", "/api/v4/projects/1/tests/history?job=build").status == 400);
}

TEST_CASE("a report that nobody can read costs neither the job nor the rest", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project()).value);
  const auto job = api.take_job(api.make_runner());
  REQUIRE(send_report(api, job, {"<testsuite><testcase name='a'/>", "not xml"}) == 201);
  const auto report =
      get(api, "/pipelines/{pipeline_id}/test_report", kPipelines + id + "/test_report");
  CHECK(report["total_count"] == 1);
  CHECK(report["test_suites"][0]["suite_error"] ==
        "file 1 of the report, line 1, column 32: no element found");
}

TEST_CASE("test reports of another project, or of none, are not there", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project()).value);
  api.make_project("group/second");
  CHECK(api.call("GET", "/api/v4/projects/2/pipelines/" + id + "/tests").status == 404);
  CHECK(api.call("GET", "/api/v4/projects/1/pipelines/99/test_report").status == 404);
  const auto report =
      get(api, "/pipelines/{pipeline_id}/test_report", kPipelines + id + "/test_report");
  CHECK(report["total_count"] == 0);
  CHECK(report["test_suites"].empty());
}
