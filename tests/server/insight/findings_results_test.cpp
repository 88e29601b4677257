#include "server/insight/findings_results.h"

#include <fmt/format.h>

#include "tests/server/insight/report_fixture.h"

using namespace slipway;
using namespace slipway::server;

namespace {

// Jobs that send reports of findings, as the routes take them in.
struct Findings : server::test::ReportFixture {
  FindingsResults results{*database, blobs};

  void send(const JobRow& job, const std::string& text, const std::string& kind = "codequality") {
    ReportFixture::send(results, job, text, kind);
  }

  JobRow report(const PipelineRow& pipeline, const std::string& text,
                const std::string& kind = "codequality") {
    const auto made = job(pipeline, "scan");
    send(made, text, kind);
    return made;
  }

  FindingsOverview overview(const PipelineRow& pipeline) {
    return results.overview(about, pipeline);
  }
};

// Issues "a" to "z", each of the severity that stands behind it: "a major, b info".
std::string issues(const std::string& list) {
  std::string text;
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(", ", at), list.size());
    const auto part = list.substr(at, end - at);
    text += fmt::format(
        R"({}{{"description": "{}", "severity": "{}", "fingerprint": "{}", "check_name": "rule",
            "content": {{"body": "About {}."}}, "location": {{"path": "{}.c", "lines": {{"begin": 3}}}}}})",
        text.empty() ? "" : ",", part[0], part.substr(2), part[0], part[0], part[0]);
    at = end + 2;
  }
  return "[" + text + "]";
}

// "new medium a a.c:3" and so on, with a line for each finding.
std::string shown(const FindingsOverview& overview) {
  std::string text;
  for (const ComparedFinding& one : overview.findings)
    text += fmt::format("{} {} {} {}:{}\n", to_string(one.state), to_string(one.severity()),
                        one.row.name, one.row.file, one.row.line);
  return text;
}

}  // namespace

TEST_CASE("a report of findings becomes a row for each", "[insight]") {
  Findings findings;
  const auto pipeline = findings.pipeline_of();
  const auto job = findings.report(pipeline, issues("a minor, b blocker"));
  const auto overview = findings.overview(pipeline);
  CHECK(shown(overview) == "new critical b b.c:3\nnew low a a.c:3\n");
  REQUIRE(overview.reports.size() == 1);
  CHECK(overview.reports[0].job_name == "scan");
  CHECK(overview.reports[0].kind == "codequality");
  CHECK(overview.reports[0].findings == 2);
  CHECK(overview.reports[0].error.empty());
  CHECK(overview.findings[0].row.job_id == job.id);
  CHECK(overview.findings[0].row.identifiers == std::vector<std::string>{"rule"});
  CHECK(findings.stores().findings.texts(overview.findings[1].row).description == "About a.");
  REQUIRE(overview.bases.size() == 1);
  CHECK_FALSE(overview.bases[0].pipeline);
}

TEST_CASE("findings are new, known or fixed beside the branch's newest earlier report",
          "[insight]") {
  Findings findings;
  findings.report(findings.pipeline_of(), issues("a major, b major, c major, d major"));
  const auto old = findings.pipeline_of();
  findings.report(old, issues("a major, b info, c major"));
  findings.pipeline_of();  // has none
  findings.report(findings.pipeline_of("other"), issues("e major"));
  const auto here = findings.pipeline_of("feature");
  findings.report(here, issues("b major, e minor, f blocker"));
  const auto overview = findings.overview(here);
  CHECK(overview.bases[0].pipeline == old.id);
  CHECK(overview.bases[0].branch == "main");
  CHECK(shown(overview) ==
        "new critical f f.c:3\nnew low e e.c:3\nknown medium b b.c:3\n"
        "fixed medium a a.c:3\nfixed medium c c.c:3\n");
}

TEST_CASE("a merge request is compared with its target, or with the default branch", "[insight]") {
  Findings findings;
  findings.report(findings.pipeline_of("main"), issues("a major"));
  const auto to_release = findings.pipeline_of("feature", "release");
  findings.report(to_release, issues("a major, b major"));
  CHECK(findings.overview(to_release).bases[0].branch == "main");
  CHECK(shown(findings.overview(to_release)) == "new medium b b.c:3\nknown medium a a.c:3\n");
  findings.report(findings.pipeline_of("release"), issues("b major"));
  const auto again = findings.pipeline_of("feature", "release");
  findings.report(again, issues("a major, b major"));
  CHECK(findings.overview(again).bases[0].branch == "release");
  CHECK(shown(findings.overview(again)) == "new medium a a.c:3\nknown medium b b.c:3\n");
}

