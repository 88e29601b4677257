#include "cli/lint_output.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

namespace slipway::cli {
namespace {

using nlohmann::json;
using pipeline::Diagnostic;
using pipeline::Diagnostics;

bool is_set(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value != nullptr && *value != '\0';
}

// A path as the relative reference of a URI, byte by byte.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string uri;
  for (const char c : path)
    uri += kPlain.find(c) != std::string_view::npos
               ? std::string(1, c)
               : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return uri.rfind('/', 0) == 0 ? "file://" + uri : uri;
}

json sarif_result(const Diagnostic& finding) {
  std::string text = finding.message;
  if (!finding.hint.empty()) text += "\nHint: " + finding.hint;
  json location{{"artifactLocation", {{"uri", uri_of(finding.span.file)}}}};
  if (finding.span.line > 0)
    location["region"] = {{"startLine", finding.span.line},
                          {"startColumn", std::max(finding.span.column, 1)}};
  return {{"ruleId", finding.code},
          {"level", to_string(finding.severity)},
          {"message", {{"text", std::move(text)}}},
          {"locations", json::array({{{"physicalLocation", std::move(location)}}})}};
}

// GitHub's own escaping: of a message, and of a property, which also ends at a comma or a colon.
std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool separates = property && (c == ':' || c == ',');
    if (c == '%' || c == '\r' || c == '\n' || separates)
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

}  // namespace

pipeline::Paint terminal_paint() {
  const char* terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): one thread
  const bool dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
  if (dumb || is_set("NO_COLOR") || ::isatty(STDOUT_FILENO) == 0) return {};
  return {"\033[1m", "\033[1;31m", "\033[1;33m", "\033[1;32m", "\033[36m", "\033[0m"};
}

std::string findings_as_text(const Diagnostics& findings, const SourceText& source,
                             const pipeline::Paint& paint) {
  std::string shown;
  for (const Diagnostic& finding : findings)
    shown += render(finding, source(finding.span.file), paint);
  return shown;
}

json findings_json(const Diagnostics& findings) {
  json list = json::array();
  for (const Diagnostic& finding : findings)
    list.push_back({{"severity", to_string(finding.severity)},
                    {"code", finding.code},
                    {"message", finding.message},
                    {"file", finding.span.file},
                    {"line", finding.span.line},
                    {"column", finding.span.column},
                    {"hint", finding.hint}});
  return list;
}

std::string dumped(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string findings_as_json(const Diagnostics& findings) {
  return dumped({{"valid", !has_errors(findings)}, {"findings", findings_json(findings)}});
}

std::string findings_as_sarif(const Diagnostics& findings) {
  std::set<std::string> codes;
  json results = json::array();
  for (const Diagnostic& finding : findings) {
    codes.insert(finding.code);
    results.push_back(sarif_result(finding));
  }
  json rules = json::array();
  for (const std::string& code : codes) rules.push_back({{"id", code}});
  const json driver{{"name", "slipway"}, {"version", SLIPWAY_VERSION}, {"rules", std::move(rules)}};
  return dumped({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                 {"version", "2.1.0"},
                 {"runs", json::array({{{"tool", {{"driver", driver}}},
                                        {"columnKind", "unicodeCodePoints"},
                                        {"results", std::move(results)}}})}});
}

std::string findings_as_github(const Diagnostics& findings) {
  std::string shown;
  for (const Diagnostic& finding : findings) {
    std::string place = "file=" + escaped(finding.span.file, true);
    if (finding.span.line > 0)
      place += fmt::format(",line={},col={}", finding.span.line, std::max(finding.span.column, 1));
    std::string message = finding.message;
    if (!finding.hint.empty()) message += "\nhint: " + finding.hint;
    shown += fmt::format("::{} {},title={}::{}\n", to_string(finding.severity), place,
                         escaped(finding.code, true), escaped(message, false));
  }
  return shown;
}

}  // namespace slipway::cli
