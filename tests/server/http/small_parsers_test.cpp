#include "server/http/artifact_routes.h"
#include "server/http/byte_range.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/multipart.h"
#include "server/http/outside_routes.h"
#include "server/http/project_routes.h"
#include "server/http/response_head.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

namespace slipway::server::http {
namespace {

using namespace std::chrono_literals;

// The file of a multipart body, fed in pieces of `step` bytes, or the error.
std::string file_of(const std::string& body, std::size_t step, std::string* name = nullptr) {
  std::string file;
  MultipartReader reader{"b", "file", [&](std::string_view bytes) -> Result<void> {
                           file += bytes;
                           return {};
                         }};
  for (std::size_t at = 0; at < body.size(); at += step)
    if (auto done = reader.feed(std::string_view{body}.substr(at, step)); !done)
      return "error: " + done.error().message;
  if (auto done = reader.finish(); !done) return "error: " + done.error().message;
  if (name != nullptr) *name = reader.file_name();
  return file;
}

const std::string kFileHead =
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n"
    "Content-Type: application/octet-stream\r\n\r\n";

TEST_CASE("a file comes out of a multipart body however it is cut", "[http]") {
  const std::string content = "x\r\n--\r\n--a\r\n\r\n-b" + std::string(3, '\0') + "\r\n--";
  const auto body = "--b\r\nContent-Disposition: form-data; name=\"expire\"\r\n\r\n1 day\r\n" +
                    kFileHead + content + "\r\n--b--\r\nepilogue";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    CAPTURE(step);
    std::string name;
    CHECK(file_of(body, step, &name) == content);
    CHECK(name == "a.zip");
  }
  CHECK(file_of(kFileHead + "\r\n--b--\r\n", 1).empty());
}

TEST_CASE("what is no multipart body with one file is refused", "[http]") {
  CHECK(file_of(kFileHead + "abc", 5) == "error: the multipart body is cut off");
  CHECK(file_of("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--", 5) ==
        "error: part 'file' is missing");
  CHECK(file_of(kFileHead + "a\r\n" + kFileHead + "b\r\n--b--", 50) ==
        "error: there are two parts 'file'");
  CHECK(file_of("--b\r\nContent-Type: x\r\n\r\n\r\n--b--", 50) == "error: a part has no name");
  CHECK(file_of("--bX\r\n", 50) == "error: malformed multipart boundary");
  CHECK(file_of(std::string(20'000, 'x'), 5000) == "error: the multipart body has no boundary");
  CHECK(file_of("--b\r\nA: " + std::string(20'000, 'x'), 5000) ==
        "error: the head of a part is too long");
  CHECK(file_of("--b\r\nContent-Disposition: form-data; name=x\r\n\r\n" + std::string(20'000, 'x') +
                    "\r\n--b--",
                100) == "error: part 'x' is too long");
}

TEST_CASE("the boundary comes from the content type", "[http]") {
  CHECK(multipart_boundary("multipart/form-data; boundary=abc").value() == "abc");
  CHECK(multipart_boundary("Multipart/Form-Data; charset=x; boundary=\"a b\"").value() == "a b");
  CHECK_FALSE(multipart_boundary("multipart/form-data"));
  CHECK_FALSE(multipart_boundary("application/json; boundary=a"));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'x')));
}

TEST_CASE("one plain range is a part, anything else the whole", "[http]") {
  ByteRange range;
  CHECK(parse_range("bytes=2-4", 10, range) == RangeVerdict::Part);
  CHECK(range.first == 2);
  CHECK(range.length == 3);
  CHECK(parse_range("bytes=7-", 10, range) == RangeVerdict::Part);
  CHECK(range.length == 3);
  CHECK(parse_range("bytes=5-99", 10, range) == RangeVerdict::Part);
  CHECK(range.length == 5);
  CHECK(parse_range("bytes=-4", 10, range) == RangeVerdict::Part);
  CHECK(range.first == 6);
  CHECK(parse_range("bytes=10-", 10, range) == RangeVerdict::Unsatisfiable);
  CHECK(parse_range("bytes=4-2", 10, range) == RangeVerdict::Unsatisfiable);
  CHECK(parse_range("bytes=-0", 10, range) == RangeVerdict::Unsatisfiable);
  std::string many = "bytes=0-";
  for (int i = 0; i < 1700; ++i) many += ",0-";
  for (const auto& header :
       {std::string{}, many, std::string{"bytes=a-b"}, std::string{"lines=1-2"},
        std::string{"bytes=-"}, std::string{"bytes=1-x"}}) {
    CHECK(parse_range(header, 10, range) == RangeVerdict::Whole);
    CHECK(range.length == 10);
  }
}

TEST_CASE("a runner's Content-Range tells where its bytes begin", "[http]") {
  CHECK(content_range_start("0-99") == 0);
  CHECK(content_range_start("bytes 100-199/*") == 100);
  for (const auto* wrong : {"", "5", "-5", "a-b", "5-", "99999999999999999999-1"})
    CHECK_FALSE(content_range_start(wrong));
}

TEST_CASE("expiry is read as GitLab writes it", "[http]") {
  CHECK(parse_expiry("1 week").value() == 168h);
  CHECK(parse_expiry("3 mins 4 sec").value() == 184s);
  CHECK(parse_expiry("2 hrs 20 min").value() == 140min);
  CHECK(parse_expiry("47 yrs 6 mos and 4d").value() == (47 * 365 + 6 * 30 + 4) * 24h);
  CHECK(parse_expiry("90").value() == 90s);
  CHECK_FALSE(parse_expiry("never").value());
  for (const auto* wrong : {"soon", "1 fortnight", "week", "99999999999999999999 days", "-1 day"})
    CHECK_FALSE(parse_expiry(wrong));
}

TEST_CASE("a file's name loses what could mean something", "[http]") {
  CHECK(safe_file_name("a b.zip", "x") == "a_b.zip");
  CHECK(safe_file_name("../../etc/passwd", "x") == "passwd");
  CHECK(safe_file_name("a\\..\\b\"\r\n.zip", "x") == "b___.zip");
  CHECK(safe_file_name("..", "x") == "x");
  CHECK(safe_file_name("", "x") == "x");
}

TEST_CASE("project paths are groups and a name", "[http]") {
  for (const auto* good : {"a/b", "name", "a/b/c", "A_1.x/b-2"}) CHECK(check_project_path(good));
  for (const auto* bad : {"", "/a", "a/", "a//b", "-a/b", ".a/b", "a/../b", "a..b", "a/b.git",
                          "a b", "api/x", "hooks/x", "a\n/b"}) {
    CAPTURE(bad);
    CHECK_FALSE(check_project_path(bad));
  }
}

TEST_CASE("JSON bodies are objects of bounded depth", "[http]") {
  CHECK(parse_object("{\"a\":1}"));
  CHECK(parse_object("[1]").error().message == "the body must be a JSON object");
  CHECK(parse_object("{").error().message == "the body is not valid JSON");
  CHECK(parse_object("").error().message == "the body is not valid JSON");
  CHECK(parse_object("{\"a\":" + std::string(200'000, '[')).error().message ==
        "the JSON body is nested too deeply");
}

TEST_CASE("a field of the wrong type is named", "[http]") {
  const auto object = parse_object(R"({"a":1,"b":"x","c":[1],"d":null,"e":18446744073709551615})");
  const auto message = [&](auto read) {
    FieldReader fields{*object};
    read(fields);
    return fields.error() ? fields.error()->message : "";
  };
  CHECK(message([](auto& f) { f.text("a"); }) == "field 'a' must be a string");
  CHECK(message([](auto& f) { f.number("b"); }) == "field 'b' must be a whole number");
  CHECK(message([](auto& f) { f.number("e"); }) == "field 'e' must be a whole number");
  CHECK(message([](auto& f) { f.flag("b"); }) == "field 'b' must be true or false");
  CHECK(message([](auto& f) { f.texts("c"); }) == "field 'c' must be a list of strings");
  CHECK(message([](auto& f) { f.needed_text("d"); }) == "field 'd' must be given");
  CHECK(message([](auto& f) { f.text("d"); }).empty());
}

TEST_CASE("text that is no UTF-8 is written all the same", "[http]") {
  CHECK(dump("a\xff") == "\"a\xef\xbf\xbd\"");
}

TEST_CASE("a header value cannot end its line", "[http]") {
  Response response;
  response.headers.set("X", "a\r\nSet-Cookie: b");
  const auto head = response_head(response, {});
  CHECK(head.find("X: aSet-Cookie: b\r\n") != std::string::npos);
}

TEST_CASE("a response tells the server's time", "[http]") {
  const auto head = response_head(Response{}, {});
  const auto begin = head.find("\r\nDate: ") + 8;
  const auto date = parse_http_date(head.substr(begin, head.find("\r\n", begin) - begin));
  REQUIRE(date);
  CHECK(std::abs(*date - SystemClock{}.now()) < 60'000);
}

TEST_CASE("a badge shows its words escaped", "[http]") {
  const auto svg = badge_svg("a<b", "x\"&", "#555");
  CHECK(svg.find("a&lt;b: x&quot;&amp;") != std::string::npos);
  CHECK(svg.find("a<b") == std::string::npos);
}

TEST_CASE("a list tells how long it is up to ten thousand, and whether there is more", "[http]") {
  const auto exact = list_response(nlohmann::json::array(), {500, 20}, 10'000);
  CHECK(exact.headers.get("X-Total") == "10000");
  CHECK(exact.headers.get("X-Next-Page") == "");
  const auto longer = list_response(nlohmann::json::array(), {500, 20}, 10'001);
  CHECK_FALSE(longer.headers.find("X-Total"));
  CHECK(longer.headers.get("X-Next-Page") == "501");
}

}  // namespace
}  // namespace slipway::server::http
