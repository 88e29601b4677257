#include "server/http/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <future>
#include <thread>

#include "base/files.h"
#include "base/logging.h"
#include "server/http/connection.h"

namespace slipway::server::http {

namespace net = boost::asio;
using boost::system::error_code;
using tcp = net::ip::tcp;

namespace {

constexpr int kBacklog = 1024;

struct Loop {
  net::io_context context{1};
  net::executor_work_guard<net::io_context::executor_type> work = net::make_work_guard(context);
  ConnectionSet connections;
  std::thread thread;
};

}  // namespace

struct Listener::State {
  State(ListenerOptions given, const Front& front, WorkerPool& pool)
      : options(std::move(given)), context{options, front, pool, {}, {}}, workers(pool) {}

  ListenerOptions options;
  ConnectionContext context;
  WorkerPool& workers;
  std::vector<std::unique_ptr<Loop>> loops;
  tcp::endpoint endpoint;
  std::optional<tcp::acceptor> acceptor;
  std::uint16_t port = 0;
  bool stopped = false;

  Result<void> listen();
  net::awaitable<void> accept_all();
  void take(int fd);
  template <typename F>
  void on_every_loop(F act);
  bool wait_until_quiet();
  void stop();

 private:
  std::size_t next_loop_ = 0;
};

Result<void> Listener::State::listen() {
  error_code error;
  const auto address = net::ip::make_address(options.address, error);
  if (error) return fail(ErrorKind::InvalidInput, "'" + options.address + "' is not an IP address");
  endpoint = tcp::endpoint{address, options.port};
  const auto name = options.address + ":" + std::to_string(options.port);
  const int fd =
      ::socket(address.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno_error("cannot make a socket", errno);
  acceptor.emplace(loops.front()->context);
  acceptor->assign(endpoint.protocol(), fd);
  acceptor->set_option(tcp::acceptor::reuse_address{true}, error);
  acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(kBacklog, error);
  if (error)
    return fail(ErrorKind::Unavailable, "cannot listen on " + name + ": " + error.message())
        .with_hint("another program may use the port; choose one with --listen");
  port = acceptor->local_endpoint().port();
  return {};
}

// Accepts by hand, since Asio would leave the descriptors open to every child process.
net::awaitable<void> Listener::State::accept_all() {
  net::steady_timer pause{loops.front()->context};
  for (;;) {
    error_code error;
    co_await acceptor->async_wait(tcp::acceptor::wait_read,
                                  net::redirect_error(net::use_awaitable, error));
    if (error || !acceptor->is_open()) co_return;
    const int fd =
        ::accept4(acceptor->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      take(fd);
      continue;
    }
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;
    // Out of descriptors or memory: the connection stays in the queue, so waiting for readability
    // would spin.
    log::warn("connection.refused", {{"error", errno_error("accept", errno).message}});
    pause.expires_after(std::chrono::milliseconds{100});
    co_await pause.async_wait(net::redirect_error(net::use_awaitable, error));
    if (error) co_return;
  }
}

void Listener::State::take(int fd) {
  UniqueFd owned{fd};
  if (context.connections >= options.connection_limit) return;
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  auto& loop = *loops[next_loop_++ % loops.size()];
  net::post(loop.context, [this, &loop, protocol = endpoint.protocol(),
                           shared = std::make_shared<UniqueFd>(std::move(owned))] {
    tcp::socket socket{loop.context};
    error_code error;
    const int taken = shared->release();
    socket.assign(protocol, taken, error);
    if (error) {
      ::close(taken);
      return;
    }
    std::make_shared<Connection>(std::move(socket), loop.context, loop.connections, context)
        ->start();
  });
}

template <typename F>
void Listener::State::on_every_loop(F act) {
  for (auto& loop : loops) {
    std::promise<void> done;
    net::post(loop->context, [&] {
      act(*loop);
      done.set_value();
    });
    done.get_future().wait();
  }
}

bool Listener::State::wait_until_quiet() {
  const auto deadline = std::chrono::steady_clock::now() + options.stop_grace;
  while (context.connections > 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

void Listener::State::stop() {
  if (std::exchange(stopped, true)) return;
  on_every_loop([this](Loop& loop) {
    error_code ignored;
    if (&loop == loops.front().get()) acceptor->close(ignored);
    for (auto* connection : loop.connections) connection->stop();
  });
  if (!wait_until_quiet()) {
    log::warn("connections.cut", {{"count", context.connections.load()}});
    on_every_loop([](Loop& loop) {
      for (auto* connection : loop.connections) connection->close();
    });
    wait_until_quiet();
  }
  // What still runs on a worker refers to its coroutine: let it end before the coroutines go.
  workers.stop();
  for (auto& loop : loops) {
    loop->work.reset();
    loop->context.stop();
    loop->thread.join();
  }
}

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}

// NOLINTNEXTLINE(bugprone-exception-escape): what stop() cannot do must end the program
Listener::~Listener() {
  stop();
}

Result<std::unique_ptr<Listener>> Listener::start(ListenerOptions options, const Front& front,
                                                  WorkerPool& workers) {
  auto state = std::make_unique<State>(std::move(options), front, workers);
  for (int i = 0; i < std::max(1, state->options.io_threads); ++i)
    state->loops.push_back(std::make_unique<Loop>());
  if (auto done = state->listen(); !done) {
    state->stopped = true;
    return done.error();
  }
  net::co_spawn(state->loops.front()->context, state->accept_all(), net::detached);
  for (auto& loop : state->loops)
    loop->thread = std::thread{[&context = loop->context] { context.run(); }};
  return std::unique_ptr<Listener>{new Listener{std::move(state)}};
}

std::uint16_t Listener::port() const {
  return state_->port;
}

std::size_t Listener::connections() const {
  return state_->context.connections;
}

void Listener::stop() {
  state_->stop();
}

}  // namespace slipway::server::http
