#include "server/insight/test_results.h"

#include <algorithm>

#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;

namespace {

std::string passed(const std::string& name) {
  return "<testcase classname='C' name='" + name + "'/>";
}
std::string failed(const std::string& name) {
  return "<testcase classname='C' name='" + name + "'><failure message='no'/></testcase>";
}

// Jobs that send JUnit reports, as the routes take them in.
struct Reports : server::test::StoreFixture {
  slipway::test::TempDirectory files;
  BlobStore blobs = BlobStore::open(files / "blobs").value();
  TestResults results{*database, blobs};
  ProjectId project_id = project();

  PipelineRow pipeline_of(const std::string& sha, const std::string& ref = "main") {
    return commit([&](Stores& stores) {
      PipelineRow row;
      row.project_id = project_id;
      row.ref = ref;
      row.source = "push";
      row.sha = sha;
      row.created_at = 10;
      row.status = "success";
      stores.pipelines.insert(row, {});
      row.finished_at = 20;
      stores.pipelines.update_state(row);
      return row;
    });
  }

  ArtifactRow artifact(const JobRow& job, const std::string& xml) {
    auto upload = blobs.receive(job.id.value, 1 << 20);
    REQUIRE(upload);
    REQUIRE(upload->write(xml));
    const auto blob = upload->commit();
    REQUIRE(blob);
    ArtifactRow row;
    row.job_id = job.id;
    row.project_id = job.project_id;
    row.file_type = "junit";
    row.file_format = "raw";
    row.blob = blob->name;
    row.size = blob->size;
    row.created_at = 1'000 + job.id.value;
    return row;
  }

  JobRow report(const PipelineRow& pipeline, const std::string& cases,
                const std::string& name = "unit") {
    const auto made = job(pipeline, name);
    const auto row = artifact(made, "<testsuite>" + cases + "</testsuite>");
    const auto received = results.receive(row);
    REQUIRE(received);
    commit([&](Stores& stores) {
      TestResults::keep(stores, *received);
      return stores.artifacts.insert(row);
    });
    return made;
  }

