#include "runner/masker.h"

#include "base/crypto.h"
#include "tests/support/catch.h"

using slipway::base64_encode;
using slipway::runner::Masker;

namespace {

std::string masked(const std::vector<std::string>& values, const std::string& text,
                   std::size_t piece = 1'000'000) {
  Masker masker{values, {"glpat-", "glcbt-"}};
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece)
    out += masker.feed(text.substr(at, piece));
  return out + masker.flush();
}

}  // namespace

TEST_CASE("a masked value never shows, wherever the output is split", "[masker]") {
  const std::string text = "a hunter2secret b hunter2secretlonger c hunter2secre";
  const std::vector<std::string> values{"hunter2secret", "hunter2secretlonger"};
  const std::string expected = "a [MASKED] b [MASKED] c hunter2secre";

  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    CHECK(masked(values, text, piece) == expected);
  }
  for (std::size_t split = 0; split <= text.size(); ++split) {
    Masker masker{values, {}};
    std::string out = masker.feed(text.substr(0, split));
    out += masker.feed(text.substr(split));
    CHECK(out + masker.flush() == expected);
  }
}

TEST_CASE("each line of a value with several lines is masked", "[masker]") {
  const std::string value = "first-line-of-key\r\nsecond-line-of-key\n";

  CHECK(masked({value}, "x first-line-of-key\ny second-line-of-key\n") ==
        "x [MASKED]\ny [MASKED]\n");
}

TEST_CASE("the base64 of a value is masked at each alignment", "[masker]") {
  const std::string secret = "correct-horse-battery";
  for (const std::string before : {"", "a", "ab"}) {
    CAPTURE(before);
    const std::string shown = masked({secret}, base64_encode(before + secret + "tail"));
    CHECK(shown.find("[MASKED]") != std::string::npos);
    CHECK(shown.size() < 24);
  }
}

TEST_CASE("what follows the prefix of a token is masked", "[masker]") {
  const std::string text = "token glpat-abc_DEF-123 and glcbt-xyz\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece)
    CHECK(masked({}, text, piece) == "token glpat-[MASKED] and glcbt-[MASKED]\n");
}

TEST_CASE("values shorter than eight bytes stay, as does everything without a secret", "[masker]") {
  CHECK(masked({"short", ""}, "short \xff\xfe bytes") == "short \xff\xfe bytes");
  CHECK(masked({"seven77"}, "seven77") == "seven77");
}

TEST_CASE("secrets that overlap are hidden together", "[masker]") {
  const std::vector<std::string> values{"alpha-beta", "beta-gamma-delta", "delta-epsilon"};
  const std::string text = "x alpha-beta-gamma-delta-epsilon y beta-gamma-delta z";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    CHECK(masked(values, text, piece) == "x [MASKED] y [MASKED] z");
  }
  CHECK(masked(values, "alpha-beta-gamma-delt") == "[MASKED]-gamma-delt");
}

TEST_CASE("a secret that begins within a token, or a token within a secret, is hidden",
          "[masker]") {
  CHECK(masked({"tail and more"}, "glpat-abctail and more, end") == "glpat-[MASKED], end");
  CHECK(masked({"secret-glpat-"}, "a secret-glpat-abc b") == "a [MASKED] b");
}

TEST_CASE("a long run of one secret's bytes is masked in time that grows with it", "[masker]") {
  CHECK(masked({"aaaaaaaa"}, std::string(1'000'000, 'a') + "\n", 4096) == "[MASKED]\n");
}
