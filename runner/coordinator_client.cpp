#include "runner/coordinator_client.h"

#include <sys/utsname.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/crypto.h"

namespace slipway::runner {
namespace {

using nlohmann::json;

json information(const RunnerIdentity& identity) {
  utsname system{};
  ::uname(&system);
  return {{"name", "slipway"},
          {"version", SLIPWAY_VERSION},
          {"revision", SLIPWAY_VERSION},
          {"platform", "linux"},
          {"architecture", system.machine},
          {"executor", identity.executor},
          {"shell", "bash"},
          {"features",
           {{"variables", true},
            {"image", identity.executor == "docker"},
            {"artifacts", true},
            {"upload_multiple_artifacts", true},
            {"upload_raw_artifacts", true},
            {"refspecs", true},
            {"masking", true},
            {"raw_variables", true},
            {"artifacts_exclude", true},
            {"trace_reset", true},
            {"trace_checksum", true},
            {"trace_size", true},
            {"cancelable", true},
            {"cancel_gracefully", true},
            {"return_exit_code", true}}}};
}

std::string message_of(const HttpResponse& response) {
  const auto body = json::parse(response.body, nullptr, false);
  const bool told = body.is_object() && body.contains("message") && body["message"].is_string();
  return told ? body["message"].get<std::string>() : "no reason given";
}

JobAnswer answer_of(const HttpResponse& response) {
  JobAnswer answer;
  answer.status = response.status;
  answer.job_status = response.header("Job-Status").value_or("");
  if (const auto range = response.header("Range")) {
    const auto dash = range->find('-');
    long long size = 0;
    if (dash != std::string::npos &&
        std::from_chars(range->data() + dash + 1, range->data() + range->size(), size).ec ==
            std::errc{})
      answer.size = size;
  }
  if (answer.status >= 400) answer.message = message_of(response);
  return answer;
}

}  // namespace

Result<CoordinatorClient> CoordinatorClient::create(RunnerIdentity identity,
                                                    std::chrono::milliseconds read_timeout) {
  HttpClientOptions options;
  options.user_agent = "slipway-runner " SLIPWAY_VERSION " (linux)";
  options.read_timeout = read_timeout;
  auto http = HttpClient::create(identity.url, options);
  if (!http) return std::move(http).error();
  return CoordinatorClient{std::move(identity), std::move(*http)};
}

Result<std::int64_t> CoordinatorClient::verify() {
  HttpRequest request;
  request.method = "POST";
  request.target = "/api/v4/runners/verify";
  request.headers["RUNNER-TOKEN"] = identity_.token;
  request.body = json{{"token", identity_.token},
                      {"system_id", identity_.system_id},
                      {"info", information(identity_)}}
                     .dump();
  const auto response = http_.send(request);
  if (!response) return response.error();
  if (response->status == 403)
    return fail(ErrorKind::Denied, "the server does not know this runner's token")
        .with_hint("make a runner on the server's page and register with the token it shows");
  const auto body = json::parse(response->body, nullptr, false);
  if (response->status != 200 || !body.is_object() || !body.contains("id"))
    return fail(ErrorKind::Unavailable, "the server answered " + std::to_string(response->status) +
                                            ": " + message_of(*response));
  return body["id"].get<std::int64_t>();
}

Result<std::optional<HandedJob>> CoordinatorClient::request_job(const std::stop_token& stop) {
  HttpRequest request;
  request.method = "POST";
  request.target = "/api/v4/jobs/request";
  request.headers["RUNNER-TOKEN"] = identity_.token;
  request.body = json{{"token", identity_.token},
                      {"system_id", identity_.system_id},
                      {"info", information(identity_)}}
                     .dump();
  const auto response = http_.send(request, stop);
  if (!response) return response.error();
  if (response->status == 204) return std::optional<HandedJob>{};
  if (response->status == 403)
    return fail(ErrorKind::Denied, "the server does not know this runner's token");
  if (response->status != 201)
    return fail(ErrorKind::Unavailable, "the server answered " + std::to_string(response->status) +
                                            ": " + message_of(*response));
  const auto body = json::parse(response->body, nullptr, false);
  const bool is_job = body.is_object() && body.contains("id") && body["id"].is_number_integer() &&
                      body.contains("token") && body["token"].is_string();
  if (!is_job) return fail(ErrorKind::Internal, "what the server handed out is no job");
  return std::optional{HandedJob{body["id"], body["token"], response->body}};
}

Result<JobAnswer> CoordinatorClient::update(std::int64_t job, const std::string& job_token,
                                            const JobState& state) {
  json body{{"info", information(identity_)}, {"token", job_token}, {"state", state.state}};
  if (!state.failure_reason.empty()) body["failure_reason"] = state.failure_reason;
  if (state.exit_code) body["exit_code"] = *state.exit_code;
  // What GitLab passes over.
  if (!state.text.empty()) body["failure_text"] = state.text;
  if (!state.transfers.empty()) body["transfers"] = to_json(state.transfers);
  if (!state.checksum.empty()) {
    body["checksum"] = state.checksum;
    body["output"] = {{"checksum", state.checksum}, {"bytesize", state.bytesize}};
  }
  HttpRequest request;
  request.method = "PUT";
  request.target = "/api/v4/jobs/" + std::to_string(job);
  request.headers["JOB-TOKEN"] = job_token;
  // A program's words may be no text at all.
  request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto response = http_.send(request);
  if (!response) return response.error();
  return answer_of(*response);
}

Result<JobAnswer> CoordinatorClient::append_trace(std::int64_t job, const std::string& job_token,
                                                  long long offset, std::string bytes) {
  HttpRequest request;
  request.method = "PATCH";
  request.target = "/api/v4/jobs/" + std::to_string(job) + "/trace";
  request.headers["JOB-TOKEN"] = job_token;
  request.headers["Content-Range"] =
      std::to_string(offset) + "-" +
      std::to_string(offset + static_cast<long long>(bytes.size()) - 1);
  request.content_type = "text/plain";
  request.body = std::move(bytes);
  const auto response = http_.send(request);
  if (!response) return response.error();
  return answer_of(*response);
}

Result<JobAnswer> CoordinatorClient::upload(std::int64_t job, const std::string& job_token,
                                            const std::string& type, const std::string& format,
                                            const std::string& filename,
                                            const std::string& expire_in,
                                            const std::function<std::string()>& next) {
  const std::string boundary = "slipway" + random_hex(16);
  std::string name;
  for (const char c : filename)  // into a quoted string of a header
    name += c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ' ? '_' : c;
  HttpRequest request;
  request.method = "POST";
  request.target = "/api/v4/jobs/" + std::to_string(job) +
                   "/artifacts?artifact_format=" + url_encode(format) +
                   "&artifact_type=" + url_encode(type);
  if (!expire_in.empty()) request.target += "&expire_in=" + url_encode(expire_in);
  request.headers["JOB-TOKEN"] = job_token;
  request.content_type = "multipart/form-data; boundary=" + boundary;
  int part = 0;
  request.body_source = [&, boundary, name]() -> std::string {
    if (part == 0) {
      part = 1;
      return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" +
             name + "\"\r\nContent-Type: application/octet-stream\r\n\r\n";
    }
    if (part == 2) return {};
    std::string bytes = next();
    if (!bytes.empty()) return bytes;
    part = 2;
    return "\r\n--" + boundary + "--\r\n";
  };
  const auto response = http_.send(request);
  if (!response) return response.error();
  return answer_of(*response);
}

Result<JobAnswer> CoordinatorClient::download(std::int64_t dependency, const std::string& token,
                                              const std::function<bool(std::string_view)>& take) {
  HttpRequest request;
  request.target = "/api/v4/jobs/" + std::to_string(dependency) + "/artifacts";
  request.headers["JOB-TOKEN"] = token;
  request.body_sink = take;
  const auto response = http_.send(request);
  if (!response) return response.error();
  return answer_of(*response);
}

Result<std::unique_ptr<JobLink>> CoordinatorClient::another(
    std::chrono::milliseconds read_timeout) const {
  auto made = create(identity_, read_timeout);
  if (!made) return std::move(made).error();
  return std::unique_ptr<JobLink>{std::make_unique<CoordinatorClient>(std::move(*made))};
}

}  // namespace slipway::runner
