#include "base/text.h"

#include "tests/support/catch.h"

using slipway::cut_off;
using slipway::utf8_prefix;

TEST_CASE("a text is cut between its characters", "[text]") {
  CHECK(utf8_prefix("abc", 3) == "abc");
  CHECK(utf8_prefix("abcd", 3) == "abc");
  CHECK(utf8_prefix("aä", 2) == "a");
  CHECK(utf8_prefix("aäb", 3) == "aä");
  CHECK(utf8_prefix("€", 2).empty());
  CHECK(utf8_prefix("abc", 0).empty());
}

TEST_CASE("what is cut off ends with its mark, within the bound", "[text]") {
  CHECK(cut_off("abc", 3) == "abc");
  CHECK(cut_off("abcdef", 5) == "ab…");
  CHECK(cut_off("aäbcd", 5) == "a…");
  CHECK(cut_off("", 0).empty());
  CHECK(cut_off("abcd", 3) == "…");
}
