#include "server/http/test_report_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "server/http/common.h"
#include "server/http/json.h"
#include "server/store/compared_branch.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr int kHistory = 50;
constexpr UnixMillis kRecent = 14LL * 24 * 3600 * 1000;  // GitLab counts failures of 14 days

using Counts = std::unordered_map<std::string, long long>;

json null_if_empty(const std::string& text) {
  return text.empty() ? json{} : json(text);
}

json suite_view(const TestSuiteRow& suite) {
  return {{"name", suite.job_name},       {"total_time", suite.seconds},
          {"total_count", suite.total()}, {"success_count", suite.success},
          {"failed_count", suite.failed}, {"skipped_count", suite.skipped},
          {"error_count", suite.errors},  {"suite_error", null_if_empty(suite.error)}};
}

TestSuiteRow sum_of(const std::vector<TestSuiteRow>& suites) {
  TestSuiteRow sum;
  for (const TestSuiteRow& suite : suites) {
    sum.success += suite.success;
    sum.failed += suite.failed;
    sum.errors += suite.errors;
    sum.skipped += suite.skipped;
    sum.seconds += suite.seconds;
  }
  return sum;
}

json case_view(const TestCase& test) {
  return {{"status", to_string(test.status)},
          {"name", test.name},
          {"classname", test.classname},
          {"file", null_if_empty(test.file)},
          {"execution_time", test.seconds},
          {"system_output", null_if_empty(test.output)},
          {"attachment", null_if_empty(test.attachment)},
          {"key", test.key},
          {"flaky", test.flaky}};
}

struct Found {
  std::string job_name;
  JobId job_id;
  TestCase test;
};

json found_view(const Found& found) {
  auto view = case_view(found.test);
  view["job"] = {{"id", found.job_id.value}, {"name", found.job_name}};
  return view;
}

json compared_view(const std::vector<ComparedTest>& tests) {
  auto list = json::array();
  for (const ComparedTest& compared : tests)
    list.push_back({{"status", compared.test.status},
                    {"name", compared.test.name},
                    {"classname", compared.test.classname},
                    {"key", compared.test.key},
                    {"job", {{"id", compared.job_id.value}, {"name", compared.job_name}}}});
  return list;
}

// What a reader wants to see first.
int urgency(const TestCase& test) {
  switch (test.status) {
    case TestStatus::Failed:
    case TestStatus::Error: return 0;
    case TestStatus::Success: return test.flaky ? 1 : 3;
    case TestStatus::Skipped: return 2;
  }
  return 3;
}

std::string query_text(const Call& call, std::string_view name) {
  return std::string{call.request.query_value(name).value_or("")};
}

struct Wanted {
  std::string status;  // "" means any, below too
  std::string job_name;
  std::string search;  // in lower case

  [[nodiscard]] bool takes(const TestCase& test) const {
    if (status == "flaky" ? !test.flaky : !status.empty() && status != to_string(test.status))
      return false;
    return search.empty() ||
           lower_ascii(test.classname + '\n' + test.name + '\n' + test.file).find(search) !=
               std::string::npos;
  }
};

}  // namespace

Result<Response> TestReportRoutes::report(const Call& call) {
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const auto suites = database_.read()->tests.of_pipeline(pipeline->id);
  const std::string& branch = call.project->default_branch;
  auto views = json::array();
  for (const TestSuiteRow& suite : suites) {
    auto view = suite_view(suite);
    auto cases = json::array();
    const auto counted = database_.read()->tests.failure_counts(suite.project_id, suite.job_name,
                                                                branch, clock_.now() - kRecent);
    const Counts recent{counted.begin(), counted.end()};
    const auto report = results_.report_of(suite.job_id);
    if (!report && suite.error.empty()) view["suite_error"] = report.error().message;
    if (report)
      for (const TestCase& test : report->cases) {
        auto item = case_view(test);
        const auto count = recent.find(test.key);
        item["stack_trace"] = nullptr;
        item["recent_failures"] = nullptr;
        if (count != recent.end())
          item["recent_failures"] = {{"count", count->second}, {"base_branch", branch}};
        cases.push_back(std::move(item));
      }
    view["test_cases"] = std::move(cases);
    views.push_back(std::move(view));
  }
  auto body = suite_view(sum_of(suites));
  body.erase("name");
  body.erase("suite_error");
  body["test_suites"] = std::move(views);
  return json_response(200, body);
}

