#include "server/http/listener.h"

#include <future>
#include <thread>

#include "tests/server/http/listener_fixture.h"

namespace slipway::server::http {
namespace {

using test::ListenerFixture;
using test::RawClient;
using test::route;
using namespace std::chrono_literals;

// Everything that a connection can be asked to do, each behind its own address.
std::vector<Route> demo_routes() {
  const PlainHandler hello = [](const Call&) -> Result<Response> {
    return text_response(200, "hello");
  };
  const PlainHandler echo = [](const Call& call) -> Result<Response> {
    return text_response(200, call.request.body);
  };
  const PlainHandler broken = [](const Call&) -> Result<Response> {
    throw std::runtime_error{"secret detail"};
  };
  const UploadHandler upload = [](const SharedCall&) -> Reception {
    return std::unique_ptr<BodySink>{std::make_unique<test::CountingSink>()};
  };
  return {route("GET", "/hello", hello), route("GET", "/broken", broken),
          route("POST", "/echo", echo, 1000), route("POST", "/upload", upload, 10'000'000)};
}

TEST_CASE("requests on one connection are answered in order", "[http]") {
  ListenerFixture server{demo_routes()};
  auto client = server.connect();

  client.send(
      "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");

  CHECK(client.receive()->body == "hello");
  CHECK(client.receive()->body == "abc");
  const auto head = client.receive(true);
  REQUIRE(head);
  CHECK(head->header("content-length") == "5");
}

TEST_CASE("every response carries the headers that tie a browser's hands", "[http]") {
  ListenerFixture server{demo_routes()};
  auto client = server.connect();
  for (const auto* target : {"/hello", "/missing", "/broken"}) {
    CAPTURE(target);
    const auto response = client.request("GET", target, "X-Request-Id: abc-1\r\n");
    CHECK(response.header("content-security-policy").find("default-src 'none'") == 0);
    CHECK(response.header("content-security-policy").find("unsafe") == std::string::npos);
    CHECK(response.header("x-content-type-options") == "nosniff");
    CHECK(response.header("referrer-policy") == "no-referrer");
    CHECK(response.header("cache-control") == "no-store");
    CHECK(response.header("x-request-id") == "abc-1");
  }
  CHECK(client.request("GET", "/hello", "X-Request-Id: a\"b\r\n").header("x-request-id").size() ==
        32);
}

TEST_CASE("an exception becomes a 500 that tells nothing", "[http]") {
  ListenerFixture server{demo_routes()};
  auto client = server.connect();
  const auto response = client.request("GET", "/broken", "X-Request-Id: r7\r\n");
  CHECK(response.status == 500);
  CHECK(response.body == R"({"message":"internal error, see the server's log for request r7"})");
  CHECK(client.request("GET", "/hello").status == 200);
}

TEST_CASE("an unknown path is 404, a known one with another method 405", "[http]") {
  ListenerFixture server{demo_routes()};
  auto client = server.connect();
  CHECK(client.request("GET", "/nothing").body == R"({"message":"404 Not Found"})");
  const auto response = client.request("DELETE", "/hello");
  CHECK(response.status == 405);
  CHECK(response.header("allow") == "GET, HEAD");
}

TEST_CASE("what could smuggle a request is answered 400 and the connection closed", "[http]") {
  ListenerFixture server{demo_routes()};
  const std::string start = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  const std::string next = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::vector<std::string> attacks{
      start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
      start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      start + "Content-Length: -1\r\n\r\n",
      start + "Content-Length: +1\r\n\r\na",
      start + "Content-Length: 1 1\r\n\r\na",
      start + "Content-Length : 1\r\n\r\na",
      start + "A: b\r\n folded\r\n\r\n",
      start + "A: b\n\r\n",
      "POST /echo HTTP/1.1\nHost: a\n\n",
      start + std::string{"A: \0b\r\n\r\n", 9},
      start + "Transfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nab",
      start + "Transfer-Encoding: chunked\r\n\r\n2;" + std::string(100'000, 'x') + "\r\nab",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"};
  for (const auto& attack : attacks) {
    CAPTURE(attack.substr(0, 200));
    auto client = server.connect();
    client.send(attack + next);
    const auto response = client.receive();
    REQUIRE(response);
    CHECK(response->status == 400);
    CHECK(response->header("connection") == "close");
    CHECK(client.closed_by_peer());
    CHECK(client.received().find("hello") == std::string::npos);
  }
}

TEST_CASE("a body that was not read is never taken for a request", "[http]") {
  ListenerFixture server{demo_routes()};
  const std::string inner = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto length = "Content-Length: " + std::to_string(inner.size()) + "\r\n\r\n";
  for (const auto* line : {"GET /hello", "GET /missing", "DELETE /hello", "POST /hello"}) {
    CAPTURE(line);
    auto client = server.connect();
    client.send(std::string{line} + " HTTP/1.1\r\nHost: a\r\n" + length + inner);
    const auto response = client.receive();
    REQUIRE(response);
    CHECK(response->status >= 400);
    CHECK(client.closed_by_peer());
    CHECK(client.received().find("hello") == std::string::npos);
  }
}

TEST_CASE("a body over its route's limit is refused before it is read", "[http]") {
  ListenerFixture server{demo_routes()};
  SECTION("by its announced length") {
    auto client = server.connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n"
        "Expect: 100-continue\r\n\r\n");
    const auto response = client.receive();
    REQUIRE(response);
    CHECK(response->status == 413);
    CHECK(response->body == R"({"message":"the body may have at most 1000 bytes"})");
  }
  SECTION("while its chunks come") {
    auto client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n");
    client.send(std::string(2000, 'x'));
    const auto response = client.receive();
    REQUIRE(response);
    CHECK(response->status == 413);
    CHECK(client.closed_by_peer());
  }
}

TEST_CASE("a client that asks first is told to continue", "[http]") {
  ListenerFixture server{demo_routes()};
  auto client = server.connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  const auto interim = client.receive(true);
  REQUIRE(interim);
  CHECK(interim->status == 100);
  client.send("ok");
  CHECK(client.receive()->body == "ok");
  CHECK(client.request("POST", "/echo", "Expect: teapot\r\n", "x").status == 417);
}

TEST_CASE("an upload is taken in pieces, chunked or not", "[http]") {
  ListenerFixture server{demo_routes()};
  auto client = server.connect();
  const std::string bytes(300'000, 'x');
  CHECK(client.request("POST", "/upload", "", bytes).body == "300000");
  client.send("POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) client.send("186a0\r\n" + std::string(100'000, 'y') + "\r\n");
  client.send("0\r\n\r\n");
  CHECK(client.receive()->body == "300000");
  CHECK(client.request("POST", "/upload").body == "0");
}

TEST_CASE("heads that are too long end the connection", "[http]") {
  ListenerFixture server{demo_routes()};
  SECTION("one endless line") {
    auto client = server.connect();
    client.send("GET /hello HTTP/1.1\r\nA: " + std::string(100'000, 'x'));
    CHECK(client.receive()->status == 431);
    CHECK(client.closed_by_peer());
  }
  SECTION("a long target") {
    auto client = server.connect();
    CHECK(client.request("GET", "/" + std::string(20'000, 'x')).status == 431);
  }
  SECTION("many headers") {
    auto client = server.connect();
    std::string headers;
    for (int i = 0; i < 200; ++i) headers += "A: b\r\n";
    CHECK(client.request("GET", "/hello", headers).status == 431);
  }
}

TEST_CASE("slow heads, bodies and readers are dropped", "[http]") {
  ListenerOptions options;
  options.head_deadline = 100ms;
  options.idle_timeout = 100ms;
  options.body_grace = 100ms;
  options.write_grace = 100ms;
  options.slowest_rate = 1'000'000'000;
  const PlainHandler large = [](const Call&) -> Result<Response> {
    return text_response(200, std::string(std::size_t{20} << 20U, 'x'));
  };
  auto routes = demo_routes();
  routes.push_back(route("GET", "/large", large));
  ListenerFixture server{std::move(routes), options};

  auto silent = server.connect();
  auto slow_head = server.connect();
  slow_head.send("GET /hello HTT");
  auto slow_body = server.connect();
  slow_body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab");
  RawClient slow_reader{server.listener().port(), 4096};
  slow_reader.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");

  CHECK(silent.closed_by_peer());
  CHECK(slow_head.closed_by_peer());
  CHECK(slow_body.closed_by_peer());
  CHECK(slow_reader.wait_for("HTTP/1.1 200"));
  while (server.listener().connections() > 0) std::this_thread::yield();
}

TEST_CASE("hundreds of stalled sockets do not keep others waiting", "[http]") {
  ListenerFixture server{demo_routes()};
  std::vector<RawClient> stalled;
  for (int i = 0; i < 300; ++i) {
    stalled.push_back(server.connect());
    stalled.back().send(
        i % 2 == 0 ? "GET /hel" : "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
  }
  auto client = server.connect();
  for (int i = 0; i < 20; ++i) CHECK(client.request("GET", "/hello").status == 200);
}

}  // namespace
}  // namespace slipway::server::http
