#include "server/http/body_reader.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

namespace slipway::server::http {

namespace net = boost::asio;
namespace beast = boost::beast;
using Clock = std::chrono::steady_clock;

BodyReader::BodyReader(beast::tcp_stream& stream, beast::flat_buffer& buffer,
                       const ListenerOptions& options)
    : stream_(stream), buffer_(buffer), options_(options) {}

Result<void> BodyReader::begin(std::string_view head, long long limit) {
  boost::system::error_code error;
  parser_.header_limit(static_cast<std::uint32_t>(kHeadLimit) * 2);
  parser_.body_limit(static_cast<std::uint64_t>(limit));
  parser_.eager(false);
  parser_.put(net::buffer(head.data(), head.size()), error);
  if (error == beast::http::error::body_limit)
    return fail(ErrorKind::TooLarge,
                "the body may have at most " + std::to_string(limit) + " bytes");
  if (error || !parser_.is_header_done())
    return fail(ErrorKind::InvalidInput, "malformed request: " + error.message());
  parser_.eager(true);
  return {};
}

net::awaitable<Result<void>> BodyReader::next(std::string& piece, std::size_t most) {
  piece.resize(most);
  auto& body = parser_.get().body();
  body.data = piece.data();
  body.size = most;
  while (!parser_.is_done() && body.size == most) {
    boost::system::error_code error;
    std::size_t used = 0;
    if (buffer_.size() > 0) used = parser_.put(buffer_.data(), error);
    buffer_.consume(used);
    received_ += static_cast<long long>(used);
    if (error == beast::http::error::body_limit)
      co_return fail(ErrorKind::TooLarge, "the body is longer than this address takes");
    if (error && error != beast::http::error::need_more && error != beast::http::error::need_buffer)
      co_return fail(ErrorKind::InvalidInput, "malformed body: " + error.message());
    const bool starved = used == 0 || error == beast::http::error::need_more;
    if (!starved || body.size < most || parser_.is_done()) continue;
    auto got = co_await receive(most);
    if (!got) co_return got;
  }
  piece.resize(most - body.size);
  co_return Result<void>{};
}

net::awaitable<Result<void>> BodyReader::receive(std::size_t most) {
  // A chunk's header must fit beside what is waiting; more than that is an attack.
  constexpr std::size_t kLongestChunkHeader = std::size_t{8} << 10U;
  if (buffer_.size() >= kLongestChunkHeader)
    co_return fail(ErrorKind::InvalidInput, "malformed body: chunk header too long");
  const auto earned = std::chrono::milliseconds{received_ * 1000 / options_.slowest_rate};
  const auto budget = options_.body_grace + earned - waited_;
  if (budget <= Clock::duration::zero())
    co_return fail(ErrorKind::Unavailable, "the body came too slowly");
  const auto began = Clock::now();
  stream_.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(budget));
  boost::system::error_code error;
  const auto count = co_await stream_.async_read_some(
      buffer_.prepare(most), net::redirect_error(net::use_awaitable, error));
  buffer_.commit(count);
  waited_ += Clock::now() - began;
  if (error) co_return fail(ErrorKind::Unavailable, "the body did not come: " + error.message());
  co_return Result<void>{};
}

}  // namespace slipway::server::http
