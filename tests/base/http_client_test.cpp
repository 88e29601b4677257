#include "base/http_client.h"

#include <thread>
#include <vector>

#include "base/files.h"
#include "tests/base/scripted_server.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace std::chrono_literals;
using slipway::test::ScriptedServer;

namespace {

const std::string kOk =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Mark: yes\r\nConnection: close\r\n\r\nok";
const std::string kBusy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

HttpClientOptions quick() {
  HttpClientOptions options;
  options.first_backoff = 1ms;
  options.read_timeout = 5s;
  return options;
}

}  // namespace

TEST_CASE("a request carries its method, path prefix, headers and body", "[http_client]") {
  ScriptedServer server{{kOk}};
  auto client = HttpClient::create(server.url("/ci/"), quick());
  REQUIRE(client);

  HttpRequest request;
  request.method = "PATCH";
  request.target = "/api/v4/jobs/1/trace";
  request.headers = {{"JOB-TOKEN", "t"}};
  request.body = "hello";
  const auto answer = client->send(request);

  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "ok");
  CHECK(answer->header("x-mark") == "yes");
  CHECK_FALSE(answer->header("none"));
  CHECK(server.requests()[0].rfind("PATCH /ci/api/v4/jobs/1/trace HTTP/1.1\r\n", 0) == 0);
  CHECK(server.requests()[0].find("JOB-TOKEN: t\r\n") != std::string::npos);
}

TEST_CASE("a busy server is asked again, as often as the options say", "[http_client]") {
  auto options = quick();
  options.attempts = 3;
  SECTION("until it answers") {
    ScriptedServer server{{kBusy, "", kOk}};
    CHECK(HttpClient::create(server.url(), options)->send({})->status == 200);
  }
  SECTION("and then its answer stands") {
    ScriptedServer server{{kBusy, kBusy, kBusy}};
    CHECK(HttpClient::create(server.url(), options)->send({})->status == 503);
  }
}

TEST_CASE("redirects are answers, not orders", "[http_client]") {
  ScriptedServer server{
      {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
       "Content-Length: 0\r\nConnection: close\r\n\r\n"}};
  const auto answer = HttpClient::create(server.url(), quick())->send({});
  REQUIRE(answer);
  CHECK(answer->status == 302);
}

TEST_CASE("an answer longer than the limit is refused", "[http_client]") {
  ScriptedServer server{
      {"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x')}};
  auto options = quick();
  options.body_limit = 1000;
  const auto answer = HttpClient::create(server.url(), options)->send({});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::TooLarge);
}

TEST_CASE("a body can be produced piece by piece and an answer taken piece by piece",
          "[http_client]") {
  ScriptedServer server{{kOk}};
  int left = 3;
  std::string taken;
  HttpRequest request;
  request.method = "POST";
  request.body_source = [&] { return left-- > 0 ? std::string{"abc"} : std::string{}; };
  request.body_sink = [&](std::string_view chunk) {
    taken += chunk;
    return true;
  };
  auto client = HttpClient::create(server.url(), quick());
  const auto answer = client->send(request);
  REQUIRE(answer);
  CHECK(taken == "ok");
  CHECK(server.requests()[0].find("Transfer-Encoding: chunked") != std::string::npos);
  CHECK(server.requests()[0].find("abc") != std::string::npos);
}

TEST_CASE("after many failures the client pauses instead of trying", "[http_client]") {
  auto options = quick();
  options.breaker_failures = 2;
  options.breaker_pause = 1h;
  auto client = HttpClient::create("http://127.0.0.1:1", options);
  REQUIRE(client);
  CHECK(client->send({}).error().message.find("no answer from http://127.0.0.1:1") == 0);
  CHECK_FALSE(client->send({}));
  CHECK(client->send({}).error().message ==
        "http://127.0.0.1:1 has not answered repeatedly and is given a pause");
}

TEST_CASE("a server address that is none is refused with the right form", "[http_client]") {
  for (const char* url : {"", "localhost:80", "ftp://x", "http://", "http://a b", "http://u@h/"}) {
    const auto client = HttpClient::create(url);
    REQUIRE_FALSE(client);
    CHECK(client.error().hint == "write it as http://host:port or https://host");
  }
}

TEST_CASE("percent-encoding goes both ways and refuses broken escapes", "[http_client]") {
  CHECK(url_encode("a/b c~") == "a%2Fb%20c~");
  CHECK(url_decode("a%2Fb%20c~+") == "a/b c~+");
  for (const char* broken : {"%", "%4", "%zz", "a%00b"}) CHECK_FALSE(url_decode(broken));
}
