// Whole pipeline files with what they would create, written beside them: `corpus/<name>.yml` and
// `corpus/<name>.expected`. Each section of the latter is headed by its event, "== push main", and
// holds the plan; a file that is not valid has one section "== lint" with its findings.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/files.h"
#include "tests/pipeline/support.h"

using namespace slipway;
using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

namespace fs = std::filesystem;

fs::path corpus() {
  const char* source = std::getenv("SLIPWAY_SOURCE");
  return fs::path{source == nullptr ? "." : source} / "tests/pipeline/corpus";
}

std::string place(const SourceSpan& at) {
  return fmt::format("{}:{}", at.line, at.column);
}

std::string line_of(const PlannedJob& job) {
  std::string text = fmt::format("  {}: {}", job.job.name, to_string(job.when));
  if (job.start_in) text += fmt::format(" after {} s", job.start_in->count());
  if (job.allow_failure.always) text += ", may fail";
  if (!job.allow_failure.exit_codes.empty())
    text += fmt::format(", may fail with {}", fmt::join(job.allow_failure.exit_codes, " "));
  if (job.dag) {
    std::vector<std::string> names;
    for (const Need& need : job.needs) names.push_back(need.job + (need.artifacts ? "" : "-"));
    text += fmt::format(", needs [{}]", fmt::join(names, ", "));
  }
  for (const Variable& variable : job.variables)
    text += fmt::format(", {}={}", variable.name, variable.value);
  if (job.rule) text += ", by " + place(*job.rule);
  return text + "\n";
}

std::string text_of(const Plan& plan) {
  std::string text;
  if (!plan.name.empty()) text += "name: " + plan.name + "\n";
  for (const std::string& stage : plan.stages) {
    text += stage + "\n";
    for (const PlannedJob& job : plan.jobs)
      if (job.job.stage == stage) text += line_of(job);
  }
  for (const LeftOutJob& job : plan.left_out)
    text += fmt::format("left out: {} at {}: {}\n", job.name, place(job.rule), job.reason.text);
  for (const Diagnostic& finding : plan.findings)
    text += fmt::format("error at {}: {}\n", place(finding.span), finding.message);
  if (plan.no_pipeline) text += "no pipeline: " + plan.no_pipeline->text + "\n";
  return text;
}

// "push main", "tag v1", "schedule main", "merge_request_event x", "push main changing a b"
Trigger trigger_of(const std::string& words) {
  std::istringstream in{words};
  std::string event;
  std::string ref;
  std::string word;
  in >> event >> ref;
  if (event == "tag") return tag(ref);
  Trigger trigger = push_to(ref);
  const auto source = parse_source(event);
  REQUIRE(source);
  trigger.source = *source;
  if (in >> word) {
    REQUIRE(word == "changing");
    trigger.changed_paths.emplace();
    while (in >> word) trigger.changed_paths->push_back(word);
  }
  return trigger;
}

// What the file gives for the events that `expected` asks about.
std::string answer(const std::string& text, const std::string& expected) {
  const ReadOutcome outcome = outcome_of(text);
  std::string findings;
  for (const Diagnostic& finding : outcome.findings) findings += render(finding, text);
  std::string answer;
  std::istringstream lines{expected};
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("== ", 0) != 0) continue;
    answer += line + "\n";
    if (line == "== lint")
      answer += findings;
    else if (outcome.configuration)
      answer += text_of(make_plan(*outcome.configuration, trigger_of(line.substr(3))));
    else
      answer += "not valid\n";
  }
  return answer;
}

}  // namespace

TEST_CASE("each file of the corpus gives what is written beside it", "[corpus]") {
  int files = 0;
  for (const auto& entry : fs::directory_iterator{corpus()}) {
    if (entry.path().extension() != ".yml") continue;
    ++files;
    const auto text = read_file(entry.path());
    REQUIRE(text);
    const auto expected = read_file(fs::path{entry.path()}.replace_extension(".expected"));
    INFO(entry.path().filename());
    REQUIRE(expected);
    CHECK(answer(*text, *expected) == *expected);
  }
  CHECK(files >= 10);
}
