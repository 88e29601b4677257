#include <algorithm>
#include <cctype>

#include "pipeline/keywords/families.h"
#include "pipeline/keywords/vocabulary.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kLongestExposed = 100;
const std::vector<std::string> kUploadWhens{"on_success", "on_failure", "always"};
// GitLab has the first two.
const std::vector<std::string> kCoverageFormats{"cobertura", "jacoco", "lcov"};
const std::vector<std::string> kAccess{"none", "developer", "all", "maintainer"};

std::vector<std::string> paths_of(const Node& node, const char* key, const Place& place) {
  const Node* paths = value_of(node, key);
  if (paths == nullptr) return {};
  return strings_in(*paths, place.attribute(key)).value_or(std::vector<std::string>{});
}

// The coverage report names its format, which is the type under which it is uploaded.
void read_coverage_report(const Node& node, const Place& place, std::vector<Report>& reports) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash", "give coverage_format and path");
    return;
  }
  check_family(node, "coverage_report", place);
  const Node* format = value_of(node, "coverage_format");
  const std::string file = required_text_under(node, "path", place);
  if (format == nullptr) {
    place.attribute("coverage_format").error(node.at, "can't be blank");
    return;
  }
  const bool known = format->is_scalar() &&
                     std::find(kCoverageFormats.begin(), kCoverageFormats.end(), format->text) !=
                         kCoverageFormats.end();
  if (!known)
    place.attribute("coverage_format")
        .error(format->at, "must be one of supported formats: cobertura, jacoco, lcov.");
  else if (!file.empty())
    reports.push_back({format->text, {file}});
}

std::vector<Report> read_reports(const Node& node, const Place& place) {
  std::vector<Report> reports;
  if (!check_family(node, "reports", place)) return reports;
  const auto& known = keywords_of("reports");
  for (const Entry& entry : node.entries) {
    if (entry.value->kind == Kind::Null ||
        std::find(known.begin(), known.end(), entry.key) == known.end())
      continue;
    if (entry.key == "coverage_report")
      read_coverage_report(*entry.value, place.below(entry.key), reports);
    else if (auto paths = strings_in(*entry.value, place.attribute(entry.key), Single::accepted))
      reports.push_back({entry.key, std::move(*paths)});
  }
  return reports;
}

// A link on the page of a merge request, so its name and its paths are plain.
void read_exposed(const Node& node, const Place& place, Artifacts& artifacts) {
  const Node* name = value_of(node, "expose_as");
  if (name == nullptr) return;
  const Place at = place.attribute("expose_as");
  artifacts.expose_as = string_in(*name, at).value_or("");
  const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  const bool plain =
      !artifacts.expose_as.empty() && is_word(static_cast<unsigned char>(artifacts.expose_as[0])) &&
      std::all_of(artifacts.expose_as.begin(), artifacts.expose_as.end(),
                  [&](unsigned char c) { return is_word(c) || c == '-' || c == ' '; });
  if (name->is_scalar() && !plain)
    at.error(name->at, "can contain only letters, digits, '-', '_' and spaces");
  if (artifacts.expose_as.size() > kLongestExposed)
    at.error(name->at, "is too long (maximum is 100 characters)");
  if (artifacts.paths.empty()) place.attribute("paths").error(name->at, "can't be blank");
  for (const std::string& path : artifacts.paths)
    if (path.find('*') != std::string::npos) {
      place.attribute("paths").error(value_of(node, "paths")->at,
                                     "can't contain '*' when used with 'expose_as'");
      break;
    }
}

void read_access(const Node& node, const Place& place, Artifacts& artifacts) {
  check_exclusive(node, "access", "public", place);
  if (const Node* is_public = value_of(node, "public"))
    artifacts.access =
        bool_in(*is_public, place.attribute("public")).value_or(true) ? "all" : "developer";
  if (const Node* access = value_of(node, "access"))
    artifacts.access = word_in(*access, kAccess, place.attribute("access")).value_or("all");
}

}  // namespace

UploadWhen upload_when_in(const Node& node, const Place& place) {
  const auto word = word_in(node, kUploadWhens, place);
  if (word == "on_failure") return UploadWhen::OnFailure;
  if (word == "always") return UploadWhen::Always;
  return UploadWhen::OnSuccess;
}

std::optional<Artifacts> read_artifacts(const Node& node, const Place& place) {
  if (!check_family(node, "artifacts", place)) return std::nullopt;
  Artifacts artifacts;
  artifacts.paths = paths_of(node, "paths", place);
  artifacts.exclude = paths_of(node, "exclude", place);
  artifacts.name = text_under(node, "name", place);
  if (const Node* untracked = value_of(node, "untracked"))
    artifacts.untracked = bool_in(*untracked, place.attribute("untracked")).value_or(false);
  if (const Node* when = value_of(node, "when"))
    artifacts.when = upload_when_in(*when, place.attribute("when"));
  if (const Node* reports = value_of(node, "reports"))
    artifacts.reports = read_reports(*reports, place.below("reports"));
  if (const Node* expire = value_of(node, "expire_in"))
    artifacts.expire_in = expiry_in(*expire, place.attribute("expire_in")).value_or("");
  read_exposed(node, place, artifacts);
  read_access(node, place, artifacts);
  return artifacts;
}

}  // namespace slipway::pipeline::keywords