Result<Response> TestReportRoutes::summary(const Call& call) {
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const auto suites = database_.read()->tests.of_pipeline(pipeline->id);
  const auto sum = sum_of(suites);
  auto views = json::array();
  for (const TestSuiteRow& suite : suites) {
    views.push_back(suite_view(suite));
    views.back()["build_ids"] = {suite.job_id.value};
  }
  return json_response(200, {{"total",
                              {{"time", sum.seconds},
                               {"count", sum.total()},
                               {"success", sum.success},
                               {"failed", sum.failed},
                               {"skipped", sum.skipped},
                               {"error", sum.errors},
                               {"suite_error", nullptr}}},
                             {"test_suites", std::move(views)}});
}

Result<Response> TestReportRoutes::tests(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto status =
      query_word(call.request, "status", {"success", "failed", "error", "skipped", "flaky"});
  if (!status) return status.error();
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const Wanted wanted{*status, query_text(call, "job"), lower_ascii(query_text(call, "search"))};
  std::vector<Found> found;
  for (const TestSuiteRow& suite : database_.read()->tests.of_pipeline(pipeline->id)) {
    if (!wanted.job_name.empty() && wanted.job_name != suite.job_name) continue;
    auto report = results_.report_of(suite.job_id);
    if (!report) continue;  // the summary says why
    for (TestCase& test : report->cases)
      if (wanted.takes(test)) found.push_back({suite.job_name, suite.job_id, std::move(test)});
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& left, const Found& right) {
    return urgency(left.test) < urgency(right.test);
  });
  const auto [first, last] = page_bounds(*page, found.size());
  auto items = json::array();
  for (auto i = first; i < last; ++i) items.push_back(found_view(found[i]));
  return list_response(items, *page, static_cast<long long>(found.size()));
}

Result<Response> TestReportRoutes::comparison(const Call& call) {
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const std::string branch = compared_branch(*call.project, *pipeline);
  const auto compared = results_.compare(*pipeline, branch);
  return json_response(
      200, {{"base",
             compared.base ? json{{"pipeline_id", compared.base->value}, {"ref", branch}} : json{}},
            {"new_failures", compared_view(compared.new_failures)},
            {"existing_failures", compared_view(compared.existing_failures)},
            {"fixed", compared_view(compared.fixed)}});
}

Result<Response> TestReportRoutes::history(const Call& call) {
  const auto job = query_text(call, "job");
  const auto key = query_text(call, "key");
  if (job.empty() || key.empty())
    return fail(ErrorKind::InvalidInput, "job and key are missing")
        .with_hint("both stand in each test of a pipeline's tests");
  auto items = json::array();
  for (const auto& row : database_.read()->tests.history(call.project->id, job, key, kHistory))
    items.push_back({{"job_id", row.job_id.value},
                     {"pipeline_id", row.pipeline_id.value},
                     {"ref", row.ref},
                     {"sha", row.sha},
                     {"status", row.status.empty() ? "not_failed" : row.status},
                     {"created_at", to_rfc3339(row.created_at)}});
  return json_response(200, items);
}

Result<Response> TestReportRoutes::flaky(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto rows = database_.read()->tests.flaky(call.project->id, *page);
  auto items = json::array();
  for (const FlakyTestRow& row : rows.rows)
    items.push_back({{"job", {{"id", row.job_id.value}, {"name", row.job_name}}},
                     {"key", row.key},
                     {"classname", row.classname},
                     {"name", row.name},
                     {"file", null_if_empty(row.file)},
                     {"sha", row.sha},
                     {"count", row.times},
                     {"first_seen_at", to_rfc3339(row.first_seen_at)},
                     {"last_seen_at", to_rfc3339(row.last_seen_at)}});
  return list_response(items, *page, rows.total);
}

}  // namespace slipway::server::http
