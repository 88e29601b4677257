// Headers and inputs: what is declared, what is given, and what a file becomes with it.

#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

namespace {

using Lines = std::vector<std::string>;

ReadOutcome outcome_with(std::string_view text, std::vector<InputValue> inputs = {},
                         std::map<std::string, std::string> files = {}) {
  Repository repository{std::move(files)};
  return read_configuration(text, "ci.yml", repository, ReadOptions{{}, std::move(inputs), {}});
}

std::string header(const std::string& input, const std::string& script = "'echo $[[ inputs.x ]]'") {
  return "spec:\n  inputs:\n    x: " + input + "\n---\ntest:\n  script: [" + script + "]\n";
}

// The script of the job `test`, or the first error.
std::string line_of(const ReadOutcome& outcome) {
  if (outcome.configuration) return job_of(*outcome.configuration, "test").script.at(0);
  REQUIRE_FALSE(outcome.findings.empty());
  return outcome.findings.front().message;
}

std::string with(const std::string& input, const std::string& json) {
  return line_of(outcome_with(header(input), {{"x", json, true}}));
}

std::string error_of(const std::string& text) {
  const auto outcome = outcome_with(text);
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].span.line > 0);
  return outcome.findings[0].message;
}

}  // namespace

TEST_CASE("an input has the value that was given, or its default", "[inputs]") {
  CHECK(with("{default: a}", "null") == "echo a");
  CHECK(with("{default: a}", R"("b")") == "echo b");
  CHECK(with("", R"("b")") == "echo b");
  CHECK(with("{type: number, default: 80}", "8080") == "echo 8080");
  CHECK(with("{type: boolean}", "true") == "echo true");
  CHECK(with("{type: array}", R"(["a","b"])") == R"(echo ["a","b"])");
}

TEST_CASE("a value of the wrong kind is refused with GitLab's words", "[inputs]") {
  struct Row {
    const char* input;
    const char* json;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"", "null", "`x` input: required value has not been provided"},
      {"", "1", "`x` input: provided value is not a string"},
      {"{type: number}", R"("a")", "`x` input: provided value is not a number"},
      {"{type: boolean}", R"("true")", "`x` input: provided value is not a boolean"},
      {"{type: array}", R"("a")", "`x` input: provided value is not an array"},
      {"{default: 1}", R"("a")", "`x` input: default value is not a string"},
      {"{type: number, default: a}", "1", "`x` input: default value is not a number"},
      {"{options: [a, b]}", R"("c")",
       "`x` input: `c` cannot be used because it is not in the list of allowed options"},
      {"{options: [a, b], default: c}", R"("a")",
       "`x` input: `c` cannot be used because it is not in the list of allowed options"},
      {"{type: number, options: [1, 2]}", "3",
       "`x` input: `3` cannot be used because it is not in the list of allowed options"},
      {"{regex: '^v\\d+$'}", R"("w1")",
       "`x` input: provided value does not match required RegEx pattern"},
      {"{regex: ^v, default: w}", R"("v1")",
       "`x` input: default value does not match required RegEx pattern"},
  }));
  CAPTURE(row.input, row.json);
  CHECK(with(row.input, row.json) == row.message);
}

TEST_CASE("text from a command line is read as the input's type wants it", "[inputs]") {
  const auto given = [](const std::string& type, const std::string& text) {
    return line_of(outcome_with(header("{type: " + type + "}"), {{"x", text}}));
  };
  CHECK(given("string", "8080") == "echo 8080");
  CHECK(given("string", "true") == "echo true");
  CHECK(given("number", "8080") == "echo 8080");
  CHECK(given("number", "eighty") == "`x` input: provided value is not a number");
  CHECK(given("boolean", "true") == "echo true");
  CHECK(given("array", "[a, b]") == R"(echo ["a","b"])");
  CHECK(given("array", "a") == "`x` input: provided value is not an array");
}

TEST_CASE("inputs that the file does not declare are refused", "[inputs]") {
  CHECK(line_of(outcome_with(header("{default: a}"), {{"y", "1"}, {"z", "2"}})) ==
        "unknown input arguments: y, z");
  CHECK(line_of(outcome_with("test: {script: x}\n", {{"y", "1"}})) ==
        "Given inputs not defined in the `spec` section of the included configuration file");
}

TEST_CASE("at most twenty inputs are given to a pipeline", "[inputs]") {
  const auto inputs = [](int count) {
    std::vector<InputValue> values;
    for (int i = 0; i < count; ++i) values.push_back({"x", "a"});
    return values;
  };
  CHECK(line_of(outcome_with(header(""), inputs(20))) == "echo a");
  CHECK(line_of(outcome_with(header(""), inputs(21))) ==
        "There cannot be more than 20 inputs for a pipeline");
}

