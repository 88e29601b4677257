#include "pipeline/reason.h"

#include <set>

#include "tests/support/catch.h"

using namespace slipway::pipeline;

TEST_CASE("every reason has a word of its own that reads back", "[reason]") {
  std::set<std::string_view> words;
  for (const ReasonCode code : all_reason_codes()) {
    const std::string_view word = to_string(code);
    CHECK(words.insert(word).second);
    const auto parsed = parse_reason_code(word);
    REQUIRE(parsed);
    CHECK(*parsed == code);
  }
  CHECK(words.size() > 30);
}

TEST_CASE("every reason but none is a sentence, and shows its detail", "[reason]") {
  CHECK(make_reason(ReasonCode::None).text.empty());
  for (const ReasonCode code : all_reason_codes()) {
    if (code == ReasonCode::None) continue;
    const Reason reason = make_reason(code, "the detail");
    CAPTURE(reason.text);
    CHECK(reason.code == code);
    CHECK(reason.text.back() == '.');
    CHECK(std::isupper(static_cast<unsigned char>(reason.text.front())) != 0);
    CHECK(reason.text.find("{}") == std::string::npos);
  }
  CHECK(make_reason(ReasonCode::JobFailed, "build").text == "A job failed: build.");
  CHECK(make_reason(ReasonCode::ScriptFailure, " with exit code 2").text ==
        "Its script failed with exit code 2.");
}

TEST_CASE("a detail with braces is not filled again", "[reason]") {
  CHECK(make_reason(ReasonCode::JobFailed, "{}{}").text == "A job failed: {}{}.");
}

TEST_CASE("an unknown word is no reason", "[reason]") {
  const auto parsed = parse_reason_code("bad_weather");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == "'bad_weather' is no reason code");
}

TEST_CASE("a runner's failure words are reasons, others are unknown", "[reason]") {
  CHECK(reason_of_failure("script_failure") == ReasonCode::ScriptFailure);
  CHECK(reason_of_failure("runner_system_failure") == ReasonCode::RunnerSystemFailure);
  CHECK(reason_of_failure("job_execution_timeout") == ReasonCode::JobExecutionTimeout);
  CHECK(reason_of_failure("image_pull_failure") == ReasonCode::ImagePullFailure);
  CHECK(reason_of_failure("runner_configuration_error") == ReasonCode::RunnerConfigurationError);
  CHECK(reason_of_failure("runner_external_dependency_failure") == ReasonCode::RunnerSystemFailure);
  CHECK(reason_of_failure("runner_interrupted") == ReasonCode::RunnerInterrupted);
  CHECK(reason_of_failure("unknown_failure") == ReasonCode::UnknownFailure);
  CHECK(reason_of_failure("") == ReasonCode::UnknownFailure);
  CHECK(reason_of_failure("manual") == ReasonCode::UnknownFailure);
  CHECK(reason_of_failure("succeeded") == ReasonCode::UnknownFailure);
}
