// The Exchange of a held request, seen from its connection. Internal to the listener.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "server/http/exchange.h"
#include "server/http/signal.h"

namespace slipway::server::http {

class PendingAnswer final : public Exchange {
 public:
  explicit PendingAnswer(std::shared_ptr<Signal> news) : news_(std::move(news)) {}

  void answer(Response response) override;
  void hold(std::chrono::milliseconds at_most, std::function<void(HoldEnd)> ended) override;

  // For the connection: the answer, once; when to say that the time is up; saying so, once.
  std::optional<Response> take();
  [[nodiscard]] std::chrono::steady_clock::time_point deadline();
  void tell(HoldEnd end);
  // Later answers are undelivered.
  void close();

 private:
  std::shared_ptr<Signal> news_;
  std::mutex mutex_;
  std::optional<Response> response_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::function<void(HoldEnd)> ended_;
  bool closed_ = false;
};

}  // namespace slipway::server::http
