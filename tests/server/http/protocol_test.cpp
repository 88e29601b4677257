// The runner protocol over raw HTTP, against the real coordinator and stores.

#include <spdlog/fmt/fmt.h>

#include <thread>

#include "base/crypto.h"
#include "tests/server/http/api_fixture.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::ApiFixture;
using namespace std::chrono_literals;

json final_state(const std::string& state, const std::string& log) {
  return {{"state", state},
          {"output",
           {{"bytesize", log.size()},
            {"checksum", fmt::format("crc32:{:08x}", crc32_update(0, log))}}}};
}

TEST_CASE("a runner verifies its token and leaves", "[protocol]") {
  ApiFixture api;
  const auto token = api.make_runner();
  const json body{
      {"token", token},
      {"system_id", "s_0123456789ab"},
      {"info", {{"version", "19.4.0"}, {"executor", "shell"}, {"features", {{"x", true}}}}}};

  const auto verified = api.call_with("", "POST", "/api/v4/runners/verify", body);
  CHECK(verified.status == 200);
  CHECK(verified.body["id"].get<int>() > 0);
  CHECK(verified.body["token"] == token);
  CHECK(verified.body["token_expires_at"].is_null());
  CHECK(verified.raw.header("content-type") == "application/json");

  // Nobody waits for this to be written.
  json seen;
  do seen = api.call("GET", "/api/v4/runners").body[0];
  while (seen["online"] == false);
  CHECK(seen["managers"][0]["system_id"] == "s_0123456789ab");
  CHECK(seen["managers"][0]["executor"] == "shell");

  CHECK(api.call_with("", "DELETE", "/api/v4/runners/managers", body).status == 204);
  CHECK(api.call_with("", "DELETE", "/api/v4/runners/managers", body).status == 404);
  CHECK(api.call_with("", "DELETE", "/api/v4/runners/managers", {{"token", token}}).status == 400);
}

TEST_CASE("unknown and missing runner tokens are told apart", "[protocol]") {
  ApiFixture api;
  CHECK(api.call_with("", "POST", "/api/v4/runners/verify", {{"token", "glrt-no"}}).status == 403);
  CHECK(api.call_with("", "POST", "/api/v4/runners/verify", json::object()).status == 400);
  CHECK(api.call_with("", "POST", "/api/v4/jobs/request", {{"token", "glrt-no"}}).status == 403);
  const auto legacy = api.call_with("", "POST", "/api/v4/runners", {{"token", "GR1348"}});
  CHECK(legacy.status == 410);
  CHECK(legacy.body["message"].get<std::string>().starts_with("410 Gone"));
}

TEST_CASE("a poll without a job is held and then answered 204", "[protocol]") {
  ApiFixture api{10ms};
  const auto token = api.make_runner();
  const auto answer = api.call_with("", "POST", "/api/v4/jobs/request", {{"token", token}});
  CHECK(answer.status == 204);
  CHECK(answer.raw.header("x-gitlab-last-update") == "0");
}

TEST_CASE("of two runners that wait one gets the job", "[protocol]") {
  ApiFixture api;
  const auto project = api.make_project();
  const auto token = api.make_runner();
  const auto request = "POST /api/v4/jobs/request HTTP/1.1\r\nHost: a\r\nRUNNER-TOKEN: " + token +
                       "\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n"
                       "\r\n{}";
  auto first = api.connect();
  auto second = api.connect();
  first.send(request);
  second.send(request);
  while (api.dispatch->waiting_runners() < 2) std::this_thread::yield();

  api.make_pipeline(project);
  while (api.dispatch->waiting_runners() > 1) std::this_thread::yield();
  api.http->stop();

  const auto a = first.receive();
  const auto b = second.receive();
  REQUIRE(a);
  REQUIRE(b);
  CHECK(a->status + b->status == 201 + 204);
  const auto& given = a->status == 201 ? *a : *b;
  CHECK(json::parse(given.body)["job_info"]["name"] == "build");
  CHECK(given.header("content-type") == "application/json");
}

TEST_CASE("a runner that hangs up while it waits loses no job", "[protocol]") {
  ApiFixture api;
  const auto project = api.make_project();
  const auto token = api.make_runner();
  {
    auto client = api.connect();
    client.send("POST /api/v4/jobs/request HTTP/1.1\r\nHost: a\r\nRUNNER-TOKEN: " + token +
                "\r\nContent-Length: 2\r\n\r\n{}");
    while (api.dispatch->waiting_runners() < 1) std::this_thread::yield();
  }
  while (api.dispatch->waiting_runners() > 0) std::this_thread::yield();
  api.make_pipeline(project);
  CHECK(api.take_job(token).id > 0);
}

