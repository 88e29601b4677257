#include <algorithm>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

const std::vector<std::string> kUploadWhens{"on_success", "on_failure", "always"};
const std::vector<std::string> kReports{"accessibility",
                                        "annotations",
                                        "api_fuzzing",
                                        "browser_performance",
                                        "cluster_image_scanning",
                                        "codequality",
                                        "container_scanning",
                                        "coverage_fuzzing",
                                        "coverage_report",
                                        "cyclonedx",
                                        "dast",
                                        "dependency_scanning",
                                        "dotenv",
                                        "junit",
                                        "license_scanning",
                                        "load_performance",
                                        "lsif",
                                        "metrics",
                                        "performance",
                                        "repository_xray",
                                        "requirements",
                                        "sarif",
                                        "sast",
                                        "secret_detection",
                                        "terraform"};

UploadWhen upload_when(const Node& node, const Place& place) {
  const auto word = word_in(node, kUploadWhens, place);
  if (word == "on_failure") return UploadWhen::OnFailure;
  if (word == "always") return UploadWhen::Always;
  return UploadWhen::OnSuccess;
}

std::vector<std::string> paths_of(const Node& node, std::string_view key, const Place& place) {
  const Node* paths = value_of(node, key);
  if (paths == nullptr) return {};
  return strings_in(*paths, place.below(std::string{key})).value_or(std::vector<std::string>{});
}

// The coverage report names its format, which is the type under which it is uploaded.
void read_coverage_report(const Node& node, const Place& place, std::vector<Report>& reports) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash", "give coverage_format and path");
    return;
  }
  check_keys(node, {"coverage_format", "path"}, place);
  const Node* format = value_of(node, "coverage_format");
  const Node* path = value_of(node, "path");
  if (format == nullptr || path == nullptr) {
    place.error(node.at, "config missing required keys: coverage_format, path");
    return;
  }
  const auto type = word_in(*format, {"cobertura", "jacoco"}, place.below("coverage_format"));
  const auto file = string_in(*path, place.below("path"));
  if (type && file) reports.push_back({*type, {*file}});
}

std::vector<Report> read_reports(const Node& node, const Place& place) {
  std::vector<Report> reports;
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash");
    return reports;
  }
  check_keys(node, kReports, place);
  for (const Entry& entry : node.entries) {
    if (entry.value->kind == Kind::Null ||
        std::find(kReports.begin(), kReports.end(), entry.key) == kReports.end())
      continue;
    if (entry.key == "coverage_report")
      read_coverage_report(*entry.value, place.below(entry.key), reports);
    else if (auto paths = strings_in(*entry.value, place.below(entry.key), Single::accepted))
      reports.push_back({entry.key, std::move(*paths)});
  }
  return reports;
}

void read_cache_key(const Node& node, const Place& place, Cache& cache) {
  if (node.kind == Kind::String) {
    cache.key = node.text;
    return;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "should be a hash, a string or a symbol");
    return;
  }
  check_keys(node, {"files", "prefix"}, place);
  cache.key_files = paths_of(node, "files", place);
  if (const Node* prefix = value_of(node, "prefix"))
    cache.key_prefix = string_in(*prefix, place.below("prefix")).value_or("");
  if (value_of(node, "files") == nullptr)
    place.error(node.at, "config missing required keys: files");
  else if (cache.key_files.size() > 2)
    place.error(node.at, "files config has too many items (maximum is 2)");
}

std::optional<Cache> read_cache(const Node& node, const Place& place) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash or an array of hashes");
    return std::nullopt;
  }
  check_keys(node, {"key", "paths", "untracked", "policy", "when", "unprotect", "fallback_keys"},
             place);
  Cache cache;
  if (const Node* key = value_of(node, "key")) read_cache_key(*key, place.below("key"), cache);
  cache.paths = paths_of(node, "paths", place);
  cache.fallback_keys = paths_of(node, "fallback_keys", place);
  if (const Node* untracked = value_of(node, "untracked"))
    cache.untracked = bool_in(*untracked, place.below("untracked")).value_or(false);
  if (const Node* when = value_of(node, "when"))
    cache.when = upload_when(*when, place.below("when"));
  if (const Node* policy = value_of(node, "policy")) {
    const bool expands = policy->is_scalar() && !policy->text.empty() && policy->text[0] == '$';
    if (expands)
      cache.policy = policy->text;
    else if (auto word = word_in(*policy, {"pull-push", "push", "pull"}, place.below("policy")))
      cache.policy = *word;
  }
  return cache;
}

}  // namespace

std::optional<Artifacts> read_artifacts(const Node& node, const Place& place) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash");
    return std::nullopt;
  }
  check_keys(node,
             {"paths", "exclude", "expire_in", "expose_as", "name", "public", "access", "reports",
              "untracked", "when"},
             place);
  Artifacts artifacts;
  artifacts.paths = paths_of(node, "paths", place);
  artifacts.exclude = paths_of(node, "exclude", place);
  if (const Node* name = value_of(node, "name"))
    artifacts.name = string_in(*name, place.below("name")).value_or("");
  if (const Node* untracked = value_of(node, "untracked"))
    artifacts.untracked = bool_in(*untracked, place.below("untracked")).value_or(false);
  if (const Node* when = value_of(node, "when"))
    artifacts.when = upload_when(*when, place.below("when"));
  if (const Node* reports = value_of(node, "reports"))
    artifacts.reports = read_reports(*reports, place.below("reports"));
  if (const Node* expire = value_of(node, "expire_in")) {
    const bool never = expire->is_scalar() && expire->text == "never";
    if (never || duration_in(*expire, place.below("expire_in"))) artifacts.expire_in = expire->text;
  }
  return artifacts;
}

std::optional<std::vector<Cache>> read_caches(const Node& node, const Place& place) {
  std::vector<Cache> caches;
  if (node.kind == Kind::Mapping && node.entries.empty()) return caches;
  if (node.kind != Kind::Sequence) {
    auto cache = read_cache(node, place);
    if (!cache) return std::nullopt;
    caches.push_back(std::move(*cache));
    return caches;
  }
  if (node.items.size() > 4) place.error(node.at, "config no more than 4 caches can be created");
  for (const NodePtr& item : node.items)
    if (auto cache = read_cache(*item, place)) caches.push_back(std::move(*cache));
  return caches;
}

}  // namespace slipway::pipeline::keywords
