#include "server/http/response_head.h"

#include <ctime>

#include "base/clock.h"

namespace slipway::server::http {

namespace {

constexpr std::string_view kSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'";

void add_line(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  for (const char c : value)
    if (c != '\r' && c != '\n' && c != '\0') head += c;
  head += "\r\n";
}

std::string_view cache_control(Caching caching) {
  switch (caching) {
    case Caching::Never: return "no-store";
    case Caching::Revalidate: return "no-cache";
    case Caching::Forever: return "public, max-age=31536000, immutable";
  }
  return "no-store";
}

void add_framing(std::string& head, const Response& response, const ResponseFrame& frame) {
  if (!may_have_body(response.status)) return;
  if (frame.framing == Framing::Chunked) {
    add_line(head, "Transfer-Encoding", "chunked");
  } else if (frame.framing == Framing::Length) {
    const auto length = response.stream ? response.length.value_or(0)
                                        : static_cast<long long>(response.body.size());
    add_line(head, "Content-Length", std::to_string(length));
  }
}

// Made once a second: every response has it (RFC 9110, 6.6.1).
std::string_view date_now() {
  thread_local std::time_t made_at = 0;
  thread_local std::string text;
  if (const auto now = std::time(nullptr); now != made_at) {
    made_at = now;
    text = to_http_date(static_cast<UnixMillis>(now) * 1000);
  }
  return text;
}

}  // namespace

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string response_head(const Response& response, const ResponseFrame& frame) {
  std::string head;
  head.reserve(768);
  head += "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += reason_phrase(response.status);
  head += "\r\n";
  add_line(head, "Date", date_now());
  if (!response.content_type.empty()) add_line(head, "Content-Type", response.content_type);
  add_framing(head, response, frame);
  for (const auto& [name, value] : response.headers.all()) add_line(head, name, value);
  if (!response.headers.find("Content-Security-Policy"))
    add_line(head, "Content-Security-Policy", kSecurityPolicy);
  add_line(head, "X-Content-Type-Options", "nosniff");
  add_line(head, "Referrer-Policy", "no-referrer");
  add_line(head, "Cache-Control", cache_control(response.caching));
  if (frame.over_https) add_line(head, "Strict-Transport-Security", "max-age=31536000");
  add_line(head, "X-Request-Id", frame.request_id);
  if (!frame.keep_alive) add_line(head, "Connection", "close");
  head += "\r\n";
  return head;
}

}  // namespace slipway::server::http
