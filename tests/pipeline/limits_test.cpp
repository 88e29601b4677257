// Each limit on a pipeline file, on both sides of it: what is refused names the limit and its
// setting.

#include "pipeline/limits.h"

#include "pipeline/work.h"
#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;
using slipway::ErrorKind;
using slipway::fail;
using slipway::Result;
using slipway::Setting;

namespace {

using Files = std::map<std::string, std::string>;

const std::string kJob = "j: {script: x}\n";

ReadOutcome outcome(const std::string& text, const Limits& limits, Files files = {}) {
  Repository repository{std::move(files)};
  ReadOptions options;
  options.limits = limits;
  return read_configuration(text, "ci.yml", repository, options);
}

bool is_read(const std::string& text, const Limits& limits, Files files = {}) {
  return outcome(text, limits, std::move(files)).configuration.has_value();
}

// The finding's message, and its hint where that names the setting.
std::string refusal(const std::string& text, const Limits& limits, Files files = {}) {
  const ReadOutcome read = outcome(text, limits, std::move(files));
  CHECK_FALSE(read.configuration);
  REQUIRE_FALSE(read.findings.empty());
  const Diagnostic& first = read.findings.front();
  return first.message.find("setting") == std::string::npos ? first.message + " | " + first.hint
                                                            : first.message;
}

// A source whose files are larger than any setting allows.
class Huge : public Repository {
 public:
  Result<std::string> local_file(const std::string& /*path*/) override { return large(); }
  Result<std::string> project_commit(const IncludeProject& /*project*/,
                                     const std::string& /*ref*/) override {
    return std::string{"c1"};
  }
  Result<std::string> project_file(const IncludeProject& /*project*/, const std::string& /*commit*/,
                                   const std::string& /*path*/) override {
    return large();
  }
  Result<std::string> remote_file(const std::string& /*url*/) override { return large(); }
  Result<std::string> template_file(const std::string& /*name*/) override { return large(); }

 private:
  static Result<std::string> large() { return fail(ErrorKind::TooLarge, "too large"); }
};

std::string set(Limits& limits, const std::string& name, const std::string& value) {
  for (const Setting& row : limit_settings(limits))
    if (row.name == name) return row.set(value);
  return "no such setting";
}

}  // namespace

TEST_CASE("the size of a file is limited, of the main one and of an included one", "[limits]") {
  Limits limits;
  limits.file_bytes = 40;
  const std::string fits = kJob + "#" + std::string(40 - kJob.size() - 1, '-');
  CHECK(is_read(fits, limits));
  CHECK(refusal(fits + "-", limits) ==
        "The parsed YAML is too big: the file has more than 40 bytes (setting "
        "pipeline_file_limit)");
  const std::string main = "include: a.yml\n" + kJob;
  CHECK(is_read(main, limits, {{"a.yml", fits}}));
  CHECK(refusal(main, limits, {{"a.yml", fits + "-"}}) ==
        "`a.yml`: The parsed YAML is too big: the file has more than 40 bytes (setting "
        "pipeline_file_limit)");
}

TEST_CASE("a file that its source does not hand out for its size names the limit", "[limits]") {
  const std::string include =
      GENERATE("a.yml", "{project: team/ci, file: a.yml}", "'https://x.org/a.yml'",
               "{template: a.gitlab-ci.yml}", "{component: 'h/team/ci/a@1.0.0'}");
  CAPTURE(include);
  Huge source;
  const auto outcome =
      read_configuration("include: [" + include + "]\n" + kJob, "ci.yml", source, ReadOptions{});
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].code == "too_big");
  CHECK(outcome.findings[0].message.find("The parsed YAML is too big: the file has more than "
                                         "2097152 bytes (setting pipeline_file_limit)") !=
        std::string::npos);
  CHECK(outcome.findings[0].span.line == 1);
}

