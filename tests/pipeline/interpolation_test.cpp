// What `$[[ … ]]` becomes, and what it must not be.

#include "pipeline/read/interpolation.h"

#include "tests/support/catch.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::read;

namespace {

const Variables kVariables{
    {"BRANCH", "main"}, {"NESTED", "$BRANCH"}, {"SECRET", "s3cret", false, false, true}};

InterpolationValues values() {
  Diagnostics findings;
  const NodePtr inputs = parse(
      "{name: web, port: 8080, rate: 1.5, flag: no, list: [a, 2], map: {x: 1}, empty: '',\n"
      " branch: 'on $BRANCH', nested: $NESTED, unknown: $NONE, secret: 'a $SECRET', none: null,\n"
      " shell: \"it's $5 & more\", umlaut: größer, block: '$[[ inputs.name ]]'}",
      "values", findings);
  InterpolationValues values;
  for (const Entry& entry : inputs->entries) values["inputs"][entry.key] = entry.value;
  values["component"]["name"] = make_string("deploy", {});
  return values;
}

// The file as JSON, or the first error.
std::string result_of(std::string_view text, const std::string& prefix = {}) {
  Diagnostics findings;
  const NodePtr root = parse(text, "a.yml", findings);
  REQUIRE(root);
  const NodePtr result = interpolate(root, values(), kVariables, prefix, findings);
  CHECK((result == nullptr) == has_errors(findings));
  return result ? as_json(*result) : findings.front().message;
}

}  // namespace

TEST_CASE("a scalar that is one block becomes the value with its type", "[interpolation]") {
  CHECK(result_of("x: $[[ inputs.port ]]") == R"({"x":8080})");
  CHECK(result_of("x: '$[[inputs.rate]]'") == R"({"x":1.5})");
  CHECK(result_of("x: $[[ inputs.flag ]]") == R"({"x":false})");
  CHECK(result_of("x: $[[ inputs.list ]]") == R"({"x":["a",2]})");
  CHECK(result_of("x: $[[ inputs.map ]]") == R"({"x":{"x":1}})");
  CHECK(result_of("x: $[[ inputs.map.x ]]") == R"({"x":1})");
  CHECK(result_of("x: $[[ inputs.none ]]") == R"({"x":null})");
  CHECK(result_of("x: [a, '$[[ inputs.list ]]']") == R"({"x":["a",["a",2]]})");
  CHECK(result_of("x: $[[ component.name ]]") == R"({"x":"deploy"})");
}

TEST_CASE("a block inside a longer text becomes text", "[interpolation]") {
  CHECK(result_of("x: port $[[ inputs.port ]] of $[[ inputs.name ]]!") ==
        R"({"x":"port 8080 of web!"})");
  CHECK(result_of("x: is $[[ inputs.flag ]]$[[ inputs.none ]]") == R"({"x":"is false"})");
  CHECK(result_of("x: '$[[ inputs.list ]] '") == R"({"x":"[\"a\",2] "})");
  CHECK(result_of("x: |\n  one $[[ inputs.name ]]\n  two $[[ inputs.port ]]\n") ==
        R"({"x":"one web\ntwo 8080\n"})");
}

TEST_CASE("keys are interpolated, and the last of two that become one counts", "[interpolation]") {
  CHECK(result_of("'$[[ inputs.name ]]-job': {script: x}") == R"({"web-job":{"script":"x"}})");
  CHECK(result_of("web: 1\nother: 2\n'$[[ inputs.name ]]': 3") == R"({"web":3,"other":2})");
}

