#include "server/http/connection.h"

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "server/http/json.h"
#include "server/http/pending_answer.h"

namespace slipway::server::http {

namespace net = boost::asio;
namespace beast = boost::beast;
using SteadyClock = std::chrono::steady_clock;
using boost::system::error_code;

namespace {

constexpr std::size_t kUploadPiece = std::size_t{64} << 10U;
constexpr std::size_t kSmallPiece = std::size_t{4} << 10U;
constexpr long long kWholeUpload = 16LL << 10U;

// Where the head ends in `text`, npos while it does not; `broken` as soon as it cannot be one.
std::size_t end_of_head(std::string_view text, bool& broken) {
  const auto end = text.find("\r\n\r\n");
  const auto head = text.substr(0, end == std::string_view::npos ? end : end + 4);
  for (std::size_t i = 0; i < head.size(); ++i)
    if (head[i] == '\0' || (head[i] == '\n' && (i == 0 || head[i - 1] != '\r'))) broken = true;
  return end == std::string_view::npos ? end : end + 4;
}

std::string_view view(const beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

// Bytes that this request holds of the budget for collected bodies, given back at its end.
class BodyBudget {
 public:
  BodyBudget(std::atomic<std::size_t>& used, std::size_t limit) : used_(used), limit_(limit) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;
  ~BodyBudget() { used_ -= mine_; }

  bool take(std::size_t bytes) {
    mine_ += bytes;
    return used_.fetch_add(bytes) + bytes <= limit_;
  }

 private:
  std::atomic<std::size_t>& used_;
  std::size_t limit_;
  std::size_t mine_ = 0;
};

}  // namespace

Connection::Connection(net::ip::tcp::socket socket, net::io_context& loop, ConnectionSet& all,
                       ConnectionContext& context)
    : loop_(loop),
      stream_(std::move(socket)),
      all_(all),
      context_(context),
      signal_(std::make_shared<Signal>(loop)),
      news_(std::make_shared<Signal>(loop)) {
  error_code ignored;
  const auto peer = stream_.socket().remote_endpoint(ignored);
  if (!ignored) remote_ = peer.address().to_string();
  all_.insert(this);
  ++context_.connections;
}

Connection::~Connection() {
  signal_->close();
  news_->close();
  all_.erase(this);
  --context_.connections;
}

void Connection::start() {
  net::co_spawn(loop_, serve(shared_from_this()), net::detached);
}

void Connection::stop() {
  stopping_ = true;
  if (idle_) close();
  news_->raise();
}

void Connection::close() {
  error_code ignored;
  stream_.socket().shutdown(net::ip::tcp::socket::shutdown_both, ignored);
  stream_.cancel();
}

net::awaitable<void> Connection::serve(std::shared_ptr<Connection> self) {
  for (bool more = true; more;) more = co_await self->serve_one();
  co_await self->linger();
}

net::awaitable<bool> Connection::serve_one() {
  std::string head;
  idle_ = true;
  auto refusal = co_await read_head(head);
  idle_ = false;
  if (refusal) {
    co_await refuse_head(std::move(*refusal));
    co_return false;
  }
  if (head.empty()) co_return false;

  Turn turn;
  turn.began = SteadyClock::now();
  auto parsed = parse_request_head(head);
  if (!parsed) {
    const int status = parsed.error().kind == ErrorKind::TooLarge ? 431 : 400;
    auto response = message_response(status, parsed.error().message);
    co_await refuse_head(std::move(response));
    co_return false;
  }
  turn.head = std::move(*parsed);
  turn.method = turn.head.method;
  turn.target = turn.head.target;
  turn.body_done = !turn.head.has_body();
  turn.opening = context_.front.open(turn.head, remote_);
  turn.id = turn.opening.request.id;

  BodyReader body{stream_, buffer_, context_.options};
  const long long limit = turn.opening.route != nullptr ? turn.opening.route->body_limit : 0;
  std::optional<Response> response = std::move(turn.opening.refusal);
  if (!response && !turn.body_done)
    if (auto begun = body.begin(head, limit); !begun) response = error_response(begun.error());
  if (!response) response = co_await respond(turn, body);

  bool delivered = false;
  if (response) delivered = co_await send(turn, std::move(*response));
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - turn.began);
  const auto* route = turn.opening.route;
  context_.front.closed({turn.method, turn.target, route != nullptr ? route->pattern : "", remote_,
                         turn.id, delivered ? turn.status : 499, turn.sent, took});
  co_return delivered&& turn.body_done&& turn.head.keep_alive && !stopping_;
}

// Reads up to the empty line. A response: the head is refused with it. An empty head: the peer has
// closed or was silent.
net::awaitable<std::optional<Response>> Connection::read_head(std::string& head) {
  auto deadline = SteadyClock::now() + context_.options.idle_timeout;
  bool begun = false;
  for (;;) {
    if (!begun && buffer_.size() > 0) {
      begun = true;
      idle_ = false;
      deadline = SteadyClock::now() + context_.options.head_deadline;
    }
    bool broken = false;
    const auto end = end_of_head(view(buffer_), broken);
    if (broken) co_return message_response(400, "malformed request");
    if (end > kHeadLimit && (end != std::string_view::npos || buffer_.size() > kHeadLimit))
      co_return message_response(431, "the head of the request is too long");
    if (end != std::string_view::npos) {
      head = view(buffer_).substr(0, end);
      buffer_.consume(end);
      co_return std::nullopt;
    }
    stream_.expires_at(deadline);
    error_code error;
    const auto count = co_await stream_.async_read_some(
        buffer_.prepare(2048), net::redirect_error(net::use_awaitable, error));
    buffer_.commit(count);
    if (error) co_return std::nullopt;  // Beast has closed the socket when the time was up
  }
}

net::awaitable<void> Connection::refuse_head(Response refusal) {
  Turn turn;
  turn.began = SteadyClock::now();
  turn.body_done = false;
  const int status = refusal.status;
  co_await send(turn, std::move(refusal));
  context_.front.closed({"", "", "", remote_, "", status, turn.sent, {}});
}

net::awaitable<std::optional<Response>> Connection::respond(Turn& turn, BodyReader& body) {
  const auto& handler = turn.opening.route->handler;
  if (std::holds_alternative<UploadHandler>(handler)) co_return co_await take_upload(turn, body);
  BodyBudget budget{context_.buffered_bytes, context_.options.buffered_body_limit};
  const auto length = static_cast<std::size_t>(turn.head.content_length.value_or(0));
  if (!turn.body_done) {
    if (!budget.take(turn.head.chunked ? static_cast<std::size_t>(turn.opening.route->body_limit)
                                       : length))
      co_return message_response(503, "too many large requests at once, try again");
    auto refusal = co_await collect_body(turn, body);
    if (refusal) co_return refusal;
  }
  if (std::holds_alternative<HeldHandler>(handler)) co_return co_await answer_held(turn);
  co_return co_await answer_plain(turn);
}

net::awaitable<void> Connection::allow_body(const Turn& turn) {
  if (turn.head.expects_continue && buffer_.size() == 0)
    co_await write("HTTP/1.1 100 Continue\r\n\r\n", {});
}

net::awaitable<std::optional<Response>> Connection::collect_body(Turn& turn, BodyReader& body) {
  co_await allow_body(turn);
  std::string piece;
  while (!body.done()) {
    auto got = co_await body.next(piece, kSmallPiece);
    if (!got) co_return error_response(got.error());
    turn.opening.request.body += piece;
  }
  turn.body_done = true;
  co_return std::nullopt;
}

net::awaitable<std::optional<Response>> Connection::answer_plain(Turn& turn) {
  Response response;
  co_await on_worker([&] {
    response = context_.front.answer(*turn.opening.route, std::move(turn.opening.request));
  });
  co_return response;
}

net::awaitable<std::optional<Response>> Connection::answer_held(Turn& turn) {
  auto pending = std::make_shared<PendingAnswer>(news_);
  co_await on_worker(
      [&] { context_.front.hold(*turn.opening.route, std::move(turn.opening.request), pending); });
  if (auto ready = pending->take()) co_return ready;
  if (buffer_.size() == 0) buffer_.shrink_to_fit();
  watch_peer();
  auto response = co_await wait_for_answer(*pending);
  stop_watching();
  pending->close();
  co_return response;
}

net::awaitable<std::optional<Response>> Connection::wait_for_answer(PendingAnswer& pending) {
  for (;;) {
    if (peer_gone_) {
      pending.tell(HoldEnd::ClientGone);
      co_return std::nullopt;
    }
    if (auto ready = pending.take()) co_return ready;
    if (stopping_) pending.tell(HoldEnd::Stopping);
    const auto deadline = pending.deadline();
    if (deadline <= SteadyClock::now()) {
      pending.tell(HoldEnd::TimeUp);
      continue;
    }
    co_await news_->wait_until(deadline);
  }
}

net::awaitable<std::optional<Response>> Connection::take_upload(Turn& turn, BodyReader& body) {
  const auto length = turn.body_done ? 0 : turn.head.content_length.value_or(kWholeUpload + 1);
  if (length <= kWholeUpload && !turn.head.expects_continue)
    co_return co_await take_small_upload(turn, body);
  Reception received;
  co_await on_worker([&] {
    received = context_.front.receive(*turn.opening.route, std::move(turn.opening.request));
  });
  if (auto* refusal = std::get_if<Response>(&received)) co_return std::move(*refusal);
  auto sink = std::move(std::get<std::unique_ptr<BodySink>>(received));
  auto response = co_await pour(turn, body, *sink);
  // Giving up an upload removes files.
  co_await on_worker([&] { sink.reset(); });
  co_return response;
}

// Read before it is known whether it is welcome, so that one turn on a worker does for all: most
// pieces of a log are small.
net::awaitable<std::optional<Response>> Connection::take_small_upload(Turn& turn,
                                                                      BodyReader& body) {
  if (!turn.body_done)
    if (auto refusal = co_await collect_body(turn, body)) co_return refusal;
  const std::string bytes = std::exchange(turn.opening.request.body, {});
  Response response;
  co_await on_worker([&] {
    auto received = context_.front.receive(*turn.opening.route, std::move(turn.opening.request));
    if (auto* refusal = std::get_if<Response>(&received)) {
      response = std::move(*refusal);
      return;
    }
    const auto sink = std::move(std::get<std::unique_ptr<BodySink>>(received));
    response = guarded(turn.id, [&] {
      auto refusal = bytes.empty() ? std::nullopt : sink->write(bytes);
      return refusal ? std::move(*refusal) : sink->finish();
    });
  });
  co_return response;
}

net::awaitable<std::optional<Response>> Connection::pour(Turn& turn, BodyReader& body,
                                                         BodySink& sink) {
  co_await allow_body(turn);
  std::optional<Response> response;
  std::string piece;
  while (!turn.body_done && !body.done()) {
    auto got = co_await body.next(piece, kUploadPiece);
    if (!got) co_return error_response(got.error());
    if (piece.empty()) continue;
    co_await on_worker([&] {
      auto failed = guarded(turn.id, [&]() -> Response {
        response = sink.write(piece);
        return {};
      });
      if (failed.status != 200) response = std::move(failed);
    });
    if (response) co_return response;
  }
  turn.body_done = true;
  co_await on_worker([&] { response = guarded(turn.id, [&] { return sink.finish(); }); });
  co_return response;
}

net::awaitable<void> Connection::on_worker(std::function<void()> work) {
  context_.workers.post([work = std::move(work), signal = signal_] {
    work();
    signal->raise();
  });
  co_await signal_->wait();
}

void Connection::watch_peer() {
  if (watching_ || buffer_.size() > 0) return;  // with more requests waiting nothing can be seen
  watching_ = true;
  stream_.socket().async_wait(
      net::ip::tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
        self->watching_ = false;
        if (error) return;
        char byte = 0;
        const auto count =
            ::recv(self->stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (count > 0 || (count < 0 && errno == EAGAIN)) return;
        self->peer_gone_ = true;
        self->news_->raise();
      });
}

void Connection::stop_watching() {
  if (watching_) stream_.socket().cancel();
}

}  // namespace slipway::server::http