TEST_CASE("each kind of report is compared with the newest of its kind", "[insight]") {
  Findings findings;
  const auto nightly = findings.pipeline_of();
  findings.report(nightly, issues("a major"), "dependency_scanning");
  const auto pushed = findings.pipeline_of();
  findings.report(pushed, issues("b major"), "sast");
  const auto here = findings.pipeline_of("feature");
  findings.report(here, issues("a major"), "dependency_scanning");
  const auto overview = findings.overview(here);
  REQUIRE(overview.bases.size() == 1);
  CHECK(overview.bases[0].pipeline == nightly.id);
  // Nobody looked for b here, so it is not fixed.
  CHECK(shown(overview) == "known medium a a.c:3\n");
}

TEST_CASE("of a report with a fault nothing is said to be fixed", "[insight]") {
  Findings findings;
  findings.report(findings.pipeline_of(), issues("a major, b major"));
  const auto here = findings.pipeline_of("feature");
  findings.report(here, issues("a major").substr(0, issues("a major").size() - 1));
  const auto overview = findings.overview(here);
  CHECK(shown(overview) == "known medium a a.c:3\n");
  CHECK(overview.reports[0].error.find("it is no valid JSON") != std::string::npos);
}

TEST_CASE("what two jobs found is one finding, and the last try of a job counts", "[insight]") {
  Findings findings;
  const auto pipeline = findings.pipeline_of();
  auto first = findings.report(pipeline, issues("a major, z major"));
  findings.commit([&](Stores& stores) {
    first.retried = true;
    stores.jobs.update_state(first);
    return 0;
  });
  const auto second = findings.report(pipeline, issues("a major, b major"));
  findings.report(pipeline, issues("a major, c major"));
  CHECK(shown(findings.overview(pipeline)) ==
        "new medium a a.c:3\nnew medium b b.c:3\nnew medium c c.c:3\n");
  findings.send(second, issues("d major"));
  CHECK(shown(findings.overview(pipeline)) ==
        "new medium a a.c:3\nnew medium c c.c:3\nnew medium d d.c:3\n");
  findings.send(second, issues("d major"), "sast");
  CHECK(findings.overview(pipeline).reports.size() == 3);
}

TEST_CASE("a pipeline keeps a bounded number of findings, and counts the others", "[insight]") {
  Findings findings;
  const auto pipeline = findings.pipeline_of();
  const auto job = findings.job(pipeline, "scan");
  FindingsReportRow full{job.id, "sast", pipeline.id, pipeline.project_id, "scan", 0, 3, "", 1};
  std::vector<StoredFinding> rows(kMostFindingsOfPipeline - 1);
  findings.commit([&](Stores& stores) {
    stores.findings.put(full, rows);
    full.kind = "dast";
    stores.findings.put(full, std::vector<StoredFinding>(5));
    return 0;
  });
  const auto reports = findings.stores().findings.of_pipeline(pipeline.id);
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].kind == "dast");
  CHECK(reports[0].findings == 1);
  CHECK(reports[0].left_out == 7);
  CHECK(reports[1].left_out == 3);
}

TEST_CASE("a findings report that is packed wrongly says so", "[insight]") {
  Findings findings;
  const auto job = findings.job(findings.pipeline_of(), "scan");
  auto row = findings.artifact(job, "[]", "sast");
  row.file_format = "gzip";
  CHECK(findings.results.receive(row).value().report.error.find("gzip") != std::string::npos);
  row.file_format = "zip";
  CHECK(findings.results.receive(row).value().report.error ==
        "a report must be sent as gzip or raw, not as zip");
  row.job_id = JobId{99};
  CHECK(findings.results.receive(row).error().kind == ErrorKind::NotFound);
  CHECK(FindingsResults::takes("sarif"));
  CHECK_FALSE(FindingsResults::takes("junit"));
}
