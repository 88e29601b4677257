#include <fmt/format.h>

#include <algorithm>

#include "server/reports/findings_formats.h"

namespace slipway::server {

using nlohmann::json;

namespace {

std::string joined_words(std::initializer_list<std::string> words) {
  std::string text;
  for (const std::string& word : words)
    if (!word.empty()) text += (text.empty() ? "" : " ") + word;
  return text;
}

// "registry/app:1.2" → "registry/app", also of "registry/app@sha256:…".
std::string without_tag(std::string image) {
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  const auto slash = image.rfind('/');
  const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  return tagged ? image.substr(0, colon) : image;
}

// What stands beside a file, for people and for the fingerprint.
struct Subject {
  std::string text;
  std::string stable;
};

Subject subject_of(const json& location) {
  const auto package = text_at(location, {"dependency", "package", "name"});
  const auto version = text_at(location, {"dependency", "version"});
  const auto image = text_at(location, {"image"});
  const auto request = joined_words({text_at(location, {"method"}),
                                     text_at(location, {"hostname"}) + text_at(location, {"path"}),
                                     text_at(location, {"param"})});
  const auto crash =
      joined_words({text_at(location, {"crash_type"}), text_at(location, {"crash_state"})});
  if (!package.empty() || !image.empty()) {
    const std::string in = image.empty() ? "" : (package.empty() ? image : "(" + image + ")");
    return {joined_words({package, version, in}), package + " " + without_tag(image)};
  }
  // Of a class or function in a file the file says enough.
  if (!text_at(location, {"file"}).empty()) return {};
  return crash.empty() ? Subject{request, request} : Subject{crash, crash};
}

// The place in its function, which analyzers track; other signatures hold the line.
std::string signature_of(const json& vulnerability) {
  std::string best;
  const json& items = value_at(vulnerability, {"tracking", "items"});
  if (!items.is_array() || items.empty()) return "";
  const json& signatures = value_at(items.front(), {"signatures"});
  if (!signatures.is_array()) return "";
  for (const json& signature : signatures) {
    const auto algorithm = text_at(signature, {"algorithm"});
    if (algorithm == "scope_offset_compressed") return text_at(signature, {"value"});
    if (algorithm == "scope_offset") best = text_at(signature, {"value"});
  }
  return best;
}

std::string first_of(std::initializer_list<std::string> texts) {
  const auto at = std::find_if(texts.begin(), texts.end(),
                               [](const std::string& text) { return !text.empty(); });
  return at == texts.end() ? "" : *at;
}

// What scanners of secrets found is never read: `raw_source_code_extract` is the secret.
bool add_vulnerability(const json& vulnerability, FindingSink& sink) {
  if (!vulnerability.is_object()) {
    sink.complain("a vulnerability that is no object is left out");
    return true;
  }
  Finding finding;
  finding.severity =
      severity_named(text_at(vulnerability, {"severity"})).value_or(Severity::Unknown);
  finding.name = first_of({text_at(vulnerability, {"name"}), text_at(vulnerability, {"message"})});
  finding.description = text_at(vulnerability, {"description"});
  finding.solution = text_at(vulnerability, {"solution"});
  finding.scanner = first_of(
      {text_at(vulnerability, {"scanner", "name"}), text_at(vulnerability, {"scanner", "id"})});
  const json& identifiers = value_at(vulnerability, {"identifiers"});
  if (identifiers.is_array())
    for (const json& identifier : identifiers)
      finding.identifiers.push_back(
          first_of({text_at(identifier, {"name"}), text_at(identifier, {"value"})}));
  const json& location = value_at(vulnerability, {"location"});
  finding.file = text_at(location, {"file"});
  finding.line = number_at(location, {"start_line"});
  Subject subject = subject_of(location);
  finding.subject = std::move(subject.text);
  return sink.add(std::move(finding), {"", subject.stable, signature_of(vulnerability)});
}

void look_at_scan(const json& scan, FindingSink& sink) {
  if (text_at(scan, {"status"}) == "failure")
    sink.complain("the scanner itself says that its scan failed");
}

}  // namespace

JsonOutcome read_gitlab_findings(std::string_view text, FindingSink& sink) {
  std::string scanner;
  const std::vector<JsonPick> picks{
      {{"vulnerabilities", "*"},
       [&](const auto& /*places*/, const json& one) { return add_vulnerability(one, sink); }},
      {{"scan"},
       [&](const auto& /*places*/, const json& scan) {
         scanner = first_of({text_at(scan, {"scanner", "name"}), text_at(scan, {"scanner", "id"})});
         look_at_scan(scan, sink);
         return true;
       }},
  };
  auto outcome = pick_items(text, picks, item_limits(sink.limits()));
  sink.set_scanner(scanner);
  return outcome;
}

}  // namespace slipway::server
