#include "server/insight/test_results.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "server/insight/report_bytes.h"
#include "server/reports/junit.h"

namespace slipway::server {

namespace {

constexpr int kTriesLookedAt = 5;  // of one job for one commit

using Keys = std::unordered_set<std::string>;

bool is_bad(const TestCase& test) {
  return test.status == TestStatus::Failed || test.status == TestStatus::Error;
}

TestFailureRow failure_row(JobId job, const TestCase& test) {
  return {job, test.key, std::string{to_string(test.status)}, test.classname, test.name};
}

void count(TestSuiteRow& suite, const TestCase& test) {
  suite.seconds += test.seconds;
  switch (test.status) {
    case TestStatus::Success: ++suite.success; break;
    case TestStatus::Failed: ++suite.failed; break;
    case TestStatus::Error: ++suite.errors; break;
    case TestStatus::Skipped: ++suite.skipped; break;
  }
}

Keys keys_of(const std::vector<TestFailureRow>& failures) {
  Keys keys;
  for (const TestFailureRow& row : failures) keys.insert(row.key);
  return keys;
}

Keys passed_in(const TestReport& report) {
  Keys keys;
  for (const TestCase& test : report.cases)
    if (test.status == TestStatus::Success) keys.insert(test.key);
  return keys;
}

FlakyTestRow flaky_row(const TestSuiteRow& suite, const TestCase& test) {
  FlakyTestRow row;
  row.project_id = suite.project_id;
  row.job_name = suite.job_name;
  row.key = test.key;
  row.classname = test.classname;
  row.name = test.name;
  row.file = test.file;
  row.sha = suite.sha;
  row.job_id = suite.job_id;
  row.first_seen_at = row.last_seen_at = suite.created_at;
  return row;
}

Error no_report() {
  return fail(ErrorKind::NotFound, "the job has no test report, or it has expired");
}

}  // namespace

Result<ReceivedTests> TestResults::receive(const ArtifactRow& row) const {
  ReceivedTests received;
  TestSuiteRow& suite = received.suite;
  {
    auto read = database_.read();
    const auto job = read->jobs.find(row.job_id);
    const auto pipeline = job ? read->pipelines.find(job->pipeline_id) : std::nullopt;
    if (!pipeline) return fail(ErrorKind::NotFound, "the job is gone");
    suite.job_id = job->id;
    suite.pipeline_id = pipeline->id;
    suite.project_id = job->project_id;
    suite.job_name = job->name;
    suite.ref = pipeline->tag ? "" : pipeline->ref;
    suite.sha = pipeline->sha;
    suite.created_at = row.created_at;
  }
  auto report = this->read(row);
  if (!report) {
    suite.error = report.error().message;
    return received;
  }
  suite.error = report->error;
  for (const TestCase& test : report->cases) {
    count(suite, test);
    if (is_bad(test) && received.failures.size() < kMostFailures)
      received.failures.push_back(failure_row(suite.job_id, test));
  }
  received.flaky = find_flaky(suite, *report);
  return received;
}

std::vector<FlakyTestRow> TestResults::find_flaky(const TestSuiteRow& suite,
                                                  const TestReport& report) const {
  Keys differing;
  const auto others = database_.read()->tests.of_commit(suite, kTriesLookedAt);
  for (const TestSuiteRow& other : others) {
    const Keys failed_there = keys_of(database_.read()->tests.failures(other.job_id));
    Keys failed_here;
    for (const TestCase& test : report.cases) {
      if (test.status == TestStatus::Success && failed_there.contains(test.key))
        differing.insert(test.key);
      if (is_bad(test) && !failed_there.contains(test.key)) failed_here.insert(test.key);
    }
    // Whether they passed there stands in that report only.
    if (failed_here.empty()) continue;
    const auto their_report = report_of(other.job_id);
    if (!their_report) continue;
    const Keys passed_there = passed_in(*their_report);
    for (const std::string& key : failed_here)
      if (passed_there.contains(key)) differing.insert(key);
  }
  std::vector<FlakyTestRow> rows;
  for (const TestCase& test : report.cases)
    if ((test.flaky || differing.contains(test.key)) && rows.size() < kMostFailures)
      rows.push_back(flaky_row(suite, test));
  return rows;
}

void TestResults::keep(Stores& stores, const ReceivedTests& tests) {
  stores.tests.put(tests.suite, tests.failures);
  for (const FlakyTestRow& row : tests.flaky) stores.tests.saw_flaky(row);
}

Result<TestReport> TestResults::report_of(JobId job) const {
  const auto row = database_.read()->artifacts.find(job, "junit");
  if (!row) return no_report();
  return read(*row);
}

Result<TestReport> TestResults::read(const ArtifactRow& row) const {
  JunitReader junit{limits_};
  const auto done = read_report_bytes(
      blobs_, row, [&](std::string_view xml) { return junit.feed(xml); },
      [&] { junit.end_of_file(); });
  if (done) return junit.take();
  if (done.error().kind == ErrorKind::NotFound) return no_report();
  return done.error();
}

TestComparison TestResults::compare(const PipelineRow& pipeline, const std::string& branch) const {
  TestComparison comparison;
  const auto here = database_.read()->tests.of_pipeline(pipeline.id);
  comparison.base = database_.read()->tests.newest_before(pipeline.project_id, branch, pipeline.id);
  std::unordered_map<std::string, std::vector<TestFailureRow>> there;  // by the job's name
  if (comparison.base)
    for (const TestSuiteRow& suite : database_.read()->tests.of_pipeline(*comparison.base))
      there[suite.job_name] = database_.read()->tests.failures(suite.job_id);
  for (const TestSuiteRow& suite : here) {
    const auto& failed_there = there[suite.job_name];
    const Keys keys_there = keys_of(failed_there);
    const auto failed_here = database_.read()->tests.failures(suite.job_id);
    const Keys keys_here = keys_of(failed_here);
    for (const TestFailureRow& row : failed_here) {
      auto& list =
          keys_there.contains(row.key) ? comparison.existing_failures : comparison.new_failures;
      list.push_back({suite.job_name, suite.job_id, row});
    }
    const bool any_gone =
        std::any_of(failed_there.begin(), failed_there.end(),
                    [&](const auto& row) { return !keys_here.contains(row.key); });
    const auto report = any_gone ? report_of(suite.job_id) : Result<TestReport>{no_report()};
    if (!report) continue;
    const Keys passed = passed_in(*report);
    for (const TestFailureRow& row : failed_there)
      if (passed.contains(row.key)) comparison.fixed.push_back({suite.job_name, suite.job_id, row});
  }
  return comparison;
}

}  // namespace slipway::server
