#include "cli/server_client.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/http_client.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kUploadPiece = std::size_t{256} << 10U;

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread, at start
  return value == nullptr ? "" : value;
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 400:
    case 422: return ErrorKind::InvalidInput;
    case 401: return ErrorKind::Unauthenticated;
    case 403: return ErrorKind::Denied;
    case 404: return ErrorKind::NotFound;
    case 409: return ErrorKind::Conflict;
    case 413: return ErrorKind::TooLarge;
    default: return status >= 500 ? ErrorKind::Unavailable : ErrorKind::Internal;
  }
}

Error refusal(const HttpResponse& answer) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  std::string message = "the server answered " + std::to_string(answer.status);
  if (json.is_object() && json.contains("message"))
    message += ": " + (json["message"].is_string() ? json["message"].get<std::string>()
                                                   : json["message"].dump());
  Error error = fail(kind_of_status(answer.status), message);
  if (answer.status == 401)
    error.hint = "set SLIPWAY_TOKEN or SLIPWAY_TOKEN_FILE to a personal token of yours";
  return error;
}

Result<HttpClient> client_of(const ServerAddress& server, int attempts) {
  HttpClientOptions options;
  options.attempts = attempts;
  auto client = HttpClient::create(server.url, options);
  if (!client) return std::move(client).error().in("the server's address");
  return client;
}

HttpRequest request_of(const ServerAddress& server, const std::string& method,
                       const std::string& target) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  if (!server.token.empty()) request.headers["PRIVATE-TOKEN"] = server.token;
  return request;
}

}  // namespace

Result<ServerAddress> server_from_environment() {
  ServerAddress server{variable("SLIPWAY_URL"), variable("SLIPWAY_TOKEN")};
  if (server.url.empty()) server.url = "http://127.0.0.1:8080";
  const std::string file = variable("SLIPWAY_TOKEN_FILE");
  if (server.token.empty() && !file.empty()) {
    auto text = read_file(file, 4096);
    if (!text) return std::move(text).error().in("SLIPWAY_TOKEN_FILE");
    server.token = text->substr(0, text->find_first_of("\r\n"));
  }
  return server;
}

Result<nlohmann::json> call(const ServerAddress& server, const std::string& method,
                            const std::string& target, const nlohmann::json* body) {
  auto client = client_of(server, method == "GET" ? 3 : 1);
  if (!client) return std::move(client).error();
  HttpRequest request = request_of(server, method, target);
  if (body != nullptr) request.body = body->dump();
  const auto answer = client->send(request);
  if (!answer) return answer.error();
  if (answer->status >= 300) return refusal(*answer);
  if (answer->body.empty()) return nlohmann::json{};
  auto json = nlohmann::json::parse(answer->body, nullptr, false);
  if (json.is_discarded())
    return fail(ErrorKind::Internal, server.url + " did not answer in JSON")
        .with_hint("is SLIPWAY_URL the address of a Slipway server?");
  return json;
}

Result<void> upload(const ServerAddress& server, const std::string& target,
                    const std::filesystem::path& file) {
  auto client = client_of(server, 1);
  if (!client) return std::move(client).error();
  std::ifstream in{file, std::ios::binary};
  if (!in) return fail(ErrorKind::Internal, "cannot read '" + file.string() + "'");
  HttpRequest request = request_of(server, "POST", target);
  request.content_type = "application/octet-stream";
  request.body_source = [&in] {
    std::string piece(kUploadPiece, '\0');
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.resize(static_cast<std::size_t>(in.gcount()));
    return piece;
  };
  const auto answer = client->send(request);
  if (!answer) return answer.error();
  if (answer->status >= 300) return refusal(*answer);
  return {};
}

Result<std::string> download(const ServerAddress& server, const std::string& target,
                             long long offset, long long most) {
  auto client = client_of(server, 3);
  if (!client) return std::move(client).error();
  HttpRequest request = request_of(server, "GET", target);
  request.headers["Range"] =
      "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + most - 1);
  auto answer = client->send(request);
  if (!answer) return std::move(answer).error();
  if (answer->status == 416) return std::string{};
  if (answer->status >= 300) return refusal(*answer);
  // An empty one is sent whole, whatever the range.
  return answer->status == 206 || offset == 0 ? std::move(answer->body) : std::string{};
}

}  // namespace slipway::cli
