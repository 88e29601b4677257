// One connection, from accept to close. Internal to the listener; everything but the constructor
// runs on its loop's thread.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <string>
#include <unordered_set>

#include "server/http/body_reader.h"
#include "server/http/listener.h"
#include "server/http/response_head.h"
#include "server/http/signal.h"

namespace slipway::server::http {

class Connection;
class PendingAnswer;

// What all connections of a listener share.
struct ConnectionContext {
  const ListenerOptions& options;
  const Front& front;
  WorkerPool& workers;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> buffered_bytes{0};
};

// The connections of one loop; touched on its thread only.
using ConnectionSet = std::unordered_set<Connection*>;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, boost::asio::io_context& loop, ConnectionSet& all,
             ConnectionContext& context);
  ~Connection();

  void start();
  // The server is stopping: end what only waits.
  void stop();
  void close();

 private:
  // g++ 12 miscompiles co_await inside conditions: it stands in statements of its own.
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;

  // A request under way.
  struct Turn {
    RequestHead head;
    Opening opening;
    std::string method;
    std::string target;
    std::string id;
    std::chrono::steady_clock::time_point began;
    bool body_done = true;  // false: what follows on the connection is not a request
    int status = 0;
    long long sent = 0;
  };

  static Awaitable<void> serve(std::shared_ptr<Connection> self);
  Awaitable<bool> serve_one();
  Awaitable<std::optional<Response>> read_head(std::string& head);
  Awaitable<void> refuse_head(Response refusal);

  // The response to send; nullopt when there is nobody to send it to.
  Awaitable<std::optional<Response>> respond(Turn& turn, BodyReader& body);
  Awaitable<std::optional<Response>> collect_body(Turn& turn, BodyReader& body);
  Awaitable<std::optional<Response>> answer_plain(Turn& turn);
  Awaitable<std::optional<Response>> answer_held(Turn& turn);
  Awaitable<std::optional<Response>> wait_for_answer(PendingAnswer& pending);
  Awaitable<std::optional<Response>> take_upload(Turn& turn, BodyReader& body);
  Awaitable<std::optional<Response>> take_small_upload(Turn& turn, BodyReader& body);
  Awaitable<std::optional<Response>> pour(Turn& turn, BodyReader& body, BodySink& sink);
  Awaitable<void> allow_body(const Turn& turn);

  Awaitable<bool> send(Turn& turn, Response response);
  Awaitable<bool> send_stream(Turn& turn, Response& response, Framing framing);
  Awaitable<bool> wait_for_more();
  Awaitable<bool> write(std::string_view first, std::string_view second);
  Awaitable<void> linger();

  Awaitable<void> on_worker(std::function<void()> work);
  // Tells the signal when the peer closes while nothing is read.
  void watch_peer();
  void stop_watching();

  boost::asio::io_context& loop_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  ConnectionSet& all_;
  ConnectionContext& context_;
  std::shared_ptr<Signal> signal_;  // for on_worker()
  std::shared_ptr<Signal> news_;    // for answers, stream data, the peer's leaving, stopping
  std::string remote_;
  bool idle_ = true;  // waits for a head
  bool peer_gone_ = false;
  bool watching_ = false;
  bool stopping_ = false;
};

}  // namespace slipway::server::http
