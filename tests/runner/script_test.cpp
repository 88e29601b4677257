#include "runner/script.h"

#include <filesystem>

#include "base/files.h"
#include "base/process.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::runner;

namespace {

const std::vector<std::string> kShells{"bash", "sh"};

// What `text` prints, read by `shell` from its standard input.
CollectedOutput output_of(const std::string& shell, const std::string& text) {
  ProcessSpec spec;
  spec.argv = {shell};
  spec.env = environment_subset({"PATH"});
  spec.input = text;
  auto collected = collect_process(spec);
  REQUIRE(collected);
  return std::move(*collected);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a value reaches the job byte for byte, whatever a shell would make of it", "[script]") {
  const test::TempDirectory directory;
  const auto canary = (directory / "canary").string();
  const std::vector<std::string> values{"$(touch " + canary + ")",
                                        "`touch " + canary + "`",
                                        "'; touch " + canary + "; '",
                                        "\"quoted\" and 'quoted'",
                                        "two\nlines\n\n",
                                        "-n",
                                        "*",
                                        "back\\slash \\n \xff\x01",
                                        "!history ${HOME} $$",
                                        std::string(64 << 10, 'x')};
  for (const std::string& shell : kShells)
    for (const std::string& value : values) {
      CAPTURE(shell, value.substr(0, 100));
      const Script script{
          {{"VALUE", value}}, directory.path().string(), {"printf %s \"$VALUE\" > value"}};
      const auto out = output_of(shell, script_text(script));
      CHECK(out.outcome.succeeded());
      CHECK(read_file(directory / "value").value_or("") == value);
      CHECK_FALSE(std::filesystem::exists(canary));
    }
}

TEST_CASE("a name that no shell takes is left out", "[script]") {
  const Script script{{{"x;touch y", "1"}, {"1A", "1"}, {"", "1"}, {"OK_1", "1"}}, "/", {}};

  const std::string text = script_text(script);

  CHECK(contains(text, "export OK_1='1'\n"));
  CHECK_FALSE(contains(text, "touch"));
  CHECK_FALSE(contains(text, "1A"));
}

TEST_CASE("a script stops at its first failure", "[script]") {
  for (const std::string& shell : kShells) {
    CAPTURE(shell);
    const Script script{{}, "/", {"echo one", "(exit 7)", "echo never-shown"}};
    const auto out = output_of(shell, script_text(script));
    CHECK(out.outcome.code == 7);
    CHECK(contains(out.output, "\x1b[32;1m$ echo one\x1b[0;m\none\n"));
    CHECK_FALSE(contains(out.output, "never-shown"));
  }
}

TEST_CASE("a failure within a pipe counts where the shell can tell", "[script]") {
  const Script script{{}, "/", {"false | true"}};
  CHECK(output_of("bash", script_text(script)).outcome.code == 1);
}

TEST_CASE("a command of several lines is shown by its first and run whole", "[script]") {
  const Script script{{}, "/", {"if true\nthen\n  echo whole\nfi"}};

  const auto out = output_of("sh", script_text(script));

  CHECK(contains(out.output, "$ if true # collapsed multi-line command\x1b[0;m\nwhole\n"));
}

TEST_CASE("the driver runs both scripts and ends with the code of the first", "[script]") {
  for (const std::string& shell : kShells)
    for (const int code : {0, 9}) {
      CAPTURE(shell, code);
      const test::TempDirectory marks;
      const auto out =
          output_of(shell, driver_text(marks.path().string(), "cat; exit " + std::to_string(code),
                                       "between\n", "echo status $CI_JOB_STATUS >&2; exit 3"));
      CHECK(out.outcome.code == code);
      // `cat` shows that a script does not eat what the driver reads.
      CHECK(out.output ==
            std::string{"between\nstatus "} + (code == 0 ? "success" : "failed") + "\n");
      CHECK(std::filesystem::exists(marks / "started"));
      CHECK(read_file(marks / "ended").value_or("") == std::to_string(code) + "\n");
    }
}

TEST_CASE("the after_script of a canceled script knows it", "[script]") {
  for (const std::string& shell : kShells) {
    CAPTURE(shell);
    const test::TempDirectory marks;
    const auto out = output_of(
        shell, driver_text(marks.path().string(), ": > '" + (marks / "canceled").string() + "'", "",
                           "echo $CI_JOB_STATUS"));
    CHECK(out.output == "canceled\n");
  }
}

TEST_CASE("a script that is killed does not print itself", "[script]") {
  for (const std::string& shell : kShells) {
    CAPTURE(shell);
    const test::TempDirectory marks;
    const auto out = output_of(
        shell, driver_text(marks.path().string(), "exec sh -c 'kill -KILL $$ # secret-in-script'",
                           "after\n", "true"));
    CHECK(out.outcome.code == 137);
    CHECK(out.output == "after\n");
  }
}
