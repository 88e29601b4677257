// A pipeline file and those that it includes, in the form of a golden case: read, planned, and
// written as the store keeps it.

#include <nlohmann/json.hpp>

#include "pipeline/plan.h"
#include "tests/pipeline/fuzz/target.h"
#include "tests/pipeline/golden/case_file.h"
#include "tests/pipeline/golden/world.h"

namespace slipway::pipeline::fuzz {
namespace {

void check_plan(const Configuration& configuration, const Trigger& trigger) {
  const Plan plan = make_plan(configuration, trigger);
  for (const PlannedJob& job : plan.jobs) {
    // Bytes that are no UTF-8 are not JSON's; the server refuses them before it writes.
    const std::string text =
        to_json(job).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const auto again = planned_job_from_json(nlohmann::json::parse(text));
    require(again.has_value(), "a planned job can be read back");
    require(to_json(*again).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) == text,
            "a planned job is the same after reading it back");
  }
}

}  // namespace

void take(std::string_view bytes) {
  const golden::Case one = golden::parse_case(bytes);
  golden::World files{one.files};
  const ReadOutcome outcome = read_configuration(one.text, ".gitlab-ci.yml", files);
  require(outcome.configuration.has_value() != has_errors(outcome.findings),
          "there is either a configuration or an error");
  for (const Diagnostic& finding : outcome.findings) (void)render(finding, one.text);
  if (!outcome.configuration) return;
  check_plan(*outcome.configuration, golden::parse_event("push main --changed a"));
  check_plan(*outcome.configuration, golden::parse_event("merge_request_event topic"));
}

}  // namespace slipway::pipeline::fuzz
