#include "base/http_client.h"

#define CPPHTTPLIB_OPENSSL_SUPPORT
#include <httplib.h>

#include <strings.h>
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>

namespace slipway {
namespace {

bool is_unreserved(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_retryable(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504) ||
         status >= 512;
}

// Full jitter: anything from nothing to the doubled back-off, so that many clients spread out.
std::chrono::milliseconds backoff(std::chrono::milliseconds first, int attempt) {
  const auto longest = std::min<long long>(first.count() << std::min(attempt, 16), 60'000);
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::milliseconds{std::uniform_int_distribution<long long>{0, longest}(random)};
}

void sleep_unless_stopped(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock{mutex};
  wake.wait_for(lock, stop, time, [] { return false; });
}

struct BaseUrl {
  std::string origin;  // scheme://host:port
  std::string prefix;  // path without a trailing slash
};

Result<BaseUrl> split_url(const std::string& url) {
  const auto invalid = [&](const char* why) {
    return fail(ErrorKind::InvalidInput, "'" + url + "' is no server address: " + why)
        .with_hint("write it as http://host:port or https://host");
  };
  std::size_t host = 0;
  if (url.rfind("http://", 0) == 0) host = 7;
  if (url.rfind("https://", 0) == 0) host = 8;
  if (host == 0) return invalid("it must start with http:// or https://");
  const auto path = std::min(url.find('/', host), url.size());
  const std::string authority = url.substr(host, path - host);
  if (authority.empty() || authority.find_first_of("@ \t\r\n") != std::string::npos)
    return invalid("the host is missing or holds characters that do not belong there");
  BaseUrl base{url.substr(0, path), url.substr(path)};
  while (!base.prefix.empty() && base.prefix.back() == '/') base.prefix.pop_back();
  return base;
}

std::string host_of(const std::string& origin) {
  const std::string authority = origin.substr(origin.find("://") + 3);
  if (authority.front() == '[') return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace

std::optional<std::string> HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0)
      return value;
  return std::nullopt;
}

std::string url_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte)) {
      encoded += c;
      continue;
    }
    static constexpr char kHex[] = "0123456789ABCDEF";
    encoded.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
  }
  return encoded;
}

std::optional<std::string> url_decode(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]);
    const int low = digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

struct HttpClient::State {
  State(BaseUrl base, HttpClientOptions with)
      : url(std::move(base)), options(std::move(with)), client(url.origin) {
    client.set_tcp_nodelay(true);  // else each answer on a kept connection takes 44 ms
    client.set_keep_alive(true);
    client.set_follow_location(false);
    client.set_decompress(false);
    client.set_connection_timeout(options.connect_timeout);
    client.set_read_timeout(options.read_timeout);
    client.set_write_timeout(options.read_timeout);
    if (!options.connect_to.empty())
      client.set_hostname_addr_map({{host_of(url.origin), options.connect_to}});
  }

  bool breaker_is_open() const {
    return failures >= options.breaker_failures &&
           std::chrono::steady_clock::now() - last_failure < options.breaker_pause;
  }

  Result<HttpResponse> once(const HttpRequest& request) {
    httplib::Request wire;
    wire.method = request.method;
    wire.path = url.prefix + request.target;
    for (const auto& [name, value] : request.headers) wire.set_header(name, value);
    wire.set_header("User-Agent", options.user_agent);
    if (request.body_source) {
      wire.set_header("Content-Type", request.content_type);
      wire.set_header("Transfer-Encoding", "chunked");
      wire.is_chunked_content_provider_ = true;
      wire.content_provider_ = [&](std::size_t, std::size_t, httplib::DataSink& sink) {
        const std::string chunk = request.body_source();
        if (chunk.empty())
          sink.done();
        else
          sink.write(chunk.data(), chunk.size());
        return true;
      };
    } else if (!request.body.empty()) {
      wire.set_header("Content-Type", request.content_type);
      wire.body = request.body;
    }

    HttpResponse response;
    std::size_t received = 0;
    bool too_large = false;
    wire.response_handler = [&](const httplib::Response& head) {
      response.status = head.status;
      return true;
    };
    wire.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      received += size;
      if (request.body_sink && response.status < 300) return request.body_sink({data, size});
      too_large = received > options.body_limit;
      if (!too_large) response.body.append(data, size);
      return !too_large;
    };

    const auto result = client.send(wire);
    if (too_large)
      return fail(ErrorKind::TooLarge, "the answer to " + request.method + " " + request.target +
                                           " is longer than " + std::to_string(options.body_limit) +
                                           " bytes");
    if (!result)
      return fail(ErrorKind::Unavailable,
                  "no answer from " + url.origin + ": " + httplib::to_string(result.error()));
    response.status = result->status;
    for (const auto& [name, value] : result->headers) response.headers.emplace(name, value);
    return response;
  }

  BaseUrl url;
  HttpClientOptions options;
  httplib::Client client;
  int failures = 0;
  std::chrono::steady_clock::time_point last_failure;
};

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::create(const std::string& base_url, HttpClientOptions options) {
  auto url = split_url(base_url);
  if (!url) return std::move(url).error();
  return HttpClient{std::make_unique<State>(std::move(*url), std::move(options))};
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request, const std::stop_token& stop) {
  const bool repeatable = !request.body_source && !request.body_sink;
  const int attempts = repeatable ? std::max(1, state_->options.attempts) : 1;
  for (int attempt = 0;; ++attempt) {
    if (state_->breaker_is_open())
      return fail(ErrorKind::Unavailable,
                  state_->url.origin + " has not answered repeatedly and is given a pause");
    auto answer = state_->once(request);
    const bool transport_failed = !answer && answer.error().kind == ErrorKind::Unavailable;
    state_->failures = transport_failed ? state_->failures + 1 : 0;
    if (transport_failed) state_->last_failure = std::chrono::steady_clock::now();
    const bool again = transport_failed || (answer && is_retryable(answer->status));
    if (!again || attempt + 1 >= attempts || stop.stop_requested()) return answer;
    sleep_unless_stopped(backoff(state_->options.first_backoff, attempt), stop);
    if (stop.stop_requested()) return answer;
  }
}

void HttpClient::interrupt() {
  state_->client.stop();
}

}  // namespace slipway
