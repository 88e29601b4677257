#include "server/http/request_head.h"

#include "tests/support/catch.h"

namespace slipway::server::http {
namespace {

constexpr const char* kHost = "Host: a\r\n";

std::string head_with(const std::string& lines) {
  return "POST /x HTTP/1.1\r\n" + std::string{kHost} + lines + "\r\n";
}

std::string refusal(const std::string& head) {
  const auto parsed = parse_request_head(head);
  return parsed ? "accepted" : parsed.error().message;
}

TEST_CASE("a plain head is read into its parts", "[http]") {
  const auto head = parse_request_head(
      "PUT /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length:  12 \r\nExpect: 100-Continue\r\n\r\n");

  REQUIRE(head);
  CHECK(head->method == "PUT");
  CHECK(head->target == "/a?b=c");
  CHECK(head->content_length == 12);
  CHECK(head->expects_continue);
  CHECK(head->keep_alive);
  CHECK(head->headers.get("HOST") == "x");
}

TEST_CASE("a head that two programs could read differently is refused", "[http]") {
  CHECK(refusal(head_with("Content-Length: 1\r\nContent-Length: 1\r\n")) ==
        "Content-Length is given twice");
  CHECK(refusal(head_with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")) ==
        "Content-Length and Transfer-Encoding exclude each other");
  CHECK(refusal(head_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")) ==
        "Transfer-Encoding is given twice");
  for (const auto* encoding : {"gzip, chunked", "xchunked", "chunked, identity", "identity", "",
                               "chunked;q=1", "\"chunked\""}) {
    CAPTURE(encoding);
    CHECK(refusal(head_with("Transfer-Encoding: " + std::string{encoding} + "\r\n")) ==
          "Transfer-Encoding may only be chunked");
  }
  for (const auto* length : {"-1", "+1", "1 1", "0x1", "1,1", "", "99999999999999999999", "1\t2"}) {
    CAPTURE(length);
    CHECK(refusal(head_with("Content-Length: " + std::string{length} + "\r\n")) ==
          "malformed Content-Length");
  }
  CHECK(refusal(head_with("Content-Length : 1\r\n")) == "malformed header name");
  CHECK(refusal(head_with("A: b\r\n folded\r\n")) == "malformed header name");
  CHECK(refusal(head_with("A: b\r\n\tfolded\r\n")) == "malformed header name");
  CHECK(refusal(head_with(": nameless\r\n")) == "malformed header name");
  CHECK(refusal(head_with("A: b\n")) == "a header line does not end in CRLF");
  CHECK(refusal(head_with("A: b\rc\r\n")) == "control character in a header");
  CHECK(refusal(head_with(std::string{"A: b\0c\r\n", 8})) == "control character in a header");
  CHECK(refusal(head_with("Host: b\r\n")) == "exactly one Host is needed");
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == "exactly one Host is needed");
  CHECK(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        "Transfer-Encoding needs HTTP/1.1");
}

TEST_CASE("a request line that is not three plain words is refused", "[http]") {
  for (const auto* line :
       {"GET", "GET /", "GET  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/2.0", "GET / HTTP/1.1 ",
        "G(T / HTTP/1.1", "GET x HTTP/1.1", "GET http://h/ HTTP/1.1", "GET /a b HTTP/1.1",
        "GET /#f HTTP/1.1", "GET /\x80 HTTP/1.1", "AVERYVERYLONGMETHOD / HTTP/1.1"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_request_head(std::string{line} + "\r\n" + kHost + "\r\n"));
  }
}

TEST_CASE("more headers than the limit are too large", "[http]") {
  std::string lines;
  for (std::size_t i = 0; i < kHeaderCountLimit; ++i) lines += "A: b\r\n";
  const auto parsed = parse_request_head(head_with(lines));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().kind == ErrorKind::TooLarge);
}

TEST_CASE("header values stay the bytes that came", "[http]") {
  const auto head = parse_request_head(head_with("A: x%0d%0aB: y%00\r\n"));
  REQUIRE(head);
  CHECK(head->headers.get("A") == "x%0d%0aB: y%00");
  CHECK_FALSE(head->headers.find("B"));
}

TEST_CASE("a path is decoded once and split before it is decoded", "[http]") {
  const auto target = parse_target("/api/group%2Fname/a%2520b?x=1+2&y=%26&flag");
  REQUIRE(target);
  CHECK(target->segments == std::vector<std::string>{"api", "group/name", "a%20b"});
  CHECK(target->query.at("x") == "1 2");
  CHECK(target->query.at("y") == "&");
  CHECK(target->query.at("flag").empty());
  CHECK(parse_target("/")->segments.empty());
}

TEST_CASE("paths that hide another path are refused", "[http]") {
  for (const auto* path :
       {"//",     "//api",       "/a//b",     "/a/",         "/.",          "/a/./b",  "/a/../b",
        "/%2e/a", "/a/%2e%2e/b", "/a/%2E./b", "/a;x=1",      "/a%3bx",      "/a%5cb",  "/a\\b",
        "/a%00",  "/a%0ab",      "/a%7f",     "/a%2f..%2fb", "/a%2f%2e%2e", "/..%2fa", "/a%2f%2fb",
        "/%",     "/%2",         "/%zz",      "/a%2"}) {
    CAPTURE(path);
    const auto target = parse_target(path);
    REQUIRE_FALSE(target);
    CHECK(target.error().kind == ErrorKind::InvalidInput);
  }
}

TEST_CASE("a name that stands twice in the query is refused", "[http]") {
  const auto target = parse_target("/a?token=1&token=2");
  REQUIRE_FALSE(target);
  CHECK(target.error().message == "'token' stands twice in the query");
  CHECK_FALSE(parse_target("/a?b=%zz"));
  CHECK_FALSE(parse_target("/a?b=%00"));
}

}  // namespace
}  // namespace slipway::server::http