TEST_CASE("a header with a mistake is refused at its place", "[inputs]") {
  struct Row {
    const char* header;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"spec: {imputs: {}}", "header:spec config contains unknown keys: imputs"},
      {"spec: []", "header:spec config should be a hash"},
      {"spec: {}\nstages: []", "header config contains unknown keys: stages"},
      {"spec: {inputs: [x]}", "header:spec:inputs config should be a hash"},
      {"spec: {inputs: {x: text}}", "header:spec:inputs:x config should be a hash"},
      {"spec: {inputs: {x: {defalt: a}}}",
       "header:spec:inputs:x config contains unknown keys: defalt"},
      {"spec: {inputs: {x: {type: text}}}", "header:spec:inputs:x input type unknown value: text"},
      {"spec: {inputs: {x: {options: a}}}", "header:spec:inputs:x input options should be a array"},
      {"spec: {inputs: {x: {regex: [a]}}}", "header:spec:inputs:x input regex should be a string"},
      {"spec: {inputs: {x: {regex: '('}}}", "`x` input: invalid regular expression"},
      {"spec: {inputs: {x: {description: [a]}}}",
       "header:spec:inputs:x input description should be a string"},
      {"spec: {inputs: {x: {type: boolean, options: [true]}}}",
       "`x` input: Options can only be used with string and number inputs"},
      {"spec: {inputs: {x: {type: number, regex: a}}}",
       "`x` input: RegEx validation can only be used with string inputs"},
      {"spec: {inputs: {x: {rules: a}}}", "header:spec:inputs:x:rules config should be a array"},
      {"spec: {inputs: {x: {rules: [{if: a}]}}}",
       "header:spec:inputs:x:rules:rule config rule with 'if' must define 'options' or 'default'"},
      {"spec: {inputs: {x: {rules: [{}]}}}",
       "header:spec:inputs:x:rules:rule config fallback rule must define 'options'"},
      {"spec: {component: name}", "header:spec:component config should be an array of strings"},
      {"spec: {component: [nmae]}", "header:spec:component config contains unknown values: nmae"},
  }));
  CAPTURE(row.header);
  CHECK(error_of(std::string{row.header} + "\n---\ntest: {script: x}\n") == row.message);
}

TEST_CASE("an input has at most 50 options and 1024 characters of description", "[inputs]") {
  const auto options = [](int count) {
    std::string text = "{default: a, options: [";
    for (int i = 0; i < count; ++i) text += "a, ";
    return header(text + "]}");
  };
  CHECK(outcome_with(options(50)).configuration);
  CHECK(error_of(options(51)) == "header:spec:inputs:x config cannot define more than 50 options");
  const auto description = [](std::size_t length) {
    return header("{default: a, description: " + std::string(length, 'd') + "}");
  };
  CHECK(outcome_with(description(1024)).configuration);
  CHECK(error_of(description(1025)) ==
        "header:spec:inputs:x input description is too long (maximum is 1024 characters)");
}

TEST_CASE("without a header nothing is interpolated", "[inputs]") {
  CHECK(line_of(outcome_with("test: {script: 'echo $[[ inputs.x ]]'}\n")) ==
        "echo $[[ inputs.x ]]");
}

TEST_CASE("a header needs a body, and a body its header's own document", "[inputs]") {
  const auto alone = outcome_with("spec: {inputs: {x: {default: a}}}\n");
  REQUIRE(alone.findings.size() == 1);
  CHECK(alone.findings[0].message == "Please provide content of ci.yml");
  CHECK(alone.findings[0].hint == "put the jobs below a line `---` after the header");
  const auto together = outcome_with("spec: {inputs: {x: {default: a}}}\ntest: {script: x}\n");
  REQUIRE(together.findings.size() == 1);
  CHECK(together.findings[0].message == "spec config belongs into a header of its own");
}

TEST_CASE("of two documents without a header the first counts, with a warning", "[inputs]") {
  const auto outcome = outcome_with("test: {script: a}\n---\nother: {script: b}\n");
  REQUIRE(outcome.configuration);
  CHECK(outcome.configuration->jobs.size() == 1);
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].severity == Severity::Warning);
  CHECK(outcome.findings[0].message == "this second YAML document is not read");
  CHECK(outcome.findings[0].span.line == 3);
  CHECK(outcome_with("---\n---\ntest: {script: a}\n---\n").configuration);
  CHECK(error_of("a: 1\n---\nb: 2\n---\nc: 3\n") == "The parsed YAML has too many documents");
}

TEST_CASE("a block in a flow list without quotes is a mistake that says what to do", "[inputs]") {
  const auto outcome = outcome_with(header("", "echo $[[ inputs.x ]]"), {{"x", "a"}});
  REQUIRE(outcome.findings.size() == 1);
  CHECK(outcome.findings[0].hint == "put a value with $[[ ]] inside [] or {} in quotes");
}

TEST_CASE("an anchor of the header is not known in the body", "[inputs]") {
  CHECK(error_of("spec: {inputs: &a {x: {default: a}}}\n---\ntest: *a\n") == "Unknown alias: a");
}

