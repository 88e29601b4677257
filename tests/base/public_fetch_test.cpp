#include "base/public_fetch.h"

#include "tests/base/scripted_server.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace std::chrono_literals;
using slipway::test::ScriptedServer;

namespace {

constexpr PublicFetchOptions kPrivate{true};

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string redirect(const std::string& where) {
  return "HTTP/1.1 302 Found\r\nLocation: " + where + "\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace

TEST_CASE("addresses that are not public are told from those that are", "[public_fetch]") {
  for (const char* address : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111",
                              "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    CAPTURE(address);
    CHECK(why_not_public(address).empty());
  }
  struct Row {
    const char* address;
    const char* why;
  };
  const auto row = GENERATE(values<Row>({
      {"127.0.0.1", "Requests to localhost are not allowed"},
      {"127.255.255.254", "Requests to localhost are not allowed"},
      {"0.0.0.0", "Requests to localhost are not allowed"},
      {"::1", "Requests to localhost are not allowed"},
      {"::", "Requests to localhost are not allowed"},
      {"::ffff:127.0.0.1", "Requests to localhost are not allowed"},
      {"::127.0.0.1", "Requests to localhost are not allowed"},
      {"10.1.2.3", "Requests to the local network are not allowed"},
      {"172.16.0.1", "Requests to the local network are not allowed"},
      {"172.31.255.255", "Requests to the local network are not allowed"},
      {"192.168.1.1", "Requests to the local network are not allowed"},
      {"100.64.0.1", "Requests to the local network are not allowed"},
      {"fd00::1", "Requests to the local network are not allowed"},
      {"64:ff9b::10.0.0.1", "Requests to the local network are not allowed"},
      {"2002:a00:1::1", "Requests to the local network are not allowed"},
      {"169.254.169.254", "Requests to the link local network are not allowed"},
      {"fe80::1%eth0", "Requests to the link local network are not allowed"},
      {"febf::1", "Requests to the link local network are not allowed"},
      {"224.0.0.1", "Requests to special addresses are not allowed"},
      {"255.255.255.255", "Requests to special addresses are not allowed"},
      {"2001:0:1::1", "Requests to special addresses are not allowed"},
      {"ff02::1", "Requests to special addresses are not allowed"},
      {"example.com", "Requests to special addresses are not allowed"},
      {"", "Requests to special addresses are not allowed"},
  }));
  CAPTURE(row.address);
  CHECK(why_not_public(row.address) == row.why);
}

TEST_CASE("a server behind our own network is never asked", "[public_fetch]") {
  ScriptedServer server{{ok("secret")}};
  const std::string port = server.url().substr(server.url().rfind(':'));
  for (const std::string host : {"127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1",
                                 "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"}) {
    CAPTURE(host);
    const auto answer = fetch_public("http://" + host + port + "/a.yml");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == ErrorKind::Denied);
    CHECK(answer.error().message == "Requests to localhost are not allowed");
  }
  CHECK(server.requests().empty());
}

TEST_CASE("what is no plain http address is refused unasked", "[public_fetch]") {
  for (const char* url :
       {"", "file:///etc/passwd", "gopher://x/", "ftp://x/a.yml", "http://", "http:///a.yml",
        "http://user@127.0.0.1/", "http://a@b:80/", "http://x\\@127.0.0.1/", "http://x y/",
        "http://x:port/", "http://x:/", "http://x:1234567/", "http://x\r\nHost: y/", "http://[::1/",
        "HTTP://x/", "http://\xC3\xA4/"}) {
    CAPTURE(url);
    const auto answer = fetch_public(url);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == ErrorKind::InvalidInput);
  }
}

TEST_CASE("an allowed private address answers, with path and query", "[public_fetch]") {
  ScriptedServer server{{ok("a: 1\n")}};
  const auto answer = fetch_public(server.url("/a.yml?ref=x#part"), kPrivate);
  REQUIRE(answer);
  CHECK(*answer == "a: 1\n");
  CHECK(server.requests().at(0).rfind("GET /a.yml?ref=x HTTP/1.1\r\n", 0) == 0);
}

TEST_CASE("a redirect is followed, a chain of them not for ever", "[public_fetch]") {
  ScriptedServer server{{redirect("/b.yml"), ok("b: 1\n")}};
  CHECK(fetch_public(server.url("/a.yml"), kPrivate).value_or("") == "b: 1\n");
  ScriptedServer circle{std::vector<std::string>(4, redirect("/a.yml"))};
  const auto answer = fetch_public(circle.url("/a.yml"), kPrivate);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message == "too many redirects");
}

TEST_CASE("a redirect to something else than an http address is not followed", "[public_fetch]") {
  const std::string where = GENERATE("file:///etc/passwd", "gopher://127.0.0.1/", "//evil/", "x");
  ScriptedServer server{{redirect(where)}};
  const auto answer = fetch_public(server.url("/a.yml"), kPrivate);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::Denied);
  CHECK(answer.error().message == "a redirect leads to '" + where + "'");
}

TEST_CASE("an answer that is an error, too long or never ends ends the fetch", "[public_fetch]") {
  const auto message = [](const std::string& answer, PublicFetchOptions options = kPrivate) {
    ScriptedServer server{{answer}};
    const auto fetched = fetch_public(server.url("/a.yml"), options);
    REQUIRE_FALSE(fetched);
    return fetched.error().message;
  };
  CHECK(message("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") == "HTTP code `404` error");
  CHECK(message("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n") == "HTTP code `500` error");
  CHECK(message("") == "a socket error");
  CHECK(message(ok(std::string(2000, 'x')), {true, 1999, 10s}) ==
        "its size, which is above 1999 bytes");
}

TEST_CASE("a name that nobody knows is a socket error", "[public_fetch]") {
  const auto answer = fetch_public("http://nobody.invalid/a.yml");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message == "a socket error");
  CHECK(answer.error().hint == "the name 'nobody.invalid' is not known");
}

TEST_CASE("a server that does not answer is left when the time is over", "[public_fetch]") {
  const UniqueFd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
  const auto answer = fetch_public(
      "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/a.yml", {true, 1000, 50ms});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message == "a timeout error");
}
