// Coverage reports from a runner's upload to what the page asks for.

#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"
#include "tests/support/gzip.h"

using namespace slipway;
using namespace slipway::test;
using nlohmann::json;

namespace {

const std::string kPipelines = "/api/v4/projects/1/pipelines/";

// Sends `files` as a coverage report of the job, packed as runners pack them.
int send_report(ApiFixture& api, const ApiFixture::TakenJob& job, const std::string& type,
                const std::vector<std::string>& files) {
  std::string packed;
  for (const std::string& file : files) packed += gzip(file);
  const auto body =
      "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c.gz\"\r\n\r\n" + packed +
      "\r\n--B--\r\n";
  return api.connect()
      .request("POST", job.path() + "/artifacts?artifact_type=" + type + "&artifact_format=gzip",
               job.header() + "Content-Type: multipart/form-data; boundary=B\r\n", body)
      .status;
}

json get(ApiFixture& api, const std::string& pipeline, const std::string& rest) {
  static const OpenApi openapi;
  const auto answer = api.call("GET", kPipelines + pipeline + "/coverage_files" + rest);
  REQUIRE(answer.status == 200);
  const auto pattern = rest.substr(0, rest.find('?'));
  CHECK(openapi.mismatch("GET",
                         "/api/v4/projects/{id}/pipelines/{pipeline_id}/coverage_files" + pattern,
                         200, answer.body) == "");
  return answer.body;
}

std::vector<std::string> paths(const json& files) {
  std::vector<std::string> found;
  for (const auto& file : files) found.push_back(file["path"]);
  return found;
}

using Paths = std::vector<std::string>;

const std::string kCobertura =
    "<coverage><sources><source>/builds/group/name/src</source></"
    "sources><packages><package><classes>"
    "<class filename='half.py'><lines><line number='1' hits='2'/><line number='2' hits='0'/>"
    "<line number='4' hits='0'/><line number='9' hits='1'/></lines></class>"
    "<class filename='whole.py'><lines><line number='1' hits='1'/></lines></class>"
    "<class filename='none.py'><lines><line number='1' hits='0'/></lines></class>"
    "</classes></package></packages></coverage>";

}  // namespace

TEST_CASE("the coverage of a pipeline is there as soon as the report is", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project("group/name")).value);
  const auto job = api.take_job(api.make_runner());
  REQUIRE(send_report(api, job, "cobertura", {kCobertura}) == 201);

  const auto summary = get(api, id, "/summary");
  CHECK(summary["covered"] == 3);
  CHECK(summary["total"] == 6);
  CHECK(summary["percent"] == 50);
  CHECK(summary["files"] == 3);
  CHECK(summary["base"].is_null());
  REQUIRE(summary["reports"].size() == 1);
  CHECK(summary["reports"][0]["job"] == json{{"id", job.id}, {"name", "build"}});
  CHECK(summary["reports"][0]["error"].is_null());

  const auto list = get(api, id, "");
  CHECK(paths(list) == Paths{"src/none.py", "src/half.py", "src/whole.py"});
  CHECK(list[1] == json{{"path", "src/half.py"},
                        {"covered", 2},
                        {"total", 4},
                        {"percent", 50.0},
                        {"before", nullptr}});
  CHECK(paths(get(api, id, "?sort=path")) == Paths{"src/half.py", "src/none.py", "src/whole.py"});
  CHECK(paths(get(api, id, "?per_page=2&page=2")) == Paths{"src/whole.py"});
  CHECK(paths(get(api, id, "?per_page=2&page=3")).empty());
  CHECK(paths(get(api, id, "?search=HALF")) == Paths{"src/half.py"});
  CHECK(api.call("GET", kPipelines + id + "/coverage_files?sort=best").status == 400);

  const auto lines = get(api, id, "/lines?path=src%2Fhalf.py");
  CHECK(lines["percent"] == 50);
  REQUIRE(lines["lines"].size() == 4);
  CHECK(lines["lines"][0] == json{{"number", 1}, {"hits", 2}});
  CHECK(lines["uncovered"] == json::array({{{"from", 2}, {"to", 4}}}));
  CHECK(api.call("GET", kPipelines + id + "/coverage_files/lines").status == 400);
  CHECK(api.call("GET", kPipelines + id + "/coverage_files/lines?path=other").status == 404);
}

TEST_CASE("files are compared with the default branch", "[api]") {
  ApiFixture api;
  const auto project = api.make_project();
  const auto runner = api.make_runner();
  const std::string one_job = "unit: {script: make}";
  api.make_pipeline(project, one_job);
  const auto before = api.take_job(runner);
  REQUIRE(send_report(api, before, "lcov",
                      {"SF:a.c\nDA:1,1\nDA:2,1\nend_of_record\n",
                       "SF:b.c\nDA:1,0\nDA:2,1\nend_of_record\n"}) == 201);
  REQUIRE(api.call_with(before.header(), "PUT", before.path(),
                        {{"token", before.token}, {"state", "success"}})
              .status == 200);
  const auto id = std::to_string(api.make_pipeline(project, one_job).value);
  const auto job = api.take_job(runner);
  REQUIRE(send_report(api, job, "lcov",
                      {"SF:a.c\nDA:1,1\nDA:2,0\nend_of_record\n"
                       "SF:b.c\nDA:1,1\nDA:2,0\nend_of_record\nSF:c.c\nDA:1,1\nend_of_record\n"}) ==
          201);
  const auto summary = get(api, id, "/summary");
  CHECK(summary["base"]["pipeline_id"] == 1);
  CHECK(summary["base"]["percent"] == 75);
  const auto list = get(api, id, "?sort=change");
  CHECK(paths(list) == Paths{"a.c", "b.c", "c.c"});
  CHECK(list[0]["before"] == 100);
  CHECK(list[1]["before"] == 50);
  CHECK(list[2]["before"].is_null());
}

TEST_CASE("a coverage report that nobody can read costs neither the job nor the rest", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project()).value);
  const auto job = api.take_job(api.make_runner());
  REQUIRE(send_report(api, job, "jacoco", {"no report"}) == 201);
  const auto summary = get(api, id, "/summary");
  CHECK(summary["total"] == 0);
  CHECK(summary["reports"][0]["error"] ==
        "file 1 of the report, line 1: it is neither Cobertura, JaCoCo nor LCOV");
  CHECK(get(api, id, "").empty());
}

TEST_CASE("coverage of another project, or of none, is not there", "[api]") {
  ApiFixture api;
  const auto id = std::to_string(api.make_pipeline(api.make_project()).value);
  api.make_project("group/second");
  for (const std::string rest : {"", "/summary", "/lines?path=a"}) {
    CHECK(api.call("GET", "/api/v4/projects/2/pipelines/" + id + "/coverage_files" + rest).status ==
          404);
    CHECK(api.call("GET", kPipelines + "99/coverage_files" + rest).status == 404);
  }
  CHECK(get(api, id, "/summary")["reports"].empty());
}