  std::vector<std::string> flaky() {
    std::vector<std::string> names;
    for (const auto& row : stores().tests.flaky(project_id, {}).rows)
      names.push_back(row.name + " " + std::to_string(row.times));
    return names;
  }
};

std::vector<std::string> names_of(const std::vector<ComparedTest>& tests) {
  std::vector<std::string> names;
  for (const ComparedTest& test : tests) names.push_back(test.job_name + ":" + test.test.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a report becomes sums and a row for each failure", "[insight]") {
  Reports reports;
  const auto pipeline = reports.pipeline_of("aa");
  const auto job = reports.report(
      pipeline, passed("a") + failed("b") + "<testcase name='c' time='2'><error/></testcase>" +
                    "<testcase name='d' time='0.5'><skipped/></testcase>");
  const auto suite = reports.stores().tests.suite(job.id);
  REQUIRE(suite);
  CHECK(suite->job_name == "unit");
  CHECK(suite->success == 1);
  CHECK(suite->failed == 1);
  CHECK(suite->errors == 1);
  CHECK(suite->skipped == 1);
  CHECK(suite->total() == 4);
  CHECK(suite->seconds == 2.5);
  const auto failures = reports.stores().tests.failures(job.id);
  REQUIRE(failures.size() == 2);
  CHECK(failures[0].name == "c");
  CHECK(failures[0].status == "error");
  CHECK(failures[1].status == "failed");
  const auto whole = reports.results.report_of(job.id);
  REQUIRE(whole);
  CHECK(whole->cases.size() == 4);
}

TEST_CASE("a report that cannot be read says so and stands nowhere in the way", "[insight]") {
  Reports reports;
  const auto pipeline = reports.pipeline_of("aa");
  const auto job = reports.job(pipeline, "unit");
  auto row = reports.artifact(job, "<testsuite><testcase name='a'/><testcase");
  const auto part = reports.results.receive(row);
  REQUIRE(part);
  CHECK(part->suite.success == 1);
  CHECK(part->suite.error.find("line 1") != std::string::npos);
  row.file_format = "gzip";
  CHECK(reports.results.receive(row)->suite.error == "the body is not valid gzip");
  row.file_format = "zip";
  CHECK(reports.results.receive(row)->suite.error ==
        "a report must be sent as gzip or raw, not as zip");
  row.job_id = JobId{999};
  CHECK(reports.results.receive(row).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a report that is sent again replaces the first", "[insight]") {
  Reports reports;
  const auto pipeline = reports.pipeline_of("aa");
  const auto job = reports.job(pipeline, "unit");
  for (const auto& cases : {failed("a") + failed("b"), failed("a") + passed("b")}) {
    const auto received =
        reports.results.receive(reports.artifact(job, "<testsuite>" + cases + "</testsuite>"));
    REQUIRE(received);
    reports.commit([&](Stores& stores) {
      TestResults::keep(stores, *received);
      return 0;
    });
  }
  CHECK(reports.stores().tests.suite(job.id)->failed == 1);
  CHECK(reports.stores().tests.failures(job.id).size() == 1);
}

TEST_CASE("tests are compared with the newest finished pipeline of the branch", "[insight]") {
  Reports reports;
  reports.report(reports.pipeline_of("a1"), passed("old") + failed("mended") + failed("broken"));
  const auto base = reports.pipeline_of("a2");
  reports.report(base, passed("old") + failed("mended") + failed("broken") + failed("gone"));
  reports.report(base, failed("other"), "lint");
  reports.report(reports.pipeline_of("b0", "topic"), failed("old"));
  reports.pipeline_of("a3");  // without reports
  const auto pipeline = reports.pipeline_of("b1", "topic");
  reports.report(pipeline, failed("old") + passed("mended") + failed("broken") + failed("new"));

  const auto compared = reports.results.compare(pipeline, "main");
  REQUIRE(compared.base);
  CHECK(*compared.base == base.id);
  CHECK(names_of(compared.new_failures) == Names{"unit:new", "unit:old"});
  CHECK(names_of(compared.existing_failures) == Names{"unit:broken"});
  CHECK(names_of(compared.fixed) == Names{"unit:mended"});

  const auto none = reports.results.compare(pipeline, "no-such-branch");
  CHECK_FALSE(none.base);
  CHECK(names_of(none.new_failures).size() == 3);
}

TEST_CASE("a test that differs on one commit is flaky, whichever way round", "[insight]") {
  Reports reports;
  const auto first = reports.pipeline_of("aa");
  reports.report(first, failed("a") + passed("b") + failed("c") + passed("d"));
  CHECK(reports.flaky().empty());
  reports.report(first, passed("a") + failed("b") + failed("c") + passed("d"));
  auto both = reports.flaky();
  std::sort(both.begin(), both.end());
  CHECK(both == Names{"a 1", "b 1"});
  // Another commit, or another job, says nothing.
  reports.report(reports.pipeline_of("bb"), passed("c") + failed("d"));
  reports.report(first, failed("d"), "integration");
  CHECK(reports.flaky().size() == 2);
}

TEST_CASE("a test that was repeated in one report is flaky, and counted by reports", "[insight]") {
  Reports reports;
  reports.report(reports.pipeline_of("aa"), failed("a") + passed("a"));
  reports.report(reports.pipeline_of("bb"), failed("a") + passed("a") + passed("a"));
  CHECK(reports.flaky() == Names{"a 2"});
}

TEST_CASE("how a test went before is told by the failures of the job's reports", "[insight]") {
  Reports reports;
  const auto first = reports.report(reports.pipeline_of("aa"), passed("a"));
  reports.report(reports.pipeline_of("bb"), failed("a"));
  reports.report(reports.pipeline_of("cc", "topic"), failed("a"));
  const auto key = reports.results.report_of(first.id)->cases.at(0).key;
  auto& tests = reports.stores().tests;
  Names seen;
  for (const auto& row : tests.history(reports.project_id, "unit", key, 50))
    seen.push_back(row.sha + " " + row.status);
  CHECK(seen == Names{"cc failed", "bb failed", "aa "});
  CHECK(tests.history(reports.project_id, "unit", key, 2).size() == 2);
  using Counts = std::vector<std::pair<std::string, long long>>;
  CHECK(tests.failure_counts(reports.project_id, "unit", "main", 0) == Counts{{key, 1}});
  CHECK(tests.failure_counts(reports.project_id, "unit", "main", 9'999'999).empty());
}
