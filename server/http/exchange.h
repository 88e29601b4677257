// A request whose answer comes later, from wherever it becomes known, while the connection costs a
// few kilobytes and no thread. Thread-safe.
#pragma once

#include <chrono>
#include <functional>

#include "server/http/message.h"

namespace slipway::server::http {

enum class HoldEnd : std::uint8_t {
  TimeUp,      // answer now
  Stopping,    // the server is closing down: answer now
  ClientGone,  // nobody waits any more; an answer would be undelivered
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  // Once. When the client is gone, response.undelivered is called instead.
  virtual void answer(Response response) = 0;
  // Before the handler returns, at most once. `ended` is called at most once, on the connection's
  // thread, and never after an answer was taken; it must be quick.
  virtual void hold(std::chrono::milliseconds at_most, std::function<void(HoldEnd)> ended) = 0;
};

}  // namespace slipway::server::http
