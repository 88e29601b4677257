// Between the connections and the handlers: finds the route, admits the caller, runs the handler,
// turns errors and exceptions into responses, and counts and logs what was answered.
//
// open() and closed() run on connection threads and do not block; the others run on workers.
// Thread-safe: nothing here changes after construction.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/http/exchange.h"
#include "server/http/message.h"
#include "server/http/request_head.h"
#include "server/http/route.h"
#include "server/http/router.h"

namespace slipway::server::telemetry {
class Metrics;
}

namespace slipway::server::http {

// Decides whether a handler may run.
class Gate {
 public:
  virtual ~Gate() = default;
  // Fills in who asks and for which project; or the refusal.
  virtual std::optional<Response> admit(const Route& route, Call& call) = 0;
};

struct Opening {
  const Route* route = nullptr;
  Request request;
  std::optional<Response> refusal;
};

// What the access log and the metrics get to know.
struct Answered {
  std::string_view method;
  std::string_view target;
  std::string_view route;  // the pattern; "" when there was none
  std::string_view remote;
  std::string_view request_id;
  int status = 0;
  long long sent_bytes = 0;
  std::chrono::microseconds took{0};
};

class Front {
 public:
  // `gate` and `metrics` must outlive it; without metrics nothing is counted.
  Front(std::vector<Route> routes, Gate& gate, telemetry::Metrics* metrics = nullptr);

  [[nodiscard]] Opening open(RequestHead& head, std::string remote) const;
  // For a route with a plain handler.
  [[nodiscard]] Response answer(const Route& route, Request request) const;
  // For a held one: the exchange is answered, now or later.
  void hold(const Route& route, Request request, const std::shared_ptr<Exchange>& exchange) const;
  // For an upload: where its body goes, or the response that refuses it.
  [[nodiscard]] Reception receive(const Route& route, Request request) const;
  void closed(const Answered& answered) const;

 private:
  std::vector<Route> routes_;
  Router router_;
  Gate& gate_;
  telemetry::Metrics* metrics_;
};

// Runs `work`; what it throws becomes a response that tells nothing but the request's id, and one
// line in the log.
Response guarded(std::string_view request_id, const std::function<Response()>& work) noexcept;

}  // namespace slipway::server::http