TEST_CASE("rules choose options and default by the values of other inputs", "[inputs]") {
  const std::string text =
      "spec:\n  inputs:\n"
      "    cloud: {options: [aws, gcp], default: aws}\n"
      "    big: {type: boolean, default: false}\n"
      "    x:\n      rules:\n"
      "        - {if: \"$[[ inputs.cloud ]] == 'gcp' && $[[ inputs.big ]]\", options: [g8, g9], "
      "default: g9}\n"
      "        - {if: \"$[[ inputs.cloud ]] == 'gcp'\", options: [g1, g2], default: g1}\n"
      "        - {if: '$[[ inputs.big ]] == true', options: [m8], default: m8}\n"
      "        - {options: [m1, m2], default: m1}\n"
      "---\ntest: {script: ['echo $[[ inputs.x ]]']}\n";
  CHECK(line_of(outcome_with(text)) == "echo m1");
  CHECK(line_of(outcome_with(text, {{"cloud", "gcp"}})) == "echo g1");
  CHECK(line_of(outcome_with(text, {{"cloud", "gcp"}, {"big", "true"}})) == "echo g9");
  CHECK(line_of(outcome_with(text, {{"big", "true"}})) == "echo m8");
  CHECK(line_of(outcome_with(text, {{"cloud", "gcp"}, {"x", "g2"}})) == "echo g2");
  CHECK(line_of(outcome_with(text, {{"cloud", "gcp"}, {"x", "m2"}})) ==
        "`x` input: `m2` cannot be used because it is not in the list of allowed options");
}

TEST_CASE("a rule with a null default takes any text", "[inputs]") {
  const std::string text =
      "spec: {inputs: {x: {rules: [{default: null}]}}}\n"
      "---\ntest: {script: ['echo $[[ inputs.x ]]']}\n";
  CHECK(line_of(outcome_with(text)) == "echo ");
  CHECK(line_of(outcome_with(text, {{"x", "free"}})) == "echo free");
}

TEST_CASE("rules that refer to each other in a circle, or cannot be read, are refused",
          "[inputs]") {
  const auto rule = [](const std::string& condition) {
    return "{rules: [{if: \"" + condition + "\", default: a}, {default: b, options: [b]}]}";
  };
  CHECK(line_of(outcome_with("spec: {inputs: {x: " + rule("$[[ inputs.y ]] == 'a'") + ", y: " +
                             rule("$[[ inputs.x ]] == 'a'") + "}}\n---\ntest: {script: x}\n")) ==
        "`x` input: its rules refer to itself in a circle");
  CHECK(line_of(outcome_with("spec: {inputs: {x: " + rule("$[[ inputs.y ]] ==") +
                             "}}\n---\ntest: {script: x}\n")) ==
        "`x` input: rules:if invalid expression syntax");
}

TEST_CASE("an included file gets its inputs from the include, and only its own", "[inputs]") {
  const std::map<std::string, std::string> files{
      {"job.yml",
       "spec: {inputs: {name: , tags: {type: array, default: []}}}\n---\n"
       "'$[[ inputs.name ]]': {script: run, tags: '$[[ inputs.tags ]]'}\n"}};
  const auto outcome = outcome_with(
      "spec: {inputs: {tag: {default: linux}}}\n---\n"
      "include:\n"
      "  - {local: job.yml, inputs: {name: one, tags: ['$[[ inputs.tag ]]']}}\n"
      "  - {local: job.yml, inputs: {name: two}}\n",
      {}, files);
  REQUIRE(outcome.configuration);
  CHECK(job_of(*outcome.configuration, "one").tags == Lines{"linux"});
  CHECK(job_of(*outcome.configuration, "two").tags.empty());
  const auto missing = outcome_with("x: {script: y}\ninclude: job.yml\n", {}, files);
  REQUIRE(missing.findings.size() == 1);
  CHECK(missing.findings[0].message ==
        "`job.yml`: `name` input: required value has not been provided");
  CHECK(missing.findings[0].span == slipway::SourceSpan{"ci.yml", 2, 10});
  CHECK(missing.findings[0].hint == "declared at job.yml:1");
}

TEST_CASE("a header includes files that hold only inputs", "[inputs]") {
  const std::map<std::string, std::string> files{
      {"inputs.yml", "inputs: {x: {default: shared}}\n"},
      {"jobs.yml", "inputs: {}\njob: {script: x}\nvariables: {}\n"},
      {"list.yml", "[a]"}};
  const auto including = [&](const std::string& include, const std::string& inputs = "{}") {
    return line_of(outcome_with("spec: {include: " + include + ", inputs: " + inputs +
                                    "}\n---\ntest: {script: ['echo $[[ inputs.x ]]']}\n",
                                {}, files));
  };
  CHECK(including("[{local: inputs.yml}]") == "echo shared");
  CHECK(including("inputs.yml", "{y: {default: a}}") == "echo shared");
  CHECK(including("inputs.yml", "{x: {default: a}}") ==
        "Duplicate input keys found: x. Input keys must be unique across all included files and "
        "inline specifications.");
  CHECK(including("jobs.yml") ==
        "Header include file `jobs.yml` contains unknown keys: [:job, :variables]");
  CHECK(including("list.yml") == "`list.yml`: Invalid configuration format");
  CHECK(including("none.yml") == "Local file `none.yml` does not exist!");
  CHECK(including("{template: X.gitlab-ci.yml}") ==
        "`{\"template\":\"X.gitlab-ci.yml\"}` does not have a valid subkey for include. Valid "
        "subkeys are: `local`, `project`, `remote`");
}
