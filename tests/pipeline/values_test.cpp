#include <nlohmann/json.hpp>

#include "pipeline/coverage.h"
#include "pipeline/job_spec.h"
#include "pipeline/variables.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;

TEST_CASE("the last match of a log is its coverage", "[coverage]") {
  const auto expression = CoverageExpression::compile(R"(Coverage: \d+\.\d+)");
  REQUIRE(expression);
  CHECK(expression->match("Coverage: 10.5\nnoise\nCoverage: 81.25%\nend\n") == 81.25);
  CHECK_FALSE(expression->match("nothing here\n"));
}

TEST_CASE("a coverage expression that is wrong or too long is refused", "[coverage]") {
  CHECK_FALSE(CoverageExpression::compile("(open"));
  CHECK_FALSE(CoverageExpression::compile(std::string(2000, 'a')));
}

TEST_CASE("variables expand in the order of their dependency", "[variables]") {
  const auto expanded = expand_variables(Variables{{"A", "$B-a"}, {"B", "b $UNKNOWN $$X"}});
  REQUIRE(expanded);
  CHECK(find_variable(*expanded, "A")->value == "b $UNKNOWN $$X-a");
}

TEST_CASE("raw variables are neither expanded nor inserted", "[variables]") {
  const auto expanded = expand_variables(Variables{{"RAW", "$A", true}, {"A", "x"}, {"C", "$RAW"}});
  REQUIRE(expanded);
  CHECK(find_variable(*expanded, "RAW")->value == "$A");
  CHECK(find_variable(*expanded, "C")->value == "$RAW");
}

TEST_CASE("variables in a circle are an error that names them", "[variables]") {
  const auto expanded = expand_variables(Variables{{"A", "$B"}, {"B", "$A"}});
  REQUIRE_FALSE(expanded);
  CHECK(expanded.error().message == R"(circular variable reference detected: ["A", "B"])");
}

TEST_CASE("a runner expands once, and unknown is empty", "[variables]") {
  CHECK(expand_on_runner("$A/${B}/$NONE/$$A/$1", {{"A", "x$B"}, {"B", "y"}}) == "x$B/y//$A/");
}

TEST_CASE("a dotenv report has only KEY=VALUE lines", "[variables]") {
  const auto values = parse_dotenv("A=1\n B = two=2 \nA=3\n");
  REQUIRE(values);
  CHECK(find_variable(*values, "A")->value == "3");
  CHECK(find_variable(*values, "B")->value == "two=2");
  CHECK_FALSE(parse_dotenv("A=1\n\nB=2\n"));
  CHECK_FALSE(parse_dotenv("# comment\n"));
  CHECK_FALSE(parse_dotenv("A-B=1\n"));
}

TEST_CASE("a slug is fit for a host name", "[variables]") {
  CHECK(slug("Feature/Foo_Bar-") == "feature-foo-bar");
  CHECK(slug(std::string(100, 'a')).size() == 63);
}

TEST_CASE("a job's payload reads back and never has a run key", "[job_spec]") {
  JobSpec spec;
  spec.id = 7;
  spec.name = "test";
  spec.variables.push_back({"CI", "true"});
  spec.steps.push_back({"script", {"make"}});
  const nlohmann::json json = to_json(spec);
  CHECK_FALSE(json.contains("run"));
  const auto back = job_spec_from_json(json);
  REQUIRE(back);
  CHECK(back->id == 7);
  CHECK(back->steps.at(0).script == std::vector<std::string>{"make"});
  CHECK(to_json(*back) == json);
}

TEST_CASE("a payload's wrong type is an error that names the path", "[job_spec]") {
  nlohmann::json json = to_json(JobSpec{});
  json["image"] = {{"name", "alpine"}, {"entrypoint", 3}};
  json["something_new"] = 1;
  const auto spec = job_spec_from_json(json);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().message.find("image.entrypoint") != std::string::npos);
}
