// Reads one request's body from a stream, in pieces, within its limit and its deadline. Beast takes
// the chunks apart. Internal to the listener.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"
#include "server/http/listener.h"

namespace slipway::server::http {

class BodyReader {
 public:
  BodyReader(boost::beast::tcp_stream& stream, boost::beast::flat_buffer& buffer,
             const ListenerOptions& options);

  // Beast reads the head as well; InvalidInput when it does not agree with ours.
  Result<void> begin(std::string_view head, long long limit);
  [[nodiscard]] bool done() const { return parser_.is_done(); }
  // At least one byte in `piece`, unless the body has ended. TooLarge past the limit, InvalidInput
  // for broken chunks, Unavailable when the peer went away or was too slow.
  boost::asio::awaitable<Result<void>> next(std::string& piece, std::size_t most);

 private:
  boost::asio::awaitable<Result<void>> receive(std::size_t most);

  boost::beast::tcp_stream& stream_;
  boost::beast::flat_buffer& buffer_;
  const ListenerOptions& options_;
  boost::beast::http::request_parser<boost::beast::http::buffer_body> parser_;
  long long received_ = 0;
  std::chrono::steady_clock::duration waited_{0};
};

}  // namespace slipway::server::http
