// Keeping, expiring and deleting artifacts over the API, compared with openapi.yaml.
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::ApiFixture;
using test::check_contract;

const std::string kJob = "/api/v4/projects/{id}/jobs/{job_id}";

// A job in a runner's hands that uploads what it is told to.
struct Fixture {
  ApiFixture api;
  PipelineId pipeline = api.make_pipeline(api.make_project());
  ApiFixture::TakenJob job = api.take_job(api.make_runner());
  std::string path = "/api/v4/projects/1/jobs/" + std::to_string(job.id);

  void upload(const std::string& query = "", const std::string& type = "archive") {
    const auto answer = api.connect().request(
        "POST", job.path() + "/artifacts?artifact_format=zip&artifact_type=" + type + query,
        job.header() + "Content-Type: multipart/form-data; boundary=B\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\r\nx"
        "\r\n--B--\r\n");
    REQUIRE(answer.status == 201);
  }
  // Their time is up since `ago`.
  void pass_time(std::chrono::milliseconds ago = std::chrono::minutes{1}) {
    change([&](WriteTransaction& write) {
      for (const auto& row : write.stores.artifacts.of_job(JobId{job.id}))
        write.stores.artifacts.expire(row.id, write.now - ago.count());
    });
  }
  template <typename F>
  void change(F&& act) {
    REQUIRE(api.coordinator->write<void>([&](WriteTransaction& write) -> Result<void> {
      act(write);
      return {};
    }));
  }
  void end_pipeline(const std::string& status) {
    change([&](WriteTransaction& write) {
      auto row = *write.stores.pipelines.find(pipeline);
      row.status = status;
      row.finished_at = write.now;
      write.stores.pipelines.update_state(row);
    });
  }
  json view() { return api.call("GET", path).body; }
  int download() { return api.call("GET", path + "/artifacts").status; }
};

}  // namespace

TEST_CASE("expired artifacts are gone for everybody, and the job says when and why", "[api]") {
  Fixture f;
  f.upload("&expire_in=1+hour");
  CHECK(f.download() == 200);
  CHECK(f.view()["artifacts_expire_at"].is_string());
  CHECK(f.view()["artifacts_removed"].is_null());
  f.pass_time();
  const auto seen = f.api.call("GET", f.path);
  check_contract("GET", kJob, seen, 200);
  CHECK(seen.body["artifacts"].empty());
  CHECK(seen.body["artifacts_removed"]["reason"] == "expired");
  CHECK(f.download() == 404);
  CHECK(f.api.call_with(f.job.header(), "GET", f.job.path() + "/artifacts").status == 404);

  // Kept now, as those of the last pipeline that succeeded.
  f.end_pipeline("success");
  CHECK(f.download() == 200);
  CHECK(f.view()["artifacts"][0]["kept"] == true);
  const auto project = f.api.call("PUT", "/api/v4/projects/1", {{"keep_latest_artifact", false}});
  check_contract("PUT", "/api/v4/projects/{id}", project, 200);
  CHECK(project.body["keep_latest_artifact"] == false);
  CHECK(f.download() == 404);
  CHECK(f.api.call("PUT", "/api/v4/projects/1", {{"keep_latest_artifact", "no"}}).status == 400);
}

TEST_CASE("uploads that name no time get the server's, and 'never' is never", "[api]") {
  Fixture f;
  f.upload();
  CHECK(f.view()["artifacts_expire_at"].is_null());  // the server's is 0 here
  f.upload("&expire_in=never");
  CHECK(f.view()["artifacts_expire_at"].is_null());
  f.upload("&expire_in=2+days");
  CHECK(f.view()["artifacts_expire_at"].is_string());
}

TEST_CASE("artifacts are kept by hand as long as they are there", "[api]") {
  Fixture f;
  CHECK(f.api.call("POST", f.path + "/artifacts/keep").status == 404);
  f.upload("&expire_in=1+hour");
  const auto kept = f.api.call("POST", f.path + "/artifacts/keep");
  check_contract("POST", kJob + "/artifacts/keep", kept, 200);
  CHECK(kept.body["artifacts_expire_at"].is_null());
  CHECK(kept.body["artifacts"].size() == 1);
  f.pass_time();
  CHECK(f.api.call("POST", f.path + "/artifacts/keep").status == 404);
  CHECK(f.api.call("POST", "/api/v4/projects/1/jobs/999/artifacts/keep").status == 404);
}

TEST_CASE("a job's artifacts are deleted, by whom is on record, and an upload brings others",
          "[api]") {
  Fixture f;
  f.upload();
  f.upload("", "junit");
  check_contract("DELETE", kJob + "/artifacts", f.api.call("DELETE", f.path + "/artifacts"), 204);
  const auto seen = f.api.call("GET", f.path);
  check_contract("GET", kJob, seen, 200);
  CHECK(seen.body["artifacts"].empty());
  CHECK(seen.body["artifacts_removed"]["reason"] == "deleted");
  CHECK(seen.body["artifacts_removed"]["removed_by"] == "ann");
  CHECK(f.download() == 404);
  CHECK(f.api.database->read()->artifacts.dead_blobs(0, 10).size() == 2);
  CHECK(f.api.database->read()->audit.list({}).rows[0].action == "artifacts.deleted");
  CHECK(f.api.call("DELETE", f.path + "/artifacts").status == 204);
  CHECK(f.api.call("DELETE", "/api/v4/projects/1/jobs/999/artifacts").status == 404);
  f.upload();
  CHECK(f.view()["artifacts_removed"].is_null());
  CHECK(f.download() == 200);
}

TEST_CASE("a project's artifacts go, but what is kept and what is needed still", "[api]") {
  Fixture f;
  f.upload("&expire_in=never");
  const std::string all = "/api/v4/projects/1/artifacts";
  check_contract("DELETE", "/api/v4/projects/{id}/artifacts", f.api.call("DELETE", all), 202);
  CHECK(f.download() == 200);  // the pipeline runs
  f.end_pipeline("success");
  CHECK(f.api.call("DELETE", all).status == 202);
  CHECK(f.download() == 200);  // the last that succeeded
  f.end_pipeline("failed");
  CHECK(f.api.call("DELETE", all).status == 202);
  CHECK(f.download() == 404);
  CHECK(f.view()["artifacts_removed"]["reason"] == "expired");
}

}  // namespace slipway::server::http
