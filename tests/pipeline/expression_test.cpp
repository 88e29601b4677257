#include "pipeline/rules/expression.h"

#include "tests/support/catch.h"

using namespace slipway::pipeline;
using slipway::pipeline::rules::Expression;

namespace {

const Variables kVariables{{"BRANCH", "feature-x"}, {"EMPTY", ""},
                           {"BLANK", "  "},         {"ZERO", "0"},
                           {"NO", "false"},         {"SAME", "feature-x"},
                           {"PATTERN", "/^feat/"},  {"WHOLE", "feature-x and more"}};

struct Row {
  const char* text;
  bool holds;
};

}  // namespace

TEST_CASE("expressions hold as they do in GitLab", "[expression]") {
  const auto row = GENERATE(values<Row>({
      {"$BRANCH", true},
      {"$MISSING", false},
      {"$EMPTY", false},
      {"$BLANK", false},
      {"$ZERO", true},
      {"$NO", true},
      {"$BRANCH == 'feature-x'", true},
      {"$BRANCH == \"main\"", false},
      {"$BRANCH != 'main'", true},
      {"$BRANCH == $SAME", true},
      {"$MISSING == null", true},
      {"$EMPTY == null", false},
      {"$MISSING == \"\"", false},
      {"$EMPTY == \"\"", true},
      {"$BRANCH =~ /^feature-/", true},
      {"$BRANCH =~ /FEATURE/", false},
      {"$BRANCH =~ /FEATURE/i", true},
      {"$BRANCH !~ /^main$/", true},
      {"$MISSING =~ /^$/", true},
      {"$BRANCH =~ $PATTERN", true},
      {"$BRANCH =~ $WHOLE", true},
      {"$BRANCH =~ $MISSING", false},
      {"$BRANCH !~ $MISSING", true},
      {"$MISSING && $BRANCH || $BRANCH", true},
      {"$BRANCH || $BRANCH && $MISSING", true},
      {"($BRANCH || $BRANCH) && $MISSING", false},
      {"$BRANCH == 'feature-x' && $ZERO == '0'", true},
      {"$EMPTY && $BRANCH", true},
      {"$EMPTY || $BRANCH", false},
      {"$BRANCH && $EMPTY", false},
      {"$MISSING && $EMPTY == null", false},
      {"('string' == ('test' && 'string'))", true},
      {"('string' == ('test' || 'string'))", false},
      {"('string' == 'test' || 'string')", true},
      {"$NO == false", false},
      {"($BRANCH == 'x') == false", true},
      {"($BRANCH == 'x') == null", false},
      {"$WHOLE =~ /x\\\\/|and/", true},
  }));
  CAPTURE(row.text);
  const auto expression = Expression::parse(row.text);
  REQUIRE(expression);
  CHECK(expression->holds(kVariables) == row.holds);
}

TEST_CASE("what is no expression is refused", "[expression]") {
  const auto* text = GENERATE("", "$A ==", "== $A", "($A", "$A)", "$A $B", "$A =~ /a/", "${A}",
                              "$A =~ /(ab/", "$A == 'open", "$A & $B", "$A =~ /(?=ab)/");
  CAPTURE(text);
  const auto expression = Expression::parse(text);
  REQUIRE_FALSE(expression);
  CHECK(expression.error().kind == slipway::ErrorKind::InvalidInput);
  CHECK(expression.error().message == "invalid expression syntax");
}

TEST_CASE("deep parentheses are refused, not followed", "[expression]") {
  CHECK_FALSE(Expression::parse(std::string(5000, '(') + "$A" + std::string(5000, ')')));
}

TEST_CASE("a long value is shown by its beginning, whole characters only", "[expression]") {
  const Variables variables{{"LONG", std::string(79, 'a') + "é"}, {"LINES", "one\ntwo"}};
  CHECK(Expression::parse("$LONG")->explain(variables) ==
        "$LONG is \"" + std::string(79, 'a') + "…\"");
  CHECK(Expression::parse("$LINES == null")->explain(variables) == "$LINES is \"one…\"");
}

TEST_CASE("an expression explains itself with its values", "[expression]") {
  const auto expression = Expression::parse("$BRANCH == 'main' && $MISSING");
  REQUIRE(expression);
  const std::string text = expression->explain(kVariables);
  CHECK(text.find("$BRANCH is \"feature-x\"") != std::string::npos);
  CHECK(text.find("$MISSING") != std::string::npos);
}
