// The one way out over HTTP: time-outs, size limits, no automatic redirects, retries with jitter.
//
// Instances keep one connection alive and are used by one thread at a time. The circuit breaker is
// per instance: after `breaker_failures` transport failures in a row, calls fail at once with
// Unavailable until `breaker_pause` has passed.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout{std::chrono::seconds{10}};
  std::chrono::milliseconds read_timeout{std::chrono::seconds{70}};  // longer than a held poll
  std::size_t body_limit = std::size_t{64} << 20U;
  int attempts = 1;                              // >1 retries 408, 429, 5xx and transport errors
  std::chrono::milliseconds first_backoff{100};  // doubles up to 60 s, with full jitter
  int breaker_failures = 10;
  std::chrono::milliseconds breaker_pause{std::chrono::seconds{5}};
  std::string user_agent = "slipway";
  // A numeric address to connect to instead of asking for the host's; "" asks.
  std::string connect_to;
};

struct HttpResponse {
  int status = 0;
  std::multimap<std::string, std::string> headers;  // names as sent; look up with header()
  std::string body;

  // Case-insensitive; the first value, or nullopt.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query, appended to the base URL's path
  std::map<std::string, std::string> headers;
  std::string body;
  std::string content_type = "application/json";  // sent only with a body
  // Instead of `body`: produces the bytes of a chunked upload; "" ends it. Not retried.
  std::function<std::string()> body_source;
  // Instead of HttpResponse::body: receives the bytes as they come; false aborts.
  std::function<bool(std::string_view)> body_sink;
};

class HttpClient {
 public:
  // `base_url` is http:// or https://, with an optional path prefix. InvalidInput otherwise.
  static Result<HttpClient> create(const std::string& base_url, HttpClientOptions options = {});

  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // Unavailable: no answer at all. Any answer, whatever its status, is a value.
  // `stop` is looked at between attempts; interrupt() ends a call that waits.
  Result<HttpResponse> send(const HttpRequest& request, const std::stop_token& stop = {});

  // Closes the connection under a call in progress, from any thread; that call ends Unavailable.
  void interrupt();

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3).
std::string url_encode(std::string_view text);
// Decodes %XX; '+' stays. nullopt for a broken escape or an encoded NUL.
std::optional<std::string> url_decode(std::string_view text);

}  // namespace slipway