TEST_CASE("a job goes from request to success", "[protocol]") {
  ApiFixture api;
  const auto project = api.make_project();
  api.make_pipeline(project);
  const auto token = api.make_runner();
  const auto job = api.take_job(token);
  const auto state = [&] {
    return api.call("GET", "/api/v4/projects/group%2Fname/jobs/" + std::to_string(job.id))
        .body["status"]
        .get<std::string>();
  };
  CHECK(state() == "pending");

  const auto ack =
      api.call_with("", "PUT", job.path(), {{"token", job.token}, {"state", "running"}});
  CHECK(ack.status == 200);
  CHECK(ack.raw.header("job-status") == "running");
  CHECK(state() == "running");

  const std::string log = "hello\nworld\n";
  const auto patched = api.patch_trace(job, 0, log);
  CHECK(patched.status == 202);
  CHECK(patched.header("range") == "0-12");
  CHECK(patched.header("job-status") == "running");
  CHECK(patched.header("x-gitlab-trace-update-interval") == "10");

  const auto done = api.call_with(job.header(), "PUT", job.path(), final_state("success", log));
  CHECK(done.status == 200);
  CHECK(done.raw.header("job-status") == "success");
  CHECK(state() == "success");
  CHECK(api.call_with(job.header(), "PUT", job.path(), final_state("success", log)).status == 200);
  CHECK(api.call("GET", "/api/v4/projects/1/jobs/" + std::to_string(job.id) + "/trace").raw.body ==
        log);
  CHECK(api.patch_trace(job, 12, "late").status == 403);
  CHECK(api.take_job(token).id != job.id);
}

TEST_CASE("the first piece of log acknowledges a job", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  CHECK(api.patch_trace(job, 0, "x").status == 202);
  CHECK(api.call("GET", "/api/v4/projects/1/jobs/" + std::to_string(job.id)).body["status"] ==
        "running");
}

TEST_CASE("log pieces must go on where the log ends", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  REQUIRE(api.patch_trace(job, 0, "12345").status == 202);
  for (const long long offset : {0, 3, 9}) {
    const auto refused = api.patch_trace(job, offset, "12345");
    CHECK(refused.status == 416);
    CHECK(refused.header("range") == "0-5");
    CHECK(refused.header("job-status") == "running");
  }
  CHECK(api.patch_trace(job, 5, "6").status == 202);
  CHECK(api.connect().request("PATCH", job.path() + "/trace", job.header(), "x").body ==
        R"({"message":"Content-Range is missing"})");
  CHECK(api.connect()
            .request("PATCH", job.path() + "/trace", job.header() + "Content-Range: x\r\n", "x")
            .status == 400);
}

TEST_CASE("a log past its limit fails the job and says so", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  const auto refused = api.patch_trace(job, 0, std::string((1 << 20) + 1, 'x'));
  CHECK(refused.status == 403);
  CHECK(refused.header("job-status") == "failed");
  const auto seen = api.call("GET", "/api/v4/projects/1/jobs/" + std::to_string(job.id)).body;
  CHECK(seen["status"] == "failed");
  CHECK(seen["failure_reason"] == "trace_size_exceeded");
}

TEST_CASE("a log that is not complete is asked for again, and in the end accepted", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  REQUIRE(api.patch_trace(job, 0, "1234").status == 202);
  const auto finish = [&] {
    return api.call_with(job.header(), "PUT", job.path(), final_state("success", "123456")).status;
  };
  CHECK(finish() == 202);
  CHECK(finish() == 412);
  CHECK(api.patch_trace(job, 0, "123456").status == 202);
  CHECK(finish() == 200);
}

TEST_CASE("a log with other bytes is sent again once, then taken as it is", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  REQUIRE(api.patch_trace(job, 0, "12x4").status == 202);
  const auto finish = [&] {
    return api.call_with(job.header(), "PUT", job.path(), final_state("success", "1234")).status;
  };
  CHECK(finish() == 412);
  REQUIRE(api.patch_trace(job, 0, "12x4").status == 202);
  CHECK(finish() == 412);
  REQUIRE(api.patch_trace(job, 0, "12x4").status == 202);
  CHECK(finish() == 200);
}

TEST_CASE("a failure keeps its reason and exit code", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  const auto done =
      api.call_with(job.header(), "PUT", job.path(),
                    {{"state", "failed"}, {"failure_reason", "script_failure"}, {"exit_code", 42}});
  CHECK(done.status == 200);
  const auto seen = api.call("GET", "/api/v4/projects/1/jobs/" + std::to_string(job.id)).body;
  CHECK(seen["status"] == "failed");
  CHECK(seen["exit_code"] == 42);
  CHECK(seen["failure_reason"] == "script_failure");
  CHECK_FALSE(seen["reason"]["text"].get<std::string>().empty());
}

TEST_CASE("what the runner says of a failure becomes a sentence of the job's reason",
          "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  api.call_with(job.header(), "PUT", job.path(),
                {{"state", "failed"},
                 {"failure_reason", "script_failure"},
                 {"exit_code", 137},
                 {"failure_text", "the job ran out\nof memory"}});
  const auto reason = [&] {
    return api.call("GET", "/api/v4/projects/1/jobs/" + std::to_string(job.id))
        .body["reason"]["text"]
        .get<std::string>();
  };
  CHECK(reason() == "Its script failed with exit code 137. The job ran out of memory.");
}

