#include "runner/masker.h"

#include <random>

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

TEST_CASE("the forms that programs write a value in are masked, wherever the output is split",
          "[masker]") {
  const std::string secret = "p@ss/wörd +'$\"x\\1";
  for (const std::string form :
       {"p@ss/wörd +'$\"x\\1", "p%40ss%2Fw%C3%B6rd%20%2B%27%24%22x%5C1",
        "p%40ss%2fw%c3%b6rd%20%2b%27%24%22x%5c1", "p%40ss%2Fw%C3%B6rd+%2B%27%24%22x%5C1",
        "p@ss/wörd +'$\\\"x\\\\1", "p@ss\\/wörd +'$\\\"x\\\\1",
        "704073732f77c3b67264202b272422785c31", "704073732F77C3B67264202B272422785C31",
        "p@ss/wörd +'\\''$\"x\\1", "p@ss/wörd\\ +\\'\\$\\\"x\\\\1"}) {
    CAPTURE(form);
    const std::string text = "before [" + form + "] after\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece)
      CHECK(masked({secret}, text, piece) == "before [[MASKED]] after\n");
  }
}

TEST_CASE("a value that is broken into lines is masked as a whole", "[masker]") {
  const std::string secret = "correct-horse-battery-staple";
  std::vector<std::string> forms{secret, base64_encode(secret + "!!").substr(0, 37)};
  for (const std::string& form : forms)
    for (const std::string breaks : {"\n", "\r\n"})
      for (std::size_t at = 1; at < form.size(); ++at) {
        const std::string text =
            "some words before it: " + form.substr(0, at) + breaks + form.substr(at) + " after\n";
        CAPTURE(text);
        CHECK(masked({secret}, text) == "some words before it: [MASKED] after\n");
        // Of a piece that ends just there, a few bytes may have been shown.
        const std::string shown = masked({secret}, text, 7);
        CHECK(shown.find("[MASKED] after\n") != std::string::npos);
        CHECK(shown.size() < 46);
      }
}

TEST_CASE("a line is shown when it ends, though its last bytes may begin a secret", "[masker]") {
  Masker masker{{"correct-horse"}, {}};
  CHECK(masker.feed("looking for c") == "looking for ");
  CHECK(masker.feed("\n") == "c\n");
  CHECK(masker.feed("orrect-horse found\n") == "[MASKED] found\n");
  CHECK(masker.feed("a cor\n") == "a cor\n");
  CHECK(masker.feed("ner\n") == "ner\n");
  CHECK(masker.flush().empty());
}

TEST_CASE("as many forms of random secrets as there are, none gets through", "[masker]") {
  std::minstd_rand random{7};
  std::vector<std::string> secrets;
  for (int i = 0; i < 40; ++i) secrets.push_back(slipway::random_hex(8 + random() % 20));
  for (int round = 0; round < 30; ++round) {
    const std::string& secret = secrets[random() % secrets.size()];
    std::string text;
    for (std::size_t i = random() % 200; i > 0; --i)
      text += static_cast<char>(random() % 20 == 0 ? '\n' : 'a' + random() % 26);
    text += secret;
    if (random() % 2 == 0) text += "\nmore";
    const std::string shown = masked(secrets, text, 1 + random() % 70);
    CAPTURE(text, shown);
    CHECK(shown.find(secret) == std::string::npos);
    CHECK(shown.find("[MASKED]") != std::string::npos);
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
