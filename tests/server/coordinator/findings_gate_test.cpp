#include "server/coordinator/findings_gate.h"

#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;

namespace {

struct Gate : server::test::StoreFixture {
  ProjectRow about = *stores().projects.find(project());

  PipelineRow finished(const std::string& ref) {
    auto row = pipeline(about.id, ref, "success");
    return commit([&](Stores& stores) {
      row.finished_at = 20;
      stores.pipelines.update_state(row);
      return row;
    });
  }

  // Findings by fingerprint, with a digit for the severity behind it: {"a1", "b0"}.
  void report(const PipelineRow& pipeline, const std::vector<std::string>& found,
              const std::string& error = "", const std::string& kind = "sast") {
    const auto made = job(pipeline, "scan");
    std::vector<StoredFinding> rows;
    for (const std::string& one : found) {
      StoredFinding row;
      row.row.fingerprint = one.substr(0, 1);
      row.row.severity = one[1] - '0';
      rows.push_back(row);
    }
    commit([&](Stores& stores) {
      stores.findings.put({made.id, kind, pipeline.id, about.id, "scan", 0, 0, error, 1}, rows);
      return 0;
    });
  }

  std::string verdict(const PipelineRow& pipeline, const std::string& setting = "high") {
    about.findings_gate = setting;
    const auto found = findings_gate(stores().findings, about, pipeline);
    return found.state + ": " + found.text;
  }
};

}  // namespace

TEST_CASE_METHOD(Gate, "new findings of the severity or a worse one fail the gate", "[gate]") {
  report(finished("main"), {"a0", "b2"});
  const auto here = finished("feature");
  report(here, {"a0", "c1", "d0", "e2", "f3", "g4", "h5"});
  CHECK(verdict(here, "critical") == "failed: 1 new finding of severity critical against main");
  CHECK(verdict(here, "high") == "failed: 2 new findings of severity high or worse against main");
  CHECK(verdict(here, "medium") ==
        "failed: 3 new findings of severity medium or worse against main");
  CHECK(verdict(here, "low") == "failed: 4 new findings of severity low or worse against main");
  CHECK(verdict(here, "off") == ": ");
}

TEST_CASE_METHOD(Gate, "known findings and milder ones pass the gate", "[gate]") {
  report(finished("main"), {"a0", "b1"});
  const auto here = finished("feature");
  report(here, {"a0", "b1", "c2", "d5"});
  CHECK(verdict(here) == "passed: No new findings of severity high or worse against main");
}

TEST_CASE_METHOD(Gate, "without reports there is nothing to judge, without earlier ones all is new",
                 "[gate]") {
  CHECK(verdict(finished("feature")) == ": ");
  const auto here = finished("feature");
  report(here, {"a0"});
  CHECK(verdict(here) ==
        "failed: 1 new finding of severity high or worse; there are no earlier "
        "reports to compare with");
}

TEST_CASE_METHOD(Gate, "a report that could not be read fails the gate", "[gate]") {
  report(finished("main"), {});
  const auto here = finished("feature");
  report(here, {}, "line 3: it is no valid JSON");
  CHECK(verdict(here) == "failed: The sast report of scan could not be read whole");
}

TEST_CASE_METHOD(Gate, "what two jobs found counts once, and each kind has its own base",
                 "[gate]") {
  report(finished("main"), {"a0"}, "", "dast");
  report(finished("main"), {"b0"}, "", "sast");
  const auto here = finished("feature");
  report(here, {"a0"}, "", "dast");
  report(here, {"b0", "c0"}, "", "sast");
  report(here, {"c0"}, "", "sast");
  CHECK(verdict(here) == "failed: 1 new finding of severity high or worse against main");
}
