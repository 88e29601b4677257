// The sockets: accepts connections and speaks HTTP/1.1 on them, with a deadline for everything a
// peer could draw out. The only Beast is behind this header.
//
// A connection is a coroutine on one of `io_threads` loops. It reads a head strictly (see
// request_head.h), asks the Front for the route, reads the body within the route's limit, and has
// the handler run on a worker. A request whose body was not read to its end closes its connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "server/http/front.h"
#include "server/http/worker_pool.h"

namespace slipway::server::http {

struct ListenerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses
  int io_threads = 1;
  bool over_https = false;  // a proxy in front of us speaks https with the browser
  std::size_t connection_limit = 20'000;
  std::size_t buffered_body_limit = std::size_t{256} << 20U;  // of all connections together
  std::chrono::milliseconds head_deadline{std::chrono::seconds{10}};
  std::chrono::milliseconds idle_timeout{std::chrono::seconds{120}};
  // A body may take `body_grace` and one second more for each `slowest_rate` bytes that came.
  std::chrono::milliseconds body_grace{std::chrono::seconds{20}};
  long long slowest_rate = 1024;
  // The same for what we send, counted anew for each piece of at most 64 KiB.
  std::chrono::milliseconds write_grace{std::chrono::seconds{30}};
  std::chrono::milliseconds heartbeat{std::chrono::seconds{15}};  // of event streams
  std::chrono::milliseconds stop_grace{std::chrono::seconds{10}};
};

class Listener {
 public:
  // `front` and `workers` must outlive it. Unavailable when the address cannot be listened on.
  static Result<std::unique_ptr<Listener>> start(ListenerOptions options, const Front& front,
                                                 WorkerPool& workers);
  ~Listener();  // NOLINT(bugprone-exception-escape): see there
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;
  // Accepts nothing more, has held requests answered and streams ended, lets what is under way
  // finish for `stop_grace`, then closes the rest. Returns when all is quiet.
  void stop();

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server::http
