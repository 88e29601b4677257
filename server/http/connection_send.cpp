// The sending half of a connection.

#include <sys/socket.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/crypto.h"
#include "base/logging.h"
#include "server/http/connection.h"

namespace slipway::server::http {

namespace net = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using boost::system::error_code;

namespace {

Framing framing_of(const Response& response, const RequestHead& head) {
  if (!response.stream || response.length) return Framing::Length;
  return head.http_1_0 ? Framing::UntilClose : Framing::Chunked;
}

std::string chunk(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string size;
  for (auto rest = bytes.size(); rest > 0; rest /= 16)
    size.insert(size.begin(), kDigits[rest % 16]);
  std::string out;
  out.reserve(size.size() + bytes.size() + 4);
  out += size;
  out += "\r\n";
  out += bytes;
  out += "\r\n";
  return out;
}

}  // namespace

net::awaitable<bool> Connection::send(Turn& turn, Response response) {
  const auto framing = framing_of(response, turn.head);
  if (framing == Framing::UntilClose || !turn.body_done || stopping_) turn.head.keep_alive = false;
  if (turn.id.empty()) turn.id = random_hex(16);
  turn.status = response.status;
  const auto head = response_head(
      response, {framing, turn.head.keep_alive, context_.options.over_https, turn.id});
  const bool with_body = turn.method != "HEAD" && may_have_body(response.status);

  bool delivered = false;
  if (response.stream && with_body) {
    delivered = co_await write(head, {});
    if (delivered) delivered = co_await send_stream(turn, response, framing);
  } else {
    const auto body = with_body ? std::string_view{response.body} : std::string_view{};
    delivered = co_await write(head, body);
  }
  turn.sent += static_cast<long long>(head.size() + (with_body ? response.body.size() : 0));
  if (response.stream) co_await on_worker([&] { response.stream.reset(); });
  if (!delivered && response.undelivered) co_await on_worker(response.undelivered);
  co_return delivered;
}

net::awaitable<bool> Connection::send_stream(Turn& turn, Response& response, Framing framing) {
  using State = BodySource::State;
  response.stream->start([news = news_] { news->raise(); });
  auto left = response.length.value_or(0);
  for (;;) {
    BodySource::Piece piece;
    bool failed = false;
    co_await on_worker([&] {
      auto result = guarded(turn.id, [&]() -> Response {
        piece = response.stream->next();
        return {};
      });
      failed = result.status != 200;
    });
    // The status is sent already: cutting the connection is all that can tell the peer.
    if (failed) co_return false;
    turn.sent += static_cast<long long>(piece.bytes.size());
    left -= static_cast<long long>(piece.bytes.size());
    if (framing == Framing::Chunked && !piece.bytes.empty()) piece.bytes = chunk(piece.bytes);
    bool good = true;
    if (!piece.bytes.empty()) good = co_await write(piece.bytes, {});
    if (good && piece.state == State::Wait) good = co_await wait_for_more();
    if (!good) co_return false;
    if (piece.state == State::End || (piece.state == State::Wait && stopping_)) break;
  }
  bool complete = framing != Framing::Length || left == 0;
  if (framing == Framing::Chunked) complete = co_await write("0\r\n\r\n", {});
  co_return complete;
}

// Until the source has more, with a sign of life now and then. False when the peer is gone.
net::awaitable<bool> Connection::wait_for_more() {
  watch_peer();
  const auto sign_of_life = chunk(": still here\n\n");
  bool woken = false;
  while (!woken && !peer_gone_ && !stopping_) {
    woken = co_await news_->wait_until(SteadyClock::now() + context_.options.heartbeat);
    bool alive = true;
    if (!woken) alive = co_await write(sign_of_life, {});
    if (!alive) co_return false;
  }
  co_return !peer_gone_;
}

net::awaitable<bool> Connection::write(std::string_view first, std::string_view second) {
  const std::size_t size = first.size() + second.size();
  const auto rate = static_cast<std::size_t>(std::max(1LL, context_.options.slowest_rate * 2));
  stream_.expires_after(context_.options.write_grace +
                        std::chrono::milliseconds{size * 1000 / rate});
  const std::array<net::const_buffer, 2> buffers{net::buffer(first.data(), first.size()),
                                                 net::buffer(second.data(), second.size())};
  error_code error;
  co_await net::async_write(stream_, buffers, net::redirect_error(net::use_awaitable, error));
  co_return !error;
}

// Closing while bytes of the peer are unread would reset the connection, and the peer might never
// see the response that says why.
net::awaitable<void> Connection::linger() {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  error_code error;
  stream_.socket().shutdown(net::ip::tcp::socket::shutdown_send, error);
  stream_.expires_after(std::chrono::seconds{2});
  std::array<char, 4096> sink{};
  std::size_t total = 0;
  while (!error && total < kMost && !stopping_) {
    const auto count = co_await stream_.async_read_some(
        net::buffer(sink), net::redirect_error(net::use_awaitable, error));
    total += count;
  }
  stream_.socket().close(error);
}

}  // namespace slipway::server::http
