// Held requests and streams: what waits costs no thread, and is told how its waiting ends.

#include <atomic>
#include <thread>

#include "tests/server/http/listener_fixture.h"

namespace slipway::server::http {
namespace {

using test::ListenerFixture;
using test::route;
using namespace std::chrono_literals;

// Keeps the exchanges that came, for the test to answer.
struct Waiting {
  std::mutex mutex;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  std::atomic<int> held{0};
  std::atomic<int> gone{0};
  std::atomic<int> undelivered{0};

  HeldHandler handler(std::chrono::milliseconds at_most) {
    return [this, at_most](const SharedCall&, const std::shared_ptr<Exchange>& exchange) {
      exchange->hold(at_most, [this, exchange](HoldEnd end) {
        if (end == HoldEnd::ClientGone)
          ++gone;
        else
          exchange->answer(text_response(end == HoldEnd::TimeUp ? 204 : 202, ""));
      });
      const std::lock_guard lock{mutex};
      exchanges.push_back(exchange);
      ++held;
    };
  }
  void answer_all() {
    const std::lock_guard lock{mutex};
    for (auto& exchange : exchanges) {
      auto response = text_response(201, "job");
      response.undelivered = [this] { ++undelivered; };
      exchange->answer(std::move(response));
    }
    exchanges.clear();
  }
  void wait_for(int count) {
    while (held < count) std::this_thread::yield();
  }
};

class Counting final : public BodySource {
 public:
  explicit Counting(int pieces) : left_(pieces) {}
  Piece next() override {
    --left_;
    return {std::string(1000, 'x'), left_ > 0 ? State::More : State::End};
  }

 private:
  int left_;
};

// Has one line each time it is poked.
class Poked final : public BodySource {
 public:
  struct Hand {
    std::mutex mutex;
    std::function<void()> wake;
    int lines = 0;
    std::atomic<bool> gone{false};

    void poke() {
      const std::lock_guard lock{mutex};
      ++lines;
      wake();
    }
  };
  explicit Poked(std::shared_ptr<Hand> hand) : hand_(std::move(hand)) {}
  ~Poked() override { hand_->gone = true; }
  void start(std::function<void()> wake) override {
    const std::lock_guard lock{hand_->mutex};
    hand_->wake = std::move(wake);
  }
  Piece next() override {
    const std::lock_guard lock{hand_->mutex};
    return {"data: " + std::to_string(std::exchange(hand_->lines, 0)) + "\n\n", State::Wait};
  }

 private:
  std::shared_ptr<Hand> hand_;
};

PlainHandler streaming(std::function<std::unique_ptr<BodySource>()> make) {
  return [make = std::move(make)](const Call&) -> Result<Response> {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = make();
    return response;
  };
}

TEST_CASE("a held request is answered when the answer is there", "[http]") {
  Waiting waiting;
  ListenerFixture server{{route("POST", "/wait", waiting.handler(1h), 100)}};
  auto client = server.connect();
  client.send("POST /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  waiting.wait_for(1);
  waiting.answer_all();
  CHECK(client.receive()->body == "job");
  CHECK(waiting.undelivered == 0);
}

TEST_CASE("a held request ends when its time is up", "[http]") {
  Waiting waiting;
  ListenerFixture server{{route("POST", "/wait", waiting.handler(5ms), 100)}};
  auto client = server.connect();
  CHECK(client.request("POST", "/wait").status == 204);
  CHECK(client.request("POST", "/wait").status == 204);
}

TEST_CASE("a client that leaves is noticed, and a late answer is undelivered", "[http]") {
  Waiting waiting;
  ListenerFixture server{{route("POST", "/wait", waiting.handler(1h), 100)}};
  {
    auto client = server.connect();
    client.send("POST /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    waiting.wait_for(1);
  }
  while (waiting.gone == 0) std::this_thread::yield();
  waiting.answer_all();
  while (waiting.undelivered == 0) std::this_thread::yield();
  while (server.listener().connections() > 0) std::this_thread::yield();
}

TEST_CASE("stopping answers what is held at once", "[http]") {
  Waiting waiting;
  ListenerFixture server{{route("POST", "/wait", waiting.handler(1h), 100)}};
  std::vector<test::RawClient> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(server.connect());
    clients.back().send("POST /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  waiting.wait_for(50);
  server.listener().stop();
  for (auto& client : clients) CHECK(client.receive()->status == 202);
}

TEST_CASE("hundreds of held requests do not keep others waiting", "[http]") {
  Waiting waiting;
  const PlainHandler hello = [](const Call&) -> Result<Response> { return text_response(200, ""); };
  ListenerFixture server{
      {route("POST", "/wait", waiting.handler(1h), 100), route("GET", "/hello", hello)}};
  std::vector<test::RawClient> clients;
  for (int i = 0; i < 400; ++i) {
    clients.push_back(server.connect());
    clients.back().send("POST /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  waiting.wait_for(400);
  auto client = server.connect();
  CHECK(client.request("GET", "/hello").status == 200);
  waiting.answer_all();
  for (auto& each : clients) CHECK(each.receive()->status == 201);
}

TEST_CASE("a stream of unknown length comes in chunks, and plainly to HTTP/1.0", "[http]") {
  ListenerFixture server{
      {route("GET", "/stream", streaming([] { return std::make_unique<Counting>(100); }))}};
  auto client = server.connect();
  CHECK(client.request("GET", "/stream").body.size() == 100'000);
  CHECK(client.request("HEAD", "/stream").status == 200);
  CHECK(client.request("GET", "/stream").body.size() == 100'000);
  auto old = server.connect();
  old.send("GET /stream HTTP/1.0\r\n\r\n");
  CHECK(old.closed_by_peer());
  CHECK(old.received().size() > 100'000);
}

TEST_CASE("a stream whose promised length does not come true is cut", "[http]") {
  const PlainHandler liar = [](const Call&) -> Result<Response> {
    Response response;
    response.stream = std::make_unique<Counting>(2);
    response.length = 5000;
    return response;
  };
  ListenerFixture server{{route("GET", "/liar", liar)}};
  auto client = server.connect();
  client.send("GET /liar HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_FALSE(client.receive());
}

TEST_CASE("a live stream moves when it is woken and shows signs of life between", "[http]") {
  auto hand = std::make_shared<Poked::Hand>();
  ListenerOptions options;
  options.heartbeat = 20ms;
  ListenerFixture server{
      {route("GET", "/events", streaming([hand] { return std::make_unique<Poked>(hand); }))},
      options};
  {
    auto client = server.connect();
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.wait_for("data: 0"));
    CHECK(client.wait_for(": still here"));
    hand->poke();
    CHECK(client.wait_for("data: 1"));
  }
  while (!hand->gone) std::this_thread::yield();
}

TEST_CASE("stopping ends live streams properly", "[http]") {
  auto hand = std::make_shared<Poked::Hand>();
  ListenerFixture server{
      {route("GET", "/events", streaming([hand] { return std::make_unique<Poked>(hand); }))}};
  auto client = server.connect();
  client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.wait_for("data: 0"));
  server.listener().stop();
  CHECK(client.wait_for("0\r\n\r\n"));
  CHECK(client.closed_by_peer());
}

}  // namespace
}  // namespace slipway::server::http