TEST_CASE("the depth is limited", "[limits]") {
  Limits limits;
  limits.depth = 4;
  CHECK(is_read(".x: [[[1]]]\n" + kJob, limits));
  CHECK(refusal(".x: [[[[1]]]]\n" + kJob, limits) ==
        "The parsed YAML is too big: nested deeper than 4 levels (setting pipeline_depth_limit)");
  CHECK(refusal("include: a.yml\n" + kJob, limits, {{"a.yml", ".x: [[[[1]]]]\n"}}) ==
        "`a.yml`: The parsed YAML is too big: nested deeper than 4 levels (setting "
        "pipeline_depth_limit)");
}

TEST_CASE("values are limited where aliases put them", "[limits]") {
  Limits limits;
  limits.values = 16;  // a mapping and its keys count, too
  CHECK(is_read(".a: &a [1, 2]\n.b: [*a]\n" + kJob, limits));
  CHECK(refusal(".a: &a [1, 2]\n.b: [*a, *a]\n" + kJob, limits) ==
        "The parsed YAML is too big: more than 16 values (setting pipeline_value_limit)");
}

TEST_CASE("values are limited in all files together", "[limits]") {
  Limits limits;
  limits.values = 20;
  const std::string main = "include: [a.yml, b.yml]\n" + kJob;
  CHECK(is_read(main, limits, {{"a.yml", ".a: 1\n"}, {"b.yml", ".b: [1, 2]\n"}}));
  CHECK(refusal(main, limits, {{"a.yml", ".a: 1\n"}, {"b.yml", ".b: [1, 2, 3, 4, 5, 6]\n"}}) ==
        "`b.yml`: The parsed YAML is too big: more than 20 values in all files together (setting "
        "pipeline_value_limit)");
}

TEST_CASE("values are limited where bases, references and inputs put them", "[limits]") {
  Limits limits;
  limits.values = 60;
  const std::string base = ".a: {script: [x, x, x, x, x, x, x, x]}\n";
  // Each job comes to 13: itself, two keys, and a list of eight with its name.
  const std::string four =
      base + "j: {extends: .a}\nk: {extends: .a}\nl: {extends: .a}\nm: {extends: .a}\n";
  CHECK(is_read(four, limits));
  CHECK(refusal(four + "n: {extends: .a}\n", limits) ==
        "n: The parsed YAML is too big: `extends` makes more than 60 values (setting "
        "pipeline_value_limit)");
  const std::string reference = "!reference [.a, script]";
  CHECK(is_read(base + "j: {script: [" + reference + "]}\n", limits));
  CHECK(refusal(base + "j: {script: [" + reference + ", " + reference + ", " + reference + ", " +
                    reference + ", " + reference + "]}\n",
                limits) ==
        "The parsed YAML is too big: references expand to more than 60 values (setting "
        "pipeline_value_limit)");
  const auto with_input = [](const std::string& list) {
    return "spec: {inputs: {a: {type: array, default: [1, 2, 3, 4, 5, 6, 7, 8, 9]}}}\n---\n"
           "j: {script: x}\n.l: [" +
           list + "]\n";
  };
  CHECK(is_read(with_input("'$[[ inputs.a ]]'"), limits));
  const std::string two = "'$[[ inputs.a ]]', '$[[ inputs.a ]]'";
  CHECK(refusal(with_input(two + ", " + two), limits) ==
        "The parsed YAML is too big: more than 60 values in all files together (setting "
        "pipeline_value_limit)");
  CHECK(refusal(with_input(two + ", " + two + ", " + two), limits) ==
        "config too large | the setting is pipeline_value_limit");
}

TEST_CASE("what all jobs take together is limited", "[limits]") {
  Limits limits;
  limits.jobs_bytes = 1 << 20;
  const std::string base = ".a: {script: '" + std::string(200'000, 'x') + "'}\n";
  CHECK(is_read(base + "j: {extends: .a, parallel: 4}\n", limits));
  CHECK(refusal(base + "j: {extends: .a, parallel: 6}\n", limits) ==
        "The parsed YAML is too big: its jobs come to more than 1048576 bytes (setting "
        "pipeline_jobs_limit)");
}

