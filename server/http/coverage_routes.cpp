#include "server/http/coverage_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/http/common.h"
#include "server/http/json.h"
#include "server/store/compared_branch.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

json count_view(const LineCount& count) {
  return {{"covered", count.covered}, {"total", count.total}, {"percent", count.percent()}};
}

json file_view(const CoveredFile& file) {
  auto view = count_view(file.lines);
  view["path"] = file.path;
  view["before"] = file.before ? json(file.before->percent()) : json{};
  return view;
}

json base_view(const CoverageOverview& overview, const std::string& branch) {
  if (!overview.base) return {};
  auto view = count_view(overview.base_sum);
  view["pipeline_id"] = overview.base->value;
  view["ref"] = branch;
  return view;
}

// Lines that follow each other in the report and did not run: what stands between, like a comment,
// does not part them.
json uncovered_view(const CoveredLines& lines) {
  auto ranges = json::array();
  bool open = false;
  for (const LineHits& line : lines) {
    if (line.hits == 0 && open) ranges.back()["to"] = line.number;
    if (line.hits == 0 && !open) ranges.push_back({{"from", line.number}, {"to", line.number}});
    open = line.hits == 0;
  }
  return ranges;
}

// Files come by path, which stays the order of those that are alike.
void sort_files(std::vector<CoveredFile>& files, const std::string& order) {
  if (order == "path") return;
  if (order == "change") {
    std::stable_sort(files.begin(), files.end(), [](const auto& left, const auto& right) {
      return left.change() < right.change();
    });
    return;
  }
  std::stable_sort(files.begin(), files.end(), [](const auto& left, const auto& right) {
    const double one = left.lines.percent();
    const double other = right.lines.percent();
    return one != other ? one < other : left.lines.total > right.lines.total;
  });
}

}  // namespace

Result<Response> CoverageRoutes::files(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto order = query_word(call.request, "sort", {"worst", "change", "path"});
  if (!order) return order.error();
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  auto found = results_.overview(*pipeline, compared_branch(*call.project, *pipeline)).files;
  const std::string search = lower_ascii(call.request.query_value("search").value_or(""));
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](const CoveredFile& file) {
                               return lower_ascii(file.path).find(search) == std::string::npos;
                             }),
              found.end());
  sort_files(found, *order);
  const auto [first, last] = page_bounds(*page, found.size());
  auto items = json::array();
  for (auto i = first; i < last; ++i) items.push_back(file_view(found[i]));
  return list_response(items, *page, static_cast<long long>(found.size()));
}

Result<Response> CoverageRoutes::summary(const Call& call) {
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const std::string branch = compared_branch(*call.project, *pipeline);
  const auto overview = results_.overview(*pipeline, branch);
  auto reports = json::array();
  for (const CoverageReportRow& report : overview.reports)
    reports.push_back({{"job", {{"id", report.job_id.value}, {"name", report.job_name}}},
                       {"files", report.files},
                       {"error", report.error.empty() ? json{} : json(report.error)}});
  auto view = count_view(overview.sum);
  view["files"] = overview.files.size();
  view["reports"] = std::move(reports);
  view["base"] = base_view(overview, branch);
  return json_response(200, view);
}

Result<Response> CoverageRoutes::lines(const Call& call) {
  const std::string path{call.request.query_value("path").value_or("")};
  if (path.empty())
    return fail(ErrorKind::InvalidInput, "path is missing")
        .with_hint("give a path as coverage_files lists it");
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const auto lines = results_.lines(pipeline->id, path);
  if (!lines) return lines.error();
  auto items = json::array();
  for (const LineHits& line : *lines)
    items.push_back({{"number", line.number}, {"hits", line.hits}});
  auto view = count_view(
      {static_cast<long long>(covered_of(*lines)), static_cast<long long>(lines->size())});
  view["path"] = path;
  view["lines"] = std::move(items);
  view["uncovered"] = uncovered_view(*lines);
  return json_response(200, view);
}

}  // namespace slipway::server::http