TEST_CASE("a runner cannot fill a page with the text of a failure", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  std::string umlauts;
  for (int i = 0; i < 400; ++i) umlauts += "ä";
  api.call_with(job.header(), "PUT", job.path(),
                {{"state", "failed"},
                 {"failure_reason", "runner_system_failure"},
                 {"failure_text", "x" + umlauts}});
  const auto seen = api.call("GET", "/api/v4/projects/1/jobs/" + std::to_string(job.id)).body;
  const std::string text = seen["reason"]["text"];
  CHECK(text.size() < 600);
  CHECK(text.find("ä….") != std::string::npos);
}

TEST_CASE("a canceled job's runner is told, and its end is canceled", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  REQUIRE(api.patch_trace(job, 0, "x").status == 202);
  const auto path = "/api/v4/projects/1/jobs/" + std::to_string(job.id);
  CHECK(api.call("POST", path + "/cancel").status == 201);
  CHECK(api.patch_trace(job, 1, "y").header("job-status") == "canceling");
  const auto done = api.call_with(job.header(), "PUT", job.path(), {{"state", "failed"}});
  CHECK(done.status == 200);
  CHECK(api.call("GET", path).body["status"] == "canceled");
}

TEST_CASE("a job's token opens nothing of another job", "[protocol]") {
  ApiFixture api;
  const auto project = api.make_project();
  api.make_pipeline(project);
  api.make_pipeline(project);
  const auto runner = api.make_runner();
  auto mine = api.take_job(runner);
  const auto other = api.take_job(runner);
  mine.id = other.id;
  CHECK(api.patch_trace(mine, 0, "x").status == 403);
  CHECK(api.call_with(mine.header(), "PUT", mine.path(), {{"state", "success"}}).status == 403);
  CHECK(api.call_with(mine.header(), "POST", mine.path() + "/artifacts").status == 403);
  mine.token = "glcbt-wrong";
  CHECK(api.patch_trace(mine, 0, "x").status == 403);
  CHECK(api.call_with(mine.header(), "GET", mine.path() + "/artifacts").status == 403);
}

TEST_CASE("artifacts go up chunked and down whole", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto runner = api.make_runner();
  const auto job = api.take_job(runner);
  const std::string bytes(200'000, 'z');
  const auto body =
      "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\r\n" + bytes +
      "\r\n--B--\r\n";
  const auto upload = [&] {
    auto client = api.connect();
    client.send(
        "POST " + job.path() +
        "/artifacts?artifact_format=zip&expire_in=1+week HTTP/1.1\r\n"
        "Host: a\r\n" +
        job.header() +
        "Content-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (std::size_t at = 0; at < body.size(); at += 50'000) {
      const auto piece = body.substr(at, 50'000);
      client.send(fmt::format("{:x}\r\n", piece.size()) + piece + "\r\n");
    }
    client.send("0\r\n\r\n");
    return client.receive()->status;
  };
  CHECK(upload() == 201);
  CHECK(upload() == 201);  // the first answer may have been lost

  const auto down =
      api.call_with(job.header(), "GET", job.path() + "/artifacts?direct_download=true");
  CHECK(down.status == 200);
  CHECK(down.raw.body == bytes);
  CHECK(down.raw.header("content-disposition") == "attachment; filename=\"a.zip\"");
  CHECK(down.raw.header("content-security-policy") == "sandbox; default-src 'none'");
  const auto path = "/api/v4/projects/1/jobs/" + std::to_string(job.id);
  CHECK(api.call("GET", path + "/artifacts").raw.body == bytes);
  const auto seen = api.call("GET", path).body["artifacts"];
  REQUIRE(seen.size() == 1);
  CHECK(seen[0]["size"] == bytes.size());
  CHECK(seen[0]["filename"] == "a.zip");
}

TEST_CASE("an upload that is too large or no upload leaves nothing", "[protocol]") {
  ApiFixture api;
  api.make_pipeline(api.make_project());
  const auto job = api.take_job(api.make_runner());
  auto client = api.connect();
  const auto path = job.path() + "/artifacts";
  const auto form = job.header() + "Content-Type: multipart/form-data; boundary=B\r\n";
  CHECK(client.request("POST", path, form, std::string(3 << 20, 'x')).status == 413);
  auto second = api.connect();
  CHECK(second.request("POST", path, form, "garbage").status == 400);
  CHECK(api.connect().request("POST", path, job.header(), "x").status == 400);
  CHECK(api.connect().request("POST", path + "?expire_in=soon", form, "x").status == 400);
  CHECK(api.connect().request("GET", path, job.header()).status == 404);
}

TEST_CASE("a payload that cannot be made fails the job, not the runner", "[protocol]") {
  ApiFixture api;
  api.outside.payload_fails = true;
  api.make_pipeline(api.make_project());
  const auto token = api.make_runner();
  CHECK(api.call_with("", "POST", "/api/v4/jobs/request", {{"token", token}}).status == 204);
  while (api.call("GET", "/api/v4/projects/1/jobs?scope=failed").body.empty())
    std::this_thread::yield();
}

}  // namespace
}  // namespace slipway::server::http