TEST_CASE("what jobs have of any keyword of their base counts", "[limits]") {
  Limits limits;
  limits.jobs_bytes = 1 << 20;
  const auto file = [](const std::string& keyword) {
    return ".a: {script: x, " + keyword + "}\n" + "j: {extends: .a, parallel: 4}\n" +
           "k: {extends: .a, parallel: 4}\n";
  };
  const std::string text(150'000, 'x');
  for (const std::string keyword :
       {"image: 'X'", "services: ['X']", "resource_group: 'X'", "tags: ['X']",
        "cache: {key: 'X', paths: [a]}", "artifacts: {paths: ['X']}", "after_script: ['X']",
        "variables: {A: 'X'}", "id_tokens: {A: {aud: 'X'}}"}) {
    CAPTURE(keyword);
    CHECK(is_read(file(keyword), limits));
    std::string large = keyword;
    CHECK(refusal(file(large.replace(large.find('X'), 1, text)), limits) ==
          "The parsed YAML is too big: its jobs come to more than 1048576 bytes (setting "
          "pipeline_jobs_limit)");
  }
  // Conditions are shared.
  CHECK(is_read(file("rules: [{if: '$A == \"" + text + "\"'}, {when: always}]"), limits));
}

TEST_CASE("what planned jobs take from workflow and rules counts", "[limits]") {
  const std::string text(20'000, 'x');
  const auto plan_of = [](const std::string& yaml) {
    Limits limits;
    limits.jobs_bytes = 1 << 20;
    return make_plan(configuration_of(yaml), push_to("main"), limits);
  };
  const auto file = [&](const std::string& top, const std::string& of_job, int jobs) {
    std::string yaml = top;
    for (int i = 0; i < jobs; ++i) yaml += "j" + std::to_string(i) + ":\n  script: x\n" + of_job;
    return yaml;
  };
  const std::string rules = "rules: [{variables: {A: '" + text + "'}}]\n";
  const std::string name = "  variables: {A: '" + text + "'}\n";
  for (const auto& [top, of_job] :
       {std::pair<std::string, std::string>{"workflow:\n  " + rules, ""},
        {".r:\n  " + rules, "  extends: .r\n"},
        {".r:\n" + name, "  extends: .r\n  resource_group: $A\n"}}) {
    CHECK(plan_of(file(top, of_job, 20)).findings.empty());
    const Plan plan = plan_of(file(top, of_job, 60));
    REQUIRE(plan.findings.size() == 1);
    CHECK(plan.findings.front().message ==
          "The parsed YAML is too big: the variables and names of its jobs come to more than "
          "1048576 bytes (setting pipeline_jobs_limit)");
  }
}

TEST_CASE("what conditions search takes work, which is limited", "[limits]") {
  const auto plan_of = [](const std::string& condition, int jobs) {
    std::string yaml = "variables: {B: y}\nworkflow: {rules: [{variables: {A: '" +
                       std::string(1'000'000, 'x') + "'}}]}\n";
    for (int i = 0; i < jobs; ++i)
      yaml += "j" + std::to_string(i) + ": {script: x, rules: [{if: '" + condition + "'}]}\n";
    return make_plan(configuration_of(yaml), push_to("main"));
  };
  for (const char* condition : {"$A =~ /z$/", "$B =~ $A", "$A == \"y\""}) {
    CAPTURE(condition);
    CHECK(plan_of(condition, 20).findings.empty());
    const Plan plan = plan_of(condition, 600);
    REQUIRE(plan.findings.size() == 1);
    CHECK(plan.findings.front().message == Work::too_much());
    CHECK(plan.findings.front().span.file == "ci.yml");
  }
}

TEST_CASE("a job's reason is told at a bounded length", "[limits]") {
  std::string yaml = "k: {script: x}\nj:\n  script: x\n  rules:\n";
  for (int i = 0; i < 1000; ++i)
    yaml += "    - if: $CI_COMMIT_BRANCH == \"ä" + std::to_string(i) + "\"\n";
  const Plan plan = make_plan(configuration_of(yaml), push_to("main"));
  REQUIRE(plan.left_out.size() == 1);
  const std::string& text = plan.left_out.front().reason.text;
  CHECK(text.size() < 2200);
  CHECK(text.find("ä0\" ($CI_COMMIT_BRANCH is \"main\")") != std::string::npos);
  CHECK(text.find("…") != std::string::npos);
}

TEST_CASE("many variables over many others are one by name", "[limits]") {
  Variables variables{{"A", "1"}, {"B", "1"}};
  Variables more{{"B", "2"}};
  for (int i = 0; i < 20; ++i) more.push_back({"V" + std::to_string(i), "1"});
  more.push_back({"V3", "3"});
  set_variables(variables, more);
  CHECK(variables.size() == 22);
  CHECK(variables[1] == Variable{"B", "2"});
  CHECK(find_variable(variables, "V3")->value == "3");
}

TEST_CASE("the number of included files is limited", "[limits]") {
  Limits limits;
  limits.includes = 3;
  const Files files{{"a.yml", ".a: 1\n"}};
  CHECK(is_read("include: [a.yml, a.yml, a.yml]\n" + kJob, limits, files));
  CHECK(refusal("include: [a.yml, a.yml, a.yml, a.yml, a.yml]\n" + kJob, limits, files) ==
        "Maximum of 3 nested includes are allowed! | a file that includes itself counts each "
        "time; the setting is include_limit");
}

TEST_CASE("the size of included files together is limited", "[limits]") {
  Limits limits;
  limits.include_bytes = 12;
  CHECK(is_read("include: [a.yml, a.yml]\n" + kJob, limits, {{"a.yml", ".a: 12"}}));
  CHECK(refusal("include: [a.yml, a.yml]\n" + kJob, limits, {{"a.yml", ".a: 123"}}) ==
        "The parsed YAML is too big: the included files have more than 12 bytes (setting "
        "include_size_limit)");
}

TEST_CASE("what merging included files takes is limited", "[limits]") {
  Limits limits;
  limits.values = 400;  // so that merging may go through 800 entries
  std::string many = ".a:\n";
  for (int i = 0; i < 150; ++i) many += "  k" + std::to_string(i) + ": 1\n";
  const Files files{{"many.yml", many}, {"one.yml", ".a: {z: 1}\n"}};
  const auto including = [](int times) {
    std::string list = "many.yml";
    for (int i = 0; i < times; ++i) list += ", one.yml";
    return "include: [" + list + "]\n" + kJob;
  };
  CHECK(is_read(including(5), limits, files));
  CHECK(refusal(including(6), limits, files) ==
        "The parsed YAML is too big: merging the included files takes more than 800 steps, two "
        "for each value that there may be (setting pipeline_value_limit)");
}

TEST_CASE("what all regular expressions take together is limited", "[limits]") {
  // One has more than 3,000 instructions.
  const auto large = [](int number) { return "/(a|b|c){1,900}" + std::to_string(number) + "/"; };
  const auto rules_with = [](int count, const auto& pattern) {
    std::string text = "j:\n  script: x\n  rules:\n";
    for (int i = 0; i < count; ++i) text += "    - if: $A =~ " + pattern(i) + "\n";
    return text;
  };
  CHECK(is_read(rules_with(50, large), {}));
  CHECK(is_read(rules_with(1000, [&](int) { return large(0); }), {}));
  CHECK(refusal(rules_with(200, large), {}) ==
        "jobs:j:rules:rule if invalid expression syntax | " + Work::too_much());
  // Those that RE2 refuses for their size take as long.
  const auto too_large = [](int number) {
    return R"(/(\p{L}\pN){200})" + std::to_string(number) + "/";
  };
  const ReadOutcome refused = outcome(rules_with(90, too_large), {});
  CHECK(refused.findings.front().hint != Work::too_much());
  CHECK(refused.findings.back().hint == Work::too_much());
}

TEST_CASE("following references that lead nowhere takes work, which is limited", "[limits]") {
  const auto levels = [](int count) {
    std::string yaml;
    for (int level = 0; level < count; ++level) {
      yaml += ".a" + std::to_string(level) + ": {script: [";
      for (int i = 0; i < 10; ++i)
        yaml += "!reference [.a" + std::to_string(level + 1) + ", script], ";
      yaml += "]}\n";
    }
    return yaml + kJob;
  };
  CHECK(outcome(levels(3), {}).findings.size() == 10);  // none is found, and each is told
  CHECK(outcome(levels(9), {}).findings.back().message == Work::too_much());
}

TEST_CASE("patterns in variables count when rules are evaluated", "[limits]") {
  const auto plan_of = [](int jobs) {
    std::string text = "variables: {A: abc}\n";
    for (int i = 0; i < jobs; ++i) {
      const std::string number = std::to_string(i);
      text += "j" + number + ":\n  script: x\n  variables: {P: '/(a|b|c){1,900}" + number +
              "/'}\n  rules: [{if: $A =~ $P}, {when: always}]\n";
    }
    return make_plan(configuration_of(text), push_to("main"));
  };
  CHECK(plan_of(50).findings.empty());
  const Plan plan = plan_of(200);
  REQUIRE(plan.findings.size() == 1);
  CHECK(plan.findings.front().code == "too_much_work");
  CHECK(plan.findings.front().message == Work::too_much());
}

TEST_CASE("each default is what its setting says, and lies within its bounds", "[limits]") {
  Limits given;
  given.file_bytes = given.jobs_bytes = given.include_bytes = -1;
  given.depth = given.values = given.includes = -1;
  for (const Setting& row : limit_settings(given)) {
    CAPTURE(row.name);
    CHECK(row.set(row.default_value).empty());
  }
  const Limits standard;
  CHECK(given.file_bytes == standard.file_bytes);
  CHECK(given.depth == standard.depth);
  CHECK(given.values == standard.values);
  CHECK(given.jobs_bytes == standard.jobs_bytes);
  CHECK(given.includes == standard.includes);
  CHECK(given.include_bytes == standard.include_bytes);
}

TEST_CASE("the bounds of each limit are exact", "[limits]") {
  Limits limits;
  CHECK(set(limits, "pipeline_file_limit", "16M").empty());
  CHECK(set(limits, "pipeline_file_limit", "1k").empty());
  CHECK(set(limits, "pipeline_file_limit", "1023") == "a size from 1024 to 16777216 bytes, as 4M");
  CHECK_FALSE(set(limits, "pipeline_file_limit", "16777217").empty());
  CHECK_FALSE(set(limits, "pipeline_file_limit", "much").empty());
  CHECK(set(limits, "pipeline_depth_limit", "500").empty());
  CHECK(set(limits, "pipeline_depth_limit", "501") == "a number from 10 to 500");
  CHECK_FALSE(set(limits, "pipeline_depth_limit", "9").empty());
  CHECK(set(limits, "pipeline_value_limit", "5000000").empty());
  CHECK(set(limits, "pipeline_value_limit", "5000001") == "a number from 1000 to 5000000");
  CHECK(set(limits, "include_limit", "0").empty());
  CHECK(set(limits, "include_limit", "1001") == "a number from 0 to 1000");
  CHECK(set(limits, "include_size_limit", "257M") == "a size from 1024 to 268435456 bytes, as 4M");
  CHECK(set(limits, "pipeline_jobs_limit", "1025M") ==
        "a size from 1048576 to 1073741824 bytes, as 4M");
}
