// What holds for every golden case that is valid, whatever it is about: resolving twice changes
// nothing, the resolved file means what the source means, and the order of keys matters only where
// the language says so.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "base/files.h"
#include "pipeline/read/resolve.h"
#include "tests/pipeline/golden/case_file.h"
#include "tests/pipeline/golden/flow_text.h"
#include "tests/pipeline/golden/world.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;
using namespace slipway::pipeline::golden;
using slipway::pipeline::read::Kind;
using slipway::pipeline::read::NodePtr;

namespace {

namespace fs = std::filesystem;

struct Resolved {
  std::string name;
  Case one;
  NodePtr root;  // includes, extends and references resolved
};

NodePtr resolve(const NodePtr& root) {
  Diagnostics findings;
  NodePtr resolved = read::resolve_extends(root, findings);
  if (resolved) resolved = read::resolve_references(resolved, findings);
  return has_errors(findings) ? nullptr : resolved;
}

// Every case whose file can be read; the others say nothing about meaning.
std::vector<Resolved> valid_cases() {
  std::vector<Resolved> cases;
  const char* source = std::getenv("SLIPWAY_SOURCE");
  const fs::path golden = fs::path{source == nullptr ? "." : source} / "tests/pipeline/golden";
  for (const auto& entry : fs::recursive_directory_iterator{golden}) {
    if (entry.path().extension() != ".case") continue;
    // An `extends` that a reference brings is not expanded, so another pass would expand it.
    if (entry.path().stem() == "extends-through-a-reference-is-not-expanded") continue;
    Resolved resolved{
        entry.path().stem().string(), parse_case(read_file(entry.path()).value()), {}};
    World world{resolved.one.files};
    if (!read_configuration(resolved.one.text, "x.yml", world).configuration) continue;
    ReadOutcome outcome;
    const NodePtr root = read::parse_with_includes(resolved.one.text, "x.yml", world, {}, outcome);
    REQUIRE(root);
    resolved.root = resolve(root);
    REQUIRE(resolved.root);
    cases.push_back(std::move(resolved));
  }
  std::sort(cases.begin(), cases.end(),
            [](const Resolved& a, const Resolved& b) { return a.name < b.name; });
  return cases;
}

// Places are left out: they differ by nature.
void drop_places(nlohmann::json& value) {
  if (value.is_object()) {
    for (const char* key : {"at", "rule", "on_stop_at"}) value.erase(key);
    for (auto& [key, below] : value.items()) drop_places(below);
  } else if (value.is_array()) {
    for (nlohmann::json& below : value) drop_places(below);
  }
}

// All that a plan says, jobs by name since their order is that of the file.
std::string meaning(const std::string& text, const std::map<std::string, std::string>& files,
                    const Trigger& trigger) {
  World world{files};
  const ReadOutcome outcome = read_configuration(text, "x.yml", world);
  for (const Diagnostic& finding : outcome.findings) UNSCOPED_INFO(render(finding, text));
  if (!outcome.configuration) return "not valid";
  const Plan plan = make_plan(*outcome.configuration, trigger);
  nlohmann::json jobs = nlohmann::json::object();
  for (const PlannedJob& planned : plan.jobs) {
    nlohmann::json job = to_json(planned);
    drop_places(job);
    jobs[planned.job.name] = job;
  }
  nlohmann::json left_out = nlohmann::json::object();
  for (const LeftOutJob& job : plan.left_out) left_out[job.name] = to_string(job.reason.code);
  return nlohmann::json{{"name", plan.name},
                        {"stages", plan.stages},
                        {"jobs", jobs},
                        {"left_out", left_out},
                        {"none", plan.no_pipeline.has_value()},
                        {"findings", plan.findings.size()}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<Trigger> triggers() {
  return {parse_event("push main --changed a"), parse_event("tag v1"),
          parse_event("merge_request_event topic"), parse_event("schedule main --var A=1")};
}

NodePtr reversed(const NodePtr& node, int depth) {
  if (node->kind != Kind::Mapping || depth == 0) return node;
  std::vector<read::Entry> entries{node->entries.rbegin(), node->entries.rend()};
  for (read::Entry& entry : entries) entry.value = reversed(entry.value, depth - 1);
  return read::make_mapping(std::move(entries), node->at);
}

bool has_variables(const NodePtr& root) {
  return std::any_of(root->entries.begin(), root->entries.end(),
                     [](const read::Entry& entry) { return entry.key == "variables"; });
}

}  // namespace

TEST_CASE("a tree written as text is read as the same tree", "[properties]") {
  for (const Resolved& one : valid_cases()) {
    INFO(one.name);
    const std::string text = flow_text(*one.root);
    Diagnostics findings;
    const NodePtr again = read::parse(text, "x.yml", findings);
    REQUIRE(again);
    CHECK(flow_text(*again) == text);
  }
}

TEST_CASE("resolving what is resolved changes nothing", "[properties]") {
  for (const Resolved& one : valid_cases()) {
    INFO(one.name);
    const NodePtr again = resolve(one.root);
    REQUIRE(again);
    CHECK(flow_text(*again) == flow_text(*one.root));
  }
}

TEST_CASE("the resolved file means what its source means", "[properties]") {
  for (const Resolved& one : valid_cases()) {
    INFO(one.name);
    const std::string text = flow_text(*one.root);
    INFO(text);
    for (const Trigger& trigger : triggers())
      CHECK(meaning(text, {}, trigger) == meaning(one.one.text, one.one.files, trigger));
  }
}

TEST_CASE("the order of top-level keys and of a job's keys does not matter", "[properties]") {
  int compared = 0;
  for (const Resolved& one : valid_cases()) {
    // The variables themselves are read in order, and so are inputs of any kind.
    if (has_variables(one.root)) continue;
    ++compared;
    INFO(one.name);
    const std::string straight = flow_text(*one.root);
    const std::string backwards = flow_text(*reversed(one.root, 1));
    INFO(backwards);
    for (const Trigger& trigger : triggers())
      CHECK(meaning(backwards, {}, trigger) == meaning(straight, {}, trigger));
  }
  CHECK(compared > 100);
}

TEST_CASE("the order of two includes matters exactly when both set the same thing",
          "[properties]") {
  std::mt19937 chance{20260103};
  const auto pick = [&](int below) {
    return std::uniform_int_distribution<>{0, below - 1}(chance);
  };
  int same = 0;
  int different = 0;
  for (int round = 0; round < 300; ++round) {
    bool conflict = false;
    std::map<std::string, std::string> first;
    std::string files[2];
    for (std::string& file : files)
      for (const char* job : {"one", "two"}) {
        file += std::string{job} + ":\n  script: make\n  variables:\n    FIXED: \"1\"\n";
        for (const char* name : {"A", "B", "C"}) {
          if (pick(3) != 0) continue;
          const std::string value = std::to_string(pick(2));
          file += "    " + std::string{name} + ": \"" + value + "\"\n";
          const auto [at, is_new] = first.try_emplace(std::string{job} + name, value);
          conflict = conflict || (!is_new && at->second != value);
        }
      }
    const std::map<std::string, std::string> repository{{"a.yml", files[0]}, {"b.yml", files[1]}};
    const auto variables_of = [&](const std::string& text) {
      World world{repository};
      const ReadOutcome outcome = read_configuration(text, "x.yml", world);
      REQUIRE(outcome.configuration);
      std::map<std::string, std::string> all;
      for (const Job& job : outcome.configuration->jobs)
        for (const Variable& variable : job.variables)
          all[job.name + variable.name] = variable.value;
      return all;
    };
    INFO(files[0] << "and\n" << files[1]);
    const bool equal =
        variables_of("include: [a.yml, b.yml]\n") == variables_of("include: [b.yml, a.yml]\n");
    CHECK(equal == !conflict);
    ++(equal ? same : different);
  }
  CHECK(same > 20);
  CHECK(different > 20);
}

TEST_CASE("the order of rules, bases and merge keys matters", "[properties]") {
  const auto plan_of = [](const std::string& text) {
    return meaning(text, {}, parse_event("push main"));
  };
  const std::string rules = "test:\n  script: x\n  rules: ";
  CHECK(plan_of(rules + "[{when: manual}, {when: always}]\n") !=
        plan_of(rules + "[{when: always}, {when: manual}]\n"));
  const std::string bases = ".a: {stage: build}\n.b: {stage: deploy}\ntest:\n  script: x\n";
  CHECK(plan_of(bases + "  extends: [.a, .b]\n") != plan_of(bases + "  extends: [.b, .a]\n"));
  const std::string base = ".a: &a {stage: build}\ntest:\n  script: x\n";
  CHECK(plan_of(base + "  stage: deploy\n  <<: *a\n") !=
        plan_of(base + "  <<: *a\n  stage: deploy\n"));
}
