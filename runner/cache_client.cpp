#include "runner/cache_client.h"

#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

using nlohmann::json;

constexpr int kAttempts = 4;

Error refused(const HttpResponse& response) {
  const auto body = json::parse(response.body, nullptr, false);
  const bool told = body.is_object() && body.contains("message") && body["message"].is_string();
  return fail(ErrorKind::Unavailable,
              "the server answered " + std::to_string(response.status) +
                  (told ? ": " + body["message"].get<std::string>() : std::string{}));
}

Result<std::vector<std::string>> missing_of(const HttpResponse& response) {
  const auto body = json::parse(response.body, nullptr, false);
  if (!body.is_object() || !body.contains("missing") || !body["missing"].is_array())
    return refused(response);
  std::vector<std::string> ids;
  for (const json& id : body["missing"])
    if (id.is_string()) ids.push_back(id);
  return ids;
}

}  // namespace

Result<CacheClient> CacheClient::create(const std::string& url, std::int64_t job, std::string token,
                                        std::chrono::milliseconds read_timeout) {
  HttpClientOptions options;
  options.user_agent = "slipway-runner";
  options.read_timeout = read_timeout;
  options.attempts = kAttempts;
  auto http = HttpClient::create(url, options);
  if (!http) return std::move(http).error();
  return CacheClient{job, std::move(token), std::move(*http)};
}

HttpRequest CacheClient::request(const char* method, const std::string& path,
                                 const std::string& key) const {
  HttpRequest request;
  request.method = method;
  request.target =
      "/api/v4/jobs/" + std::to_string(job_) + "/cache" + path + "?key=" + url_encode(key);
  request.headers["JOB-TOKEN"] = token_;
  return request;
}

Result<std::optional<CacheList>> CacheClient::list(const std::string& key) {
  const auto response = http_.send(request("GET", "", key));
  if (!response) return response.error();
  if (response->status == 404) return std::optional<CacheList>{};
  if (response->status != 200) return refused(*response);
  auto list = cache_list_from_json(json::parse(response->body, nullptr, false));
  if (!list) return std::move(list).error();
  return std::optional{std::move(*list)};
}

Result<std::string> CacheClient::piece(const std::string& key, const std::string& id) {
  auto response = http_.send(request("GET", "/pieces/" + id, key));
  if (!response) return std::move(response).error();
  if (response->status != 200) return refused(*response);
  return std::move(response->body);
}

Result<std::vector<std::string>> CacheClient::missing(const std::string& key,
                                                      const std::vector<std::string>& ids) {
  HttpRequest asked = request("POST", "/missing", key);
  asked.body = json{{"pieces", ids}}.dump();
  const auto response = http_.send(asked);
  if (!response) return response.error();
  if (response->status != 200) return refused(*response);
  return missing_of(*response);
}

Result<void> CacheClient::send_piece(const std::string& key, const std::string& id,
                                     std::string packed) {
  HttpRequest sent = request("PUT", "/pieces/" + id, key);
  sent.content_type = "application/zstd";
  sent.body = std::move(packed);
  const auto response = http_.send(sent);
  if (!response) return response.error();
  if (response->status != 204) return refused(*response);
  return {};
}

Result<std::vector<std::string>> CacheClient::store(const std::string& key, const CacheList& list) {
  HttpRequest sent = request("PUT", "", key);
  sent.body = to_json(list).dump();
  const auto response = http_.send(sent);
  if (!response) return response.error();
  if (response->status == 204) return std::vector<std::string>{};
  if (response->status == 409) return missing_of(*response);
  return refused(*response);
}

}  // namespace slipway::runner
