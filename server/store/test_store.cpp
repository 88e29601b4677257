#include "server/store/test_store.h"

#include "server/store/newest_report.h"
#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<TestSuiteRow> {
  template <typename F>
  static void each(TestSuiteRow& row, F&& f) {
    f("job_id", row.job_id);
    f("pipeline_id", row.pipeline_id);
    f("project_id", row.project_id);
    f("job_name", row.job_name);
    f("ref", row.ref);
    f("sha", row.sha);
    f("success", row.success);
    f("failed", row.failed);
    f("errors", row.errors);
    f("skipped", row.skipped);
    f("seconds", row.seconds);
    f("error", row.error);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<TestFailureRow> {
  template <typename F>
  static void each(TestFailureRow& row, F&& f) {
    f("job_id", row.job_id);
    f("key", row.key);
    f("status", row.status);
    f("classname", row.classname);
    f("name", row.name);
  }
};

template <>
struct Columns<FlakyTestRow> {
  template <typename F>
  static void each(FlakyTestRow& row, F&& f) {
    f("project_id", row.project_id);
    f("job_name", row.job_name);
    f("key", row.key);
    f("classname", row.classname);
    f("name", row.name);
    f("file", row.file);
    f("sha", row.sha);
    f("job_id", row.job_id);
    f("times", row.times);
    f("first_seen_at", row.first_seen_at);
    f("last_seen_at", row.last_seen_at);
  }
};

template <>
struct Columns<TestHistoryRow> {
  template <typename F>
  static void each(TestHistoryRow& row, F&& f) {
    f("job_id", row.job_id);
    f("pipeline_id", row.pipeline_id);
    f("ref", row.ref);
    f("sha", row.sha);
    f("status", row.status);
    f("created_at", row.created_at);
  }
};

namespace {

const std::string& select_suites() {
  static const std::string sql = "SELECT " + column_names<TestSuiteRow>() + " FROM test_suites";
  return sql;
}

}  // namespace

std::optional<TestSuiteRow> TestStore::suite(JobId job) const {
  static const std::string sql = select_suites() + " WHERE job_id = ?";
  return select_one<TestSuiteRow>(session_, sql, job);
}

std::vector<TestSuiteRow> TestStore::of_pipeline(PipelineId pipeline) const {
  static const std::string sql =
      select_suites() +
      " WHERE pipeline_id = ? AND job_id IN"
      " (SELECT id FROM jobs WHERE jobs.pipeline_id = test_suites.pipeline_id AND retried = 0)"
      " ORDER BY job_id";
  return select<TestSuiteRow>(session_, sql, pipeline);
}

std::vector<TestSuiteRow> TestStore::of_commit(const TestSuiteRow& suite, int limit) const {
  static const std::string sql =
      select_suites() +
      " WHERE project_id = ? AND job_name = ? AND sha = ? AND job_id <> ?"
      " ORDER BY job_id DESC LIMIT ?";
  return select<TestSuiteRow>(session_, sql, suite.project_id, suite.job_name, suite.sha,
                              suite.job_id, limit);
}

std::vector<TestFailureRow> TestStore::failures(JobId job) const {
  static const std::string sql = "SELECT " + column_names<TestFailureRow>() +
                                 " FROM test_failures WHERE job_id = ? ORDER BY classname, name";
  return select<TestFailureRow>(session_, sql, job);
}

std::optional<PipelineId> TestStore::newest_before(ProjectId project, std::string_view branch,
                                                   PipelineId pipeline) const {
  return newest_with_report(session_, "test_suites", project, branch, pipeline);
}

std::vector<std::pair<std::string, long long>> TestStore::failure_counts(ProjectId project,
                                                                         std::string_view job_name,
                                                                         std::string_view branch,
                                                                         UnixMillis since) const {
  return select<std::pair<std::string, long long>>(
      session_,
      "SELECT test_failures.key, COUNT(*) FROM test_suites"
      " JOIN test_failures ON test_failures.job_id = test_suites.job_id"
      " WHERE project_id = ? AND job_name = ? AND ref = ? AND created_at >= ?"
      " GROUP BY test_failures.key",
      project, std::string{job_name}, std::string{branch}, since);
}

std::vector<TestHistoryRow> TestStore::history(ProjectId project, std::string_view job_name,
                                               std::string_view key, int limit) const {
  return select<TestHistoryRow>(
      session_,
      "SELECT test_suites.job_id, pipeline_id, ref, sha, COALESCE(test_failures.status, ''),"
      " created_at FROM test_suites LEFT JOIN test_failures"
      " ON test_failures.job_id = test_suites.job_id AND test_failures.key = ?"
      " WHERE project_id = ? AND job_name = ? ORDER BY test_suites.job_id DESC LIMIT ?",
      std::string{key}, project, std::string{job_name}, limit);
}

Page<FlakyTestRow> TestStore::flaky(ProjectId project, PageRequest page) const {
  static const std::string sql = "SELECT " + column_names<FlakyTestRow>() +
                                 " FROM flaky_tests WHERE project_id = ?"
                                 " ORDER BY last_seen_at DESC, job_name, key LIMIT ? OFFSET ?";
  Page<FlakyTestRow> found;
  found.rows =
      select<FlakyTestRow>(session_, sql, project, page.per_page, (page.page - 1) * page.per_page);
  found.total = select_value<long long>(
      session_, "SELECT COUNT(*) FROM flaky_tests WHERE project_id = ?", project);
  return found;
}

void TestStore::put(const TestSuiteRow& suite, const std::vector<TestFailureRow>& failures) {
  // Its failures go with it.
  execute(session_, "DELETE FROM test_suites WHERE job_id = ?", suite.job_id);
  execute(session_,
          "INSERT INTO test_suites (job_id, pipeline_id, project_id, job_name, ref, sha, success,"
          " failed, errors, skipped, seconds, error, created_at)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          suite.job_id, suite.pipeline_id, suite.project_id, suite.job_name, suite.ref, suite.sha,
          suite.success, suite.failed, suite.errors, suite.skipped, suite.seconds, suite.error,
          suite.created_at);
  for (const TestFailureRow& row : failures)
    execute(session_,
            "INSERT INTO test_failures (job_id, key, status, classname, name)"
            " VALUES (?, ?, ?, ?, ?)",
            suite.job_id, row.key, row.status, row.classname, row.name);
}

void TestStore::saw_flaky(const FlakyTestRow& test) {
  execute(session_,
          "INSERT INTO flaky_tests (project_id, job_name, key, classname, name, file, sha, job_id,"
          " times, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)"
          " ON CONFLICT (project_id, job_name, key) DO UPDATE SET"
          " times = flaky_tests.times +"
          " CASE WHEN flaky_tests.job_id = excluded.job_id THEN 0 ELSE 1 END, sha = excluded.sha,"
          " job_id = excluded.job_id, file = excluded.file, last_seen_at = excluded.last_seen_at",
          test.project_id, test.job_name, test.key, test.classname, test.name, test.file, test.sha,
          test.job_id, test.last_seen_at, test.last_seen_at);
}

}  // namespace slipway::server
