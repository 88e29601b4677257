// A socket that says exactly what it is told, and the response that it gets.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"

namespace slipway::test {

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);

  // False when the peer has closed.
  bool send(std::string_view bytes);
  // One response, by its own framing; nullopt when the connection ended before it was complete.
  std::optional<RawResponse> receive(bool head_only = false);
  // Sends a well-formed request and receives the response.
  RawResponse request(std::string_view method, std::string_view target,
                      std::string_view headers = "", std::string_view body = "");
  // Everything until `text` has come; false at the end of the connection.
  bool wait_for(std::string_view text);
  // True when the peer has closed, after at most ten seconds.
  bool closed_by_peer();
  void close() { socket_.reset(); }
  void close_sending();
  [[nodiscard]] const std::string& received() const { return buffer_; }
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  bool fill();
  std::optional<std::string> take(std::size_t count);
  std::optional<std::string> take_chunked();

  UniqueFd socket_;
  std::string buffer_;
};

}  // namespace slipway::test
