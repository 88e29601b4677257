#include "pipeline/read/source.h"
#include "tests/support/catch.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::read;

namespace {

struct Row {
  const char* text;
  Kind kind;
  const char* value;
};

NodePtr parse_clean(std::string_view text) {
  Diagnostics findings;
  const NodePtr root = parse(text, "ci.yml", findings);
  for (const Diagnostic& finding : findings) UNSCOPED_INFO(finding.message);
  REQUIRE(findings.empty());
  REQUIRE(root);
  return root;
}

std::string value_of(const NodePtr& root, std::string_view key) {
  const NodePtr* value = root->find(key);
  return value == nullptr ? "absent" : (*value)->text;
}

}  // namespace

TEST_CASE("plain scalars have the types that Ruby gives them", "[yaml]") {
  const auto row = GENERATE(values<Row>({
      {"yes", Kind::Bool, "true"},
      {"No", Kind::Bool, "false"},
      {"on", Kind::Bool, "true"},
      {"OFF", Kind::Bool, "false"},
      {"True", Kind::Bool, "true"},
      {"y", Kind::String, "y"},
      {"N", Kind::String, "N"},
      {"~", Kind::Null, ""},
      {"null", Kind::Null, ""},
      {"NULL", Kind::Null, ""},
      {"", Kind::Null, ""},
      {"nil", Kind::String, "nil"},
      {"010", Kind::Integer, "8"},
      {"08", Kind::String, "08"},
      {"0x1F", Kind::Integer, "31"},
      {"0b11", Kind::Integer, "3"},
      {"0o10", Kind::String, "0o10"},
      {"+5", Kind::Integer, "5"},
      {"1_000", Kind::Integer, "1000"},
      {"1,000", Kind::Integer, "1000"},
      {"685_230.15", Kind::Float, "685230.15"},
      {"3.10", Kind::Float, "3.1"},
      {"1.", Kind::Float, "1.0"},
      {".5", Kind::Float, "0.5"},
      {"1e3", Kind::String, "1e3"},
      {"1.0.0", Kind::String, "1.0.0"},
      {"1:30", Kind::Integer, "5400"},
      {"190:20:30", Kind::Integer, "685230"},
      {"5432:5432", Kind::String, "5432:5432"},
      {"=", Kind::String, "="},
  }));
  CAPTURE(row.text);
  const Typed typed = type_plain_scalar(row.text);
  CHECK(typed.kind == row.kind);
  if (row.kind != Kind::Null) CHECK(typed.text == row.value);
  CHECK(typed.error.empty());
}

TEST_CASE("a date is refused, as GitLab refuses it", "[yaml]") {
  CHECK_FALSE(type_plain_scalar("2020-01-01").error.empty());
}

TEST_CASE("a merge key is merged at its position", "[yaml]") {
  const NodePtr root = parse_clean(
      ".t: &t {stage: build, image: a}\n"
      "before: {stage: test, <<: *t}\n"
      "after: {<<: *t, stage: test}\n");
  CHECK(value_of(*root->find("before"), "stage") == "build");
  CHECK(value_of(*root->find("after"), "stage") == "test");
  CHECK(value_of(*root->find("after"), "image") == "a");
}

TEST_CASE("among merged mappings the first of a list wins", "[yaml]") {
  const NodePtr root = parse_clean("a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc:\n  <<: [*a, *b]\n");
  CHECK(value_of(*root->find("c"), "x") == "1");
  CHECK(value_of(*root->find("c"), "y") == "3");
}

TEST_CASE("of duplicate keys the last wins, with a warning", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse("a: 1\na: 2\n", "ci.yml", findings);
  REQUIRE(root);
  CHECK(value_of(root, "a") == "2");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::Warning);
  CHECK(findings[0].span.line == 2);
}

TEST_CASE("every value knows its place", "[yaml]") {
  const NodePtr root = parse_clean("job:\n  script:\n    - make\n");
  const NodePtr script = *(*root->find("job"))->find("script");
  CHECK(script->items.at(0)->at == slipway::SourceSpan{"ci.yml", 3, 7});
}

TEST_CASE("unknown tags are ignored and !reference is kept", "[yaml]") {
  const NodePtr root = parse_clean("a: !foo bar\nb: !reference [x, script]\n");
  CHECK(value_of(root, "a") == "bar");
  CHECK((*root->find("b"))->reference);
}

TEST_CASE("what could exhaust the memory is an error with a place", "[yaml]") {
  Diagnostics findings;
  SECTION("an alias inside its own anchor") {
    CHECK_FALSE(parse("a: &a [*a]\n", "ci.yml", findings));
  }
  SECTION("an unknown alias") {
    CHECK_FALSE(parse("a: *nobody\n", "ci.yml", findings));
  }
  SECTION("nesting") {
    CHECK_FALSE(parse(std::string(5000, '[') + std::string(5000, ']'), "ci.yml", findings));
  }
  SECTION("aliases of aliases") {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
      bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
      for (int j = 0; j < 10; ++j) bomb += "*a" + std::to_string(i - 1) + ", ";
      bomb += "x]\n";
    }
    CHECK_FALSE(parse(bomb, "ci.yml", findings));
  }
  SECTION("a long text") {
    CHECK_FALSE(parse("a: " + std::string(3'000'000, 'x'), "ci.yml", findings));
  }
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::Error);
  CHECK(findings[0].span.file == "ci.yml");
}
