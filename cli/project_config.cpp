#include "cli/project_config.h"

#include <algorithm>

#include "base/files.h"
#include "cli/setting_flags.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using pipeline::read::Kind;

constexpr const char* kConfigFile = ".slipway/config.yml";
constexpr std::size_t kLargestFile = std::size_t{1} << 20U;

Result<void> check_keys(const pipeline::read::Node& tree) {
  pipeline::Limits unused;
  std::vector<std::string> known{"include_map"};
  for (const Setting& row : pipeline::limit_settings(unused)) known.push_back(row.name);
  for (const auto& entry : tree.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::string near = pipeline::nearest(entry.key, known);
    return fail(ErrorKind::InvalidInput, "unknown setting '" + entry.key + "'")
        .at(entry.at)
        .with_hint(near.empty() ? "" : "did you mean '" + near + "'?");
  }
  return {};
}

}  // namespace

Result<ProjectConfig> read_project_config(const fs::path& root) {
  ProjectConfig config{(root / kConfigFile).string(), pipeline::read::make_mapping({}, {})};
  const auto text = read_file(config.file, kLargestFile);
  if (!text && text.error().kind == ErrorKind::NotFound) return config;
  if (!text) return text.error();
  pipeline::Diagnostics findings;
  const auto tree = pipeline::read::parse(*text, config.file, findings);
  if (!tree) return fail(ErrorKind::InvalidInput, config.file + ": " + findings.front().message);
  if (tree->kind == Kind::Null) return config;
  if (tree->kind != Kind::Mapping)
    return fail(ErrorKind::InvalidInput, "expected 'name: value' lines").at({config.file, 1, 1});
  if (auto known = check_keys(*tree); !known) return known.error();
  config.tree = tree;
  return config;
}

Result<pipeline::Limits> limits_of(const ProjectConfig& config, const IncludeOptions& options) {
  pipeline::Limits limits;
  const auto table = pipeline::limit_settings(limits);
  SettingSources sources = sources_without_file({"", options.limits});
  for (const Setting& row : table)
    if (const auto* entry = config.tree->find_entry(row.name))
      sources.file_values[row.name] = {entry->value->text, entry->at};
  if (const auto applied = apply_settings(table, sources); !applied) return applied.error();
  return limits;
}

}  // namespace slipway::cli
