#include "server/http/pending_answer.h"

namespace slipway::server::http {

void PendingAnswer::answer(Response response) {
  {
    const std::lock_guard lock{mutex_};
    if (!closed_) {
      response_ = std::move(response);
      news_->raise();
      return;
    }
  }
  if (response.undelivered) response.undelivered();
}

void PendingAnswer::hold(std::chrono::milliseconds at_most, std::function<void(HoldEnd)> ended) {
  const std::lock_guard lock{mutex_};
  deadline_ = std::chrono::steady_clock::now() + at_most;
  ended_ = std::move(ended);
}

std::optional<Response> PendingAnswer::take() {
  const std::lock_guard lock{mutex_};
  if (response_) {
    closed_ = true;
    ended_ = nullptr;
  }
  return std::exchange(response_, std::nullopt);
}

std::chrono::steady_clock::time_point PendingAnswer::deadline() {
  const std::lock_guard lock{mutex_};
  return ended_ ? deadline_ : std::chrono::steady_clock::time_point::max();
}

void PendingAnswer::tell(HoldEnd end) {
  std::function<void(HoldEnd)> ended;
  {
    const std::lock_guard lock{mutex_};
    ended = std::exchange(ended_, nullptr);
  }
  if (ended) ended(end);
}

void PendingAnswer::close() {
  std::optional<Response> left;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    left = std::exchange(response_, std::nullopt);
    ended_ = nullptr;
  }
  if (left && left->undelivered) left->undelivered();
}

}  // namespace slipway::server::http
