// What the tests of jobs said: a row for each report, one for each test that did not pass, and the
// tests that are flaky. Tests that passed stand in the reports only, among the artifacts.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

// The sums of the report of one try of a job.
struct TestSuiteRow {
  JobId job_id;
  PipelineId pipeline_id;
  ProjectId project_id;
  std::string job_name;
  std::string ref;
  std::string sha;
  long long success = 0;
  long long failed = 0;
  long long errors = 0;
  long long skipped = 0;
  double seconds = 0;  // of all its tests together
  std::string error;   // why a part of the report could not be read; "" when all was
  UnixMillis created_at = 0;

  [[nodiscard]] long long total() const { return success + failed + errors + skipped; }
};

struct TestFailureRow {
  JobId job_id;
  std::string key;     // TestCase::key
  std::string status;  // "failed" or "error"
  std::string classname;
  std::string name;
};

// A test with differing results for one commit.
struct FlakyTestRow {
  ProjectId project_id;
  std::string job_name;
  std::string key;
  std::string classname;
  std::string name;
  std::string file;
  std::string sha;  // the last commit at which it was seen, and the job that showed it
  JobId job_id;
  long long times = 1;  // in how many reports
  UnixMillis first_seen_at = 0;
  UnixMillis last_seen_at = 0;
};

// One report of a job and how one test went in it.
struct TestHistoryRow {
  JobId job_id;
  PipelineId pipeline_id;
  std::string ref;
  std::string sha;
  std::string status;  // "failed", "error", or "" when it did not fail
  UnixMillis created_at = 0;
};

class TestStore {
 public:
  explicit TestStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<TestSuiteRow> suite(JobId job) const;
  // Of the last try of each job, in the order of the jobs.
  [[nodiscard]] std::vector<TestSuiteRow> of_pipeline(PipelineId pipeline) const;
  // Reports of other tries of the same job for the same commit, newest first.
  [[nodiscard]] std::vector<TestSuiteRow> of_commit(const TestSuiteRow& suite, int limit) const;
  [[nodiscard]] std::vector<TestFailureRow> failures(JobId job) const;
  // The newest finished pipeline of the branch before `pipeline` that has reports.
  [[nodiscard]] std::optional<PipelineId> newest_before(ProjectId project, std::string_view branch,
                                                        PipelineId pipeline) const;
  // How often each test of a job failed on `branch` since then: key and count.
  [[nodiscard]] std::vector<std::pair<std::string, long long>> failure_counts(
      ProjectId project, std::string_view job_name, std::string_view branch,
      UnixMillis since) const;
  // The last `limit` reports of the job, newest first.
  [[nodiscard]] std::vector<TestHistoryRow> history(ProjectId project, std::string_view job_name,
                                                    std::string_view key, int limit) const;
  // Seen last first.
  [[nodiscard]] Page<FlakyTestRow> flaky(ProjectId project, PageRequest page) const;

  // A later report of the job replaces an earlier one.
  void put(const TestSuiteRow& suite, const std::vector<TestFailureRow>& failures);
  // Counts it, once for each report.
  void saw_flaky(const FlakyTestRow& test);

 private:
  Session& session_;
};

}  // namespace slipway::server
