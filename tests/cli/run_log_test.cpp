#include "cli/run_log.h"

#include <vector>

#include "tests/support/catch.h"

using namespace slipway::cli;

namespace {

std::vector<LogLine> read(const std::vector<std::string>& pieces) {
  std::vector<LogLine> lines;
  LogLines reader;
  const auto take = [&](const LogLine& line) { lines.push_back(line); };
  for (const std::string& piece : pieces) reader.feed(piece, take);
  reader.finish(take);
  return lines;
}

std::vector<std::string> shown(const std::string& log) {
  std::vector<std::string> texts;
  for (const LogLine& line : read({log}))
    if (line.is_worth_showing()) texts.push_back(line.text);
  return texts;
}

const std::string kScript = "section_start:1:step_script\r\x1b[0KExecuting\n";

}  // namespace

TEST_CASE("lines come whole, wherever the pieces were cut", "[run_log]") {
  const auto lines = read({"on", "e\ntw", "o\n", "\n", "last"});

  REQUIRE(lines.size() == 4);
  CHECK(lines[0].text == "one");
  CHECK(lines[1].text == "two");
  CHECK(lines[2].text.empty());
  CHECK(lines[3].text == "last");
}

TEST_CASE("what the runner tells of itself is no word of the job", "[run_log]") {
  CHECK(shown("Running with\n"
              "section_start:1:get_sources\r\x1b[0KGetting source\nFetching\n"
              "WARNING: no cache\n"
              "section_end:2:get_sources\r\x1b[0K" +
              kScript +
              "$ make\nsection_end:3:step_script\r\x1b[0K"
              "section_start:3:after_script\r\x1b[0KRunning after_script\nafter\n"
              "section_end:4:after_script\r\x1b[0K\x1b[31;1mERROR: Job failed\x1b[0;m\n") ==
        std::vector<std::string>{"WARNING: no cache", "$ make", "after",
                                 "\x1b[31;1mERROR: Job failed\x1b[0;m"});
}

TEST_CASE("a job's own sections are part of its script", "[run_log]") {
  CHECK(shown(kScript +
              "section_start:2:mine[collapsed=true]\r\x1b[0KMy part\ninside\n"
              "section_end:3:mine\r\x1b[0Kbehind\nsection_end:3:never opened\r\x1b[0Kmore\n") ==
        std::vector<std::string>{"My part", "inside", "behind", "more"});
}

TEST_CASE("what only looks like a mark is text", "[run_log]") {
  CHECK(shown(kScript + "section_start:x\nsection_end:\rtail\n") ==
        std::vector<std::string>{"section_start:x", "tail"});
}

TEST_CASE("of a progress bar the last state is left", "[run_log]") {
  CHECK(shown(kScript + "10%\r50%\r100%\r\n") == std::vector<std::string>{"100%"});
}

TEST_CASE("a line without an end is not held for ever", "[run_log]") {
  CHECK(read({std::string(100'000, 'x')}).front().text.size() == 100'000);
}

TEST_CASE("a log cannot drive the terminal", "[run_log]") {
  CHECK(printable("a\x1b[2Jb\x1b[1;31mc\x1b[0md") == "ab\x1b[1;31mc\x1b[0md");
  CHECK(printable("a\x1b]0;title\ab\x1bPdevice\x1b\\c\x1b(Bd") == "abcBd");
  CHECK(printable("bell\a, back\b, tab\t, nul" + std::string(1, '\0') + "\x7f") ==
        "bell, back, tab\t, nul");
  CHECK(printable("\xc2\x9b"
                  "2J") == "2J");  // CSI in one character
  CHECK(printable("ä €") == "ä €");
  CHECK(printable("end\x1b") == "end");
  CHECK(printable("end\x1b[") == "end");
  CHECK(printable("\x1b[?25mx\x1b[>4;2my") == "xy");
  CHECK(without_colours("\x1b[32mgreen\x1b[0m") == "green");
}
