// What stands before the body of every response: status, framing, and the headers that keep a
// browser from doing more with it than it should. Pure.
#pragma once

#include <string>

#include "server/http/message.h"

namespace slipway::server::http {

enum class Framing : std::uint8_t { Length, Chunked, UntilClose };

struct ResponseFrame {
  Framing framing = Framing::Length;
  bool keep_alive = true;
  bool over_https = false;  // the browser came by https: tell it to stay there
  std::string request_id;
};

// Ends with the empty line. Bytes in header values that could end the line are dropped.
std::string response_head(const Response& response, const ResponseFrame& frame);

// 204, 304 and 1xx have no body, whatever the handler says.
bool may_have_body(int status);

}  // namespace slipway::server::http