TEST_CASE("what is no block, and what a value brings in, stays as it is", "[interpolation]") {
  CHECK(result_of("x: '$[[ inputs.name'") == R"({"x":"$[[ inputs.name"})");
  CHECK(result_of("x: '$[[]]'") == R"({"x":"$[[]]"})");
  CHECK(result_of("x: $[ inputs.name ]") == R"({"x":"$[ inputs.name ]"})");
  CHECK(result_of("x: $[[ inputs.block ]]") == R"({"x":"$[[ inputs.name ]]"})");
  CHECK(result_of("x: $[[ matrix.os ]]") == R"({"x":"$[[ matrix.os ]]"})");
  CHECK(result_of("x: a $[[ matrix.os ]] $[[ inputs.name ]]") ==
        R"({"x":"a $[[ matrix.os ]] web"})");
}

TEST_CASE("functions change a value, one after another", "[interpolation]") {
  struct Row {
    const char* block;
    const char* value;
  };
  const auto row = GENERATE(values<Row>({
      {"inputs.name | truncate(0,2)", "we"},
      {"inputs.name|truncate( 1 , 5 )", "eb"},
      {"inputs.name | truncate(9,5)", ""},
      {"inputs.name | truncate(99999999999999999999999,99999999999999999999999)", ""},
      {"inputs.umlaut | truncate(2,2)", "öß"},
      {"inputs.shell | posix_escape", "it\\'s\\ \\$5\\ \\&\\ more"},
      {"inputs.empty | posix_escape", "''"},
      {"inputs.branch | expand_vars", "on main"},
      {"inputs.nested | expand_vars", "$BRANCH"},
      {"inputs.unknown | expand_vars", "$NONE"},
      {"inputs.branch | expand_vars | truncate(3,4) | posix_escape", "main"},
  }));
  CAPTURE(row.block);
  Diagnostics findings;
  const NodePtr root = make_string(std::string{"$[[ "} + row.block + " ]]", Spot{{"a.yml", 1, 1}});
  const NodePtr result = interpolate(root, ::values(), kVariables, "", findings);
  REQUIRE(result);
  CHECK(result->text == row.value);
}

TEST_CASE("a block that cannot be filled is an error with GitLab's words", "[interpolation]") {
  struct Row {
    const char* block;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"inputs", "invalid interpolation access pattern"},
      {"inputs.none.x", "unknown interpolation key: `x`"},
      {"inputs.nmae", "unknown interpolation key: `nmae`"},
      {"imputs.name", "unknown interpolation key: `imputs`"},
      {"component.sha", "unknown interpolation key: `sha`"},
      {"inputs.name | upcase",
       "no function matching `upcase`: check that the function name, arguments, and types are "
       "correct"},
      {"inputs.name | truncate(2)",
       "no function matching `truncate(2)`: check that the function name, arguments, and types are "
       "correct"},
      {"inputs.name | truncate(-1,2)",
       "no function matching `truncate(-1,2)`: check that the function name, arguments, and types "
       "are correct"},
      {"inputs.port | truncate(0,1)",
       "error in `truncate` function: invalid input type: truncate can only be used with string "
       "inputs"},
      {"inputs.list | expand_vars",
       "error in `expand_vars` function: invalid input type: expand_vars can only be used with "
       "string inputs"},
      {"inputs.flag | posix_escape",
       "error in `posix_escape` function: invalid input type: posix_escape can only be used with "
       "string inputs"},
      {"inputs.secret | expand_vars",
       "error in `expand_vars` function: variable expansion error: masked variables cannot be "
       "expanded"},
      {"inputs.name | expand_vars | expand_vars | expand_vars | expand_vars",
       "too many functions in interpolation block"},
  }));
  CHECK(result_of(std::string{"x: \"$[[ "} + row.block + " ]]\"") == row.message);
}

TEST_CASE("an error stands at the scalar, and all are found at once", "[interpolation]") {
  Diagnostics findings;
  const NodePtr root =
      parse("a: x\nb:\n  - ok\n  - $[[ inputs.x ]]\n'$[[ inputs.y ]]': 1\n", "a.yml", findings);
  CHECK_FALSE(interpolate(root, values(), {}, "`a.yml`: ", findings));
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].message == "`a.yml`: unknown interpolation key: `x`");
  CHECK(findings[0].span == slipway::SourceSpan{"a.yml", 4, 5});
  CHECK(findings[1].span == slipway::SourceSpan{"a.yml", 5, 1});
}

TEST_CASE("the limits of interpolation hold", "[interpolation]") {
  const auto text_with = [](const std::string& text) {
    return make_string(text, Spot{{"a.yml", 1, 1}});
  };
  const auto first_error = [](const NodePtr& root, const InterpolationValues& all) {
    Diagnostics findings;
    CHECK_FALSE(interpolate(root, all, {}, "", findings));
    REQUIRE_FALSE(findings.empty());
    return findings.front().message;
  };
  SECTION("an access of a kilobyte") {
    const std::string name(1024 - 7, 'n');
    InterpolationValues all{{"inputs", {{name, text_with("v")}}}};
    Diagnostics findings;
    CHECK(interpolate(text_with("$[[ inputs." + name + " ]]"), all, {}, "", findings));
    CHECK(first_error(text_with("$[[ inputs." + name + "n ]]"), all) ==
          "maximum interpolation expression size exceeded");
  }
  SECTION("a text of a megabyte") {
    CHECK(first_error(text_with("$[[ inputs.name ]]" + std::string(1U << 20U, 'x')), values()) ==
          "config node too large");
    InterpolationValues all{{"inputs", {{"big", text_with(std::string(1U << 19U, 'x'))}}}};
    CHECK(first_error(text_with("$[[ inputs.big ]]$[[ inputs.big ]]$[[ inputs.big ]]"), all) ==
          "config node too large");
  }
  SECTION("ten thousand blocks") {
    std::string text;
    for (int i = 0; i < 10'001; ++i) text += "$[[ inputs.name ]]";
    CHECK(first_error(text_with(text), values()) == "too many interpolation blocks");
  }
  SECTION("half a million nodes") {
    std::vector<NodePtr> items(1000, text_with("v"));
    InterpolationValues all{{"inputs", {{"many", make_sequence(items, {})}}}};
    std::vector<NodePtr> blocks(1000, nullptr);
    for (NodePtr& block : blocks) block = text_with("$[[ inputs.many ]]");
    CHECK(first_error(make_sequence(blocks, {}), all) == "config too large");
  }
}
