// Wakes one coroutine from any thread: the bridge from workers and observers back to a connection.
//
// raise() before wait() is not lost. Once closed, raising does nothing, so it may outlive the
// connection and its loop in anybody's callback. Internal to the listener.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <mutex>

namespace slipway::server::http {

class Signal : public std::enable_shared_from_this<Signal> {
 public:
  explicit Signal(boost::asio::io_context& loop) : loop_(loop), timer_(loop) {}

  // Any thread.
  void raise();
  // On the loop's thread.
  boost::asio::awaitable<void> wait();
  // False when the time was up first.
  boost::asio::awaitable<bool> wait_until(std::chrono::steady_clock::time_point deadline);
  void close();

 private:
  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  bool raised_ = false;  // touched on the loop's thread only
  std::mutex mutex_;
  bool closed_ = false;
};

}  // namespace slipway::server::http
