// The head of a request, read strictly: what two programs could read differently is refused, since
// that is how requests are smuggled past a proxy. Pure.
//
// Refused as InvalidInput: bare LF or CR, control characters, folded lines, a space before the
// colon, a repeated Content-Length or Host, Transfer-Encoding that is not exactly "chunked", both
// lengths at once, a target that is not a plain path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "server/http/message.h"

namespace slipway::server::http {

inline constexpr std::size_t kHeadLimit = std::size_t{16} << 10U;
inline constexpr std::size_t kTargetLimit = std::size_t{8} << 10U;
inline constexpr std::size_t kHeaderCountLimit = 100;

struct RequestHead {
  std::string method;
  std::string target;
  bool http_1_0 = false;
  Headers headers;
  std::optional<long long> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;

  [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// `text` is everything up to and with the empty line.
Result<RequestHead> parse_request_head(std::string_view text);

// The path of a target, split and decoded exactly once, and its query. InvalidInput for empty,
// "." and ".." segments in any spelling, for ";", for a backslash, for control characters and for a
// name that stands twice in the query; a trailing slash counts as an empty segment.
struct Target {
  std::vector<std::string> segments;
  std::map<std::string, std::string, std::less<>> query;
};
Result<Target> parse_target(std::string_view text);

}  // namespace slipway::server::http
