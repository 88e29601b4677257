#include "server/insight/coverage_results.h"

#include <fmt/format.h>

#include "tests/server/insight/report_fixture.h"

using namespace slipway;
using namespace slipway::server;

namespace {

// Jobs that send coverage reports, as the routes take them in.
struct Coverage : server::test::ReportFixture {
  CoverageResults results{*database, blobs};

  JobRow report(const PipelineRow& pipeline, const std::string& text,
                const std::string& name = "unit") {
    const auto made = job(pipeline, name);
    send(made, text);
    return made;
  }

  void send(const JobRow& job, const std::string& text) {
    ReportFixture::send(results, job, text, "lcov");
  }
};

std::string record(const std::string& path, const std::string& lines) {
  return "SF:" + path + "\n" + lines + "end_of_record\n";
}

// "a.c 1/2 before 0/2" and so on, with a line for each file.
std::string shown(const CoverageOverview& overview) {
  std::string text;
  for (const CoveredFile& file : overview.files) {
    text += fmt::format("{} {}/{}", file.path, file.lines.covered, file.lines.total);
    if (file.before) text += fmt::format(" before {}/{}", file.before->covered, file.before->total);
    text += '\n';
  }
  return text;
}

}  // namespace

TEST_CASE("a coverage report becomes a row for each file", "[insight]") {
  Coverage coverage;
  const auto pipeline = coverage.pipeline_of();
  coverage.report(pipeline,
                  record("/b/group/name/a.c", "DA:1,1\nDA:2,0\n") + record("b.c", "DA:9,3\n"));
  const auto overview = coverage.results.overview(pipeline, "main");
  CHECK(shown(overview) == "a.c 1/2\nb.c 1/1\n");
  CHECK(overview.sum.covered == 2);
  CHECK(overview.sum.total == 3);
  CHECK(overview.sum.percent() == 66.66);
  REQUIRE(overview.reports.size() == 1);
  CHECK(overview.reports[0].job_name == "unit");
  CHECK(overview.reports[0].files == 2);
  CHECK(overview.reports[0].error.empty());
  const auto lines = coverage.results.lines(pipeline.id, "a.c");
  REQUIRE(lines);
  CHECK(*lines == CoveredLines{{1, 1}, {2, 0}});
  CHECK(coverage.results.lines(pipeline.id, "c.c").error().kind == ErrorKind::NotFound);
}

TEST_CASE("reports of the jobs of a pipeline are added up", "[insight]") {
  Coverage coverage;
  const auto pipeline = coverage.pipeline_of();
  coverage.report(pipeline, record("a.c", "DA:1,1\nDA:2,0\nDA:3,0\n"), "unit");
  coverage.report(pipeline, record("a.c", "DA:1,1\nDA:2,4\nDA:7,0\n") + record("b.c", "DA:1,0\n"),
                  "slow");
  const auto overview = coverage.results.overview(pipeline, "main");
  CHECK(shown(overview) == "a.c 2/4\nb.c 0/1\n");
  CHECK(overview.reports.size() == 2);
  CHECK(coverage.results.lines(pipeline.id, "a.c").value() ==
        CoveredLines{{1, 2}, {2, 4}, {3, 0}, {7, 0}});
}

TEST_CASE("the last try of a job counts, and its last report", "[insight]") {
  Coverage coverage;
  const auto pipeline = coverage.pipeline_of();
  auto first = coverage.report(pipeline, record("a.c", "DA:1,1\n") + record("gone.c", "DA:1,1\n"));
  coverage.commit([&](Stores& stores) {
    first.retried = true;
    stores.jobs.update_state(first);
    return 0;
  });
  const auto second = coverage.report(pipeline, record("a.c", "DA:1,0\n"));
  CHECK(shown(coverage.results.overview(pipeline, "main")) == "a.c 0/1\n");
  coverage.send(second, record("b.c", "DA:1,0\n"));
  CHECK(shown(coverage.results.overview(pipeline, "main")) == "b.c 0/1\n");
}

TEST_CASE("files are compared with the branch's newest earlier pipeline that has reports",
          "[insight]") {
  Coverage coverage;
  const auto oldest = coverage.pipeline_of();
  coverage.report(oldest, record("a.c", "DA:1,0\nDA:2,0\n"));
  const auto old = coverage.pipeline_of();
  coverage.report(old, record("a.c", "DA:1,1\nDA:2,1\n") + record("gone.c", "DA:1,1\n"));
  coverage.pipeline_of();  // has none
  const auto other = coverage.pipeline_of("other");
  coverage.report(other, record("a.c", "DA:1,0\n"));
  const auto here = coverage.pipeline_of("feature");
  coverage.report(here, record("a.c", "DA:1,1\nDA:2,0\n") + record("new.c", "DA:1,1\n"));
  const auto overview = coverage.results.overview(here, "main");
  CHECK(overview.base == old.id);
  CHECK(shown(overview) == "a.c 1/2 before 2/2\nnew.c 1/1\n");
  CHECK(overview.files[0].change() == -50);
  CHECK(overview.files[1].change() == 0);
  CHECK(overview.base_sum.total == 3);
  CHECK_FALSE(coverage.results.overview(oldest, "main").base);
}

TEST_CASE("a coverage report that cannot be read says so, and keeps what was read", "[insight]") {
  Coverage coverage;
  const auto pipeline = coverage.pipeline_of();
  coverage.report(pipeline, record("a.c", "DA:1,1\n") + "SF:b.c\nDA:oops\nend_of_record\n");
  auto overview = coverage.results.overview(pipeline, "main");
  CHECK(shown(overview) == "a.c 1/1\n");
  CHECK(overview.reports[0].error ==
        "file 1 of the report, line 5: 'DA:oops' names no line and count; it is left out");

  const auto packed = coverage.job(pipeline, "packed");
  auto row = coverage.artifact(packed, "SF:a", "lcov");
  row.file_format = "gzip";
  CHECK(coverage.results.receive(row).value().report.error.find("gzip") != std::string::npos);
  row.file_format = "zip";
  CHECK(coverage.results.receive(row).value().report.error ==
        "a report must be sent as gzip or raw, not as zip");
  row.job_id = JobId{99};
  CHECK(coverage.results.receive(row).error().kind == ErrorKind::NotFound);
}

TEST_CASE("percentages are rounded down, and nothing is covered whole", "[insight]") {
  CHECK(LineCount{0, 0}.percent() == 100);
  CHECK(LineCount{99'999, 100'000}.percent() == 99.99);
  CHECK(LineCount{3, 3}.percent() == 100);
  CHECK(LineCount{0, 3}.percent() == 0);
}
