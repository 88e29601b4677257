#include "server/reports/findings_formats.h"

#include <algorithm>

namespace slipway::server {

using nlohmann::json;

namespace {

std::string code_climate_severity(const std::string& word) {
  if (word == "blocker") return "critical";
  if (word == "critical") return "high";
  if (word == "major") return "medium";
  if (word == "minor") return "low";
  return word;
}

bool add_issue(const json& issue, FindingSink& sink) {
  if (!issue.is_object()) {
    sink.complain("an issue that is no object is left out");
    return true;
  }
  // Engines also write measurements.
  if (const auto type = text_at(issue, {"type"}); !type.empty() && type != "issue") return true;
  Finding finding;
  finding.severity = severity_named(code_climate_severity(text_at(issue, {"severity"})))
                         .value_or(Severity::Unknown);
  finding.name = text_at(issue, {"description"});
  finding.description = text_at(issue, {"content", "body"});
  finding.file = text_at(issue, {"location", "path"});
  finding.line = number_at(issue, {"location", "lines", "begin"});
  if (finding.line == 0) finding.line = number_at(issue, {"location", "lines", "begin", "line"});
  if (finding.line == 0)
    finding.line = number_at(issue, {"location", "positions", "begin", "line"});
  finding.identifiers = {text_at(issue, {"check_name"})};
  finding.scanner = text_at(issue, {"engine_name"});
  return sink.add(std::move(finding), {text_at(issue, {"fingerprint"}), "", ""});
}

}  // namespace

const json& value_at(const json& value, std::initializer_list<std::string_view> keys) {
  static const json nothing;
  const json* at = &value;
  for (const std::string_view key : keys) {
    if (!at->is_object()) return nothing;
    const auto found = at->find(key);
    if (found == at->end()) return nothing;
    at = &*found;
  }
  return *at;
}

std::string text_at(const json& value, std::initializer_list<std::string_view> keys) {
  const json& found = value_at(value, keys);
  return found.is_string() ? found.get<std::string>() : "";
}

long long number_at(const json& value, std::initializer_list<std::string_view> keys) {
  const json& found = value_at(value, keys);
  return found.is_number_integer() ? found.get<long long>() : 0;
}

JsonItemLimits item_limits(const FindingsReportLimits& limits) {
  return {limits.depth, limits.values};
}

FindingsFormat format_of(std::string_view text, const FindingsReportLimits& limits) {
  const auto shape = pick_items(text, {}, item_limits(limits));
  if (shape.array) return FindingsFormat::CodeClimate;
  const auto has = [&](std::string_view key) {
    return std::find(shape.arrays.begin(), shape.arrays.end(), key) != shape.arrays.end();
  };
  if (has("vulnerabilities")) return FindingsFormat::Gitlab;
  return has("runs") ? FindingsFormat::Sarif : FindingsFormat::None;
}

JsonOutcome read_code_climate(std::string_view text, FindingSink& sink) {
  const std::vector<JsonPick> picks{
      {{"*"}, [&](const auto& /*places*/, const json& issue) { return add_issue(issue, sink); }}};
  return pick_items(text, picks, item_limits(sink.limits()));
}

}  // namespace slipway::server
