// What the tests of jobs said: from the report that a job sends to rows in the store, and from both
// to the questions of a reader: what failed, since when, what is new, what is flaky.
//
// Thread-safe. Everything blocks: it reads files and the store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/blobs/blob_store.h"
#include "server/reports/test_report.h"
#include "server/store/database.h"

namespace slipway::server {

// What is to be stored of a report that was received.
struct ReceivedTests {
  TestSuiteRow suite;
  std::vector<TestFailureRow> failures;  // the first kMostFailures
  std::vector<FlakyTestRow> flaky;
};

struct ComparedTest {
  std::string job_name;
  JobId job_id;
  TestFailureRow test;
};

// The tests of a pipeline beside those of a branch.
struct TestComparison {
  std::optional<PipelineId> base;  // nullopt: the branch has no earlier reports
  std::vector<ComparedTest> new_failures;
  std::vector<ComparedTest> existing_failures;
  std::vector<ComparedTest> fixed;  // failed there, passed here
};

class TestResults {
 public:
  // So many failures of one report are kept as rows; its sums count them all.
  static constexpr std::size_t kMostFailures = 1'000;

  TestResults(Database& database, const BlobStore& blobs, const TestReportLimits& limits = {})
      : database_(database), blobs_(blobs), limits_(limits) {}

  // Reads the JUnit report of `row`, whose blob is complete. What cannot be read is told in the
  // suite. NotFound when the job is gone.
  [[nodiscard]] Result<ReceivedTests> receive(const ArtifactRow& row) const;
  // In the transaction that stores the artifact's row.
  static void keep(Stores& stores, const ReceivedTests& tests);

  // Every test of a job, from its report. NotFound when it has none, or none any more.
  [[nodiscard]] Result<TestReport> report_of(JobId job) const;
  // With the newest earlier pipeline of `branch` that has reports.
  [[nodiscard]] TestComparison compare(const PipelineRow& pipeline,
                                       const std::string& branch) const;

 private:
  [[nodiscard]] Result<TestReport> read(const ArtifactRow& row) const;
  [[nodiscard]] std::vector<FlakyTestRow> find_flaky(const TestSuiteRow& suite,
                                                     const TestReport& report) const;

  Database& database_;
  const BlobStore& blobs_;
  TestReportLimits limits_;
};

}  // namespace slipway::server
