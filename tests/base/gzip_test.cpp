#include "base/gzip.h"

#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/gzip.h"

using namespace slipway;
using slipway::test::gzip;

namespace {

struct Unpacked {
  std::vector<std::string> members;
  Result<void> result;
};

Unpacked unpack(std::string_view packed, std::size_t step) {
  Unpacked out{{}, Result<void>{}};
  std::string member;
  GunzipStream stream{[&](std::string_view bytes) {
                        member += bytes;
                        return Result<void>{};
                      },
                      [&] {
                        out.members.push_back(std::exchange(member, {}));
                        return Result<void>{};
                      }};
  for (std::size_t at = 0; at < packed.size() && out.result; at += step)
    out.result = stream.feed(packed.substr(at, step));
  if (out.result) out.result = stream.finish();
  return out;
}

}  // namespace

TEST_CASE("members of a gzip file come one after the other, however it is cut", "[gzip]") {
  const std::string large(300'000, 'x');
  const auto packed = gzip("first") + gzip("") + gzip(large) + gzip("last");
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, packed.size()}) {
    const auto got = unpack(packed, step);
    REQUIRE(got.result);
    CHECK(got.members == std::vector<std::string>{"first", "", large, "last"});
  }
  CHECK(*gunzip(packed, 1'000'000) == "first" + large + "last");
}

TEST_CASE("what is no gzip, or not all of one, is an error", "[gzip]") {
  const auto packed = gzip(std::string(10'000, 'y'));
  CHECK_FALSE(unpack(packed.substr(0, packed.size() - 1), 4096).result);
  CHECK_FALSE(unpack("not gzip at all", 4096).result);
  CHECK_FALSE(unpack("", 4096).result);
  CHECK_FALSE(unpack(packed + "behind it", 4096).result);
  auto spoiled = packed;
  spoiled[spoiled.size() - 6] ^= 1;  // its checksum
  CHECK_FALSE(unpack(spoiled, 4096).result);
}

TEST_CASE("a small file that unpacks to a large one ends at the limit", "[gzip]") {
  const auto packed = gzip(std::string(5'000'000, '\0'));
  const auto got = gunzip(packed, 1'000'000);
  REQUIRE_FALSE(got);
  CHECK(got.error().kind == ErrorKind::TooLarge);
}
