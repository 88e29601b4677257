#include "server/http/findings_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/http/common.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

const std::vector<std::string> kSeverities{"critical", "high", "medium", "low", "info", "unknown"};
const std::vector<std::string> kStates{"new", "known", "fixed"};

json null_if_empty(const std::string& text) {
  return text.empty() ? json{} : json(text);
}

json finding_view(const ComparedFinding& finding, const FoundTexts& texts) {
  const FoundRow& row = finding.row;
  return {{"fingerprint", row.fingerprint},
          {"kind", row.kind},
          {"state", to_string(finding.state)},
          {"severity", to_string(finding.severity())},
          {"name", row.name},
          {"description", null_if_empty(texts.description)},
          {"solution", null_if_empty(texts.solution)},
          {"file", null_if_empty(row.file)},
          {"line", row.line > 0 ? json(row.line) : json{}},
          {"subject", null_if_empty(row.subject)},
          {"identifiers", row.identifiers},
          {"scanner", null_if_empty(row.scanner)},
          {"job_id", row.job_id.value}};
}

json report_view(const FindingsReportRow& report) {
  return {{"job", {{"id", report.job_id.value}, {"name", report.job_name}}},
          {"kind", report.kind},
          {"findings", report.findings},
          {"left_out", report.left_out},
          {"error", null_if_empty(report.error)}};
}

json base_view(const FindingsBase& base) {
  return {{"kind", base.kind},
          {"ref", base.branch},
          {"pipeline_id", base.pipeline ? json(base.pipeline->value) : json{}}};
}

struct FindingsFilter {
  std::string severity;  // "" for any, below too
  std::string state;
  std::string kind;
  std::string search;  // in small letters

  [[nodiscard]] bool takes(const ComparedFinding& finding) const {
    return (severity.empty() || severity == to_string(finding.severity())) &&
           (state.empty() || state == to_string(finding.state)) &&
           (kind.empty() || kind == finding.row.kind) && (search.empty() || holds(finding.row));
  }

 private:
  [[nodiscard]] bool holds(const FoundRow& row) const {
    const auto in = [&](const std::string& text) {
      return lower_ascii(text).find(search) != std::string::npos;
    };
    return in(row.name) || in(row.file) || in(row.subject) || in(row.scanner) ||
           std::any_of(row.identifiers.begin(), row.identifiers.end(), in);
  }
};

Result<FindingsFilter> filter_of(const Request& request) {
  const auto severity = query_word(request, "severity", kSeverities);
  if (!severity) return severity.error();
  const auto state = query_word(request, "state", kStates);
  if (!state) return state.error();
  return FindingsFilter{*severity, *state, query_text(request, "kind"),
                        lower_ascii(query_text(request, "search"))};
}

}  // namespace

Result<Response> FindingsRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto filter = filter_of(call.request);
  if (!filter) return filter.error();
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  auto found = results_.overview(*call.project, *pipeline).findings;
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](const ComparedFinding& one) { return !filter->takes(one); }),
              found.end());
  const auto [first, last] = page_bounds(*page, found.size());
  auto read = database_.read();
  auto items = json::array();
  for (auto i = first; i < last; ++i)
    items.push_back(finding_view(found[i], read->findings.texts(found[i].row)));
  return list_response(items, *page, static_cast<long long>(found.size()));
}

Result<Response> FindingsRoutes::summary(const Call& call) {
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const auto overview = results_.overview(*call.project, *pipeline);
  json counts;
  for (const std::string& state : kStates)
    for (const std::string& severity : kSeverities) counts[state][severity] = 0;
  for (const ComparedFinding& finding : overview.findings) {
    json& count =
        counts[std::string{to_string(finding.state)}][std::string{to_string(finding.severity())}];
    count = count.get<long long>() + 1;
  }
  auto reports = json::array();
  for (const FindingsReportRow& report : overview.reports) reports.push_back(report_view(report));
  auto bases = json::array();
  for (const FindingsBase& base : overview.bases) bases.push_back(base_view(base));
  return json_response(200, {{"counts", std::move(counts)},
                             {"reports", std::move(reports)},
                             {"bases", std::move(bases)}});
}

}  // namespace slipway::server::http
