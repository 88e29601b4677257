#include "server/http/signal.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace slipway::server::http {

namespace net = boost::asio;

void Signal::raise() {
  const std::lock_guard lock{mutex_};
  if (closed_) return;
  net::post(loop_, [self = shared_from_this()] {
    self->raised_ = true;
    self->timer_.cancel();
  });
}

net::awaitable<void> Signal::wait() {
  const auto never = std::chrono::steady_clock::time_point::max();
  for (bool woken = false; !woken;) woken = co_await wait_until(never);
}

net::awaitable<bool> Signal::wait_until(std::chrono::steady_clock::time_point deadline) {
  const auto self = shared_from_this();
  if (!raised_) {
    timer_.expires_at(deadline);
    boost::system::error_code ignored;
    co_await timer_.async_wait(net::redirect_error(net::use_awaitable, ignored));
  }
  co_return std::exchange(raised_, false);
}

void Signal::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
}

}  // namespace slipway::server::http
