#include "cli/include_map.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/crypto.h"
#include "base/files.h"
#include "cli/project_config.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTemplates = "template";
constexpr const char* kWayOut =
    "say where it is with --include-map {}=PATH_OR_URL, or under include_map in "
    ".slipway/config.yml";
constexpr std::size_t kLargestFile = pipeline::kLargestPipelineFile;
constexpr auto kFresh = std::chrono::minutes{1};
const std::string kDirectoryCommit = "working tree";

std::string hint_for(const std::string& key) {
  std::string hint = kWayOut;
  return hint.replace(hint.find("{}"), 2, key);
}

bool is_path(const std::string& place) {
  return place.find("://") == std::string::npos &&
         (place.find(':') == std::string::npos || place.front() == '/' || place.front() == '.');
}

bool is_repository(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path / ".git", ignored) ||
         (fs::exists(path / "HEAD", ignored) && fs::is_directory(path / "objects", ignored));
}

std::int64_t mirror_of(const std::string& url) {
  return std::stoll(sha256_hex(url).substr(0, 15), nullptr, 16);
}

server::LocateProject located_by(const IncludeMap& map) {
  return [&map](const pipeline::IncludeProject& project) -> Result<server::IncludedRepository> {
    const auto place = map.place_of(project);
    if (!place)
      return fail(ErrorKind::NotFound, "it is not known where the project is")
          .with_hint(hint_for(project.host.empty() || project.host == kThisServer
                                  ? project.path
                                  : project.host + "/" + project.path));
    if (is_path(*place) && !fs::exists(*place))
      return fail(ErrorKind::NotFound, "there is no '" + *place + "'")
          .with_hint("there is nothing at " + *place + ", where the include map leads");
    return server::IncludedRepository{mirror_of(*place), *place, ""};
  };
}

}  // namespace

void add_include_options(CLI::App& command, IncludeOptions& options) {
  command
      .add_option("--include-map", options.map,
                  "PROJECT=PATH_OR_URL, where an included project or group is; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--input", options.inputs, "NAME=VALUE, an input of the file; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  command.add_flag("--allow-private-includes", options.allow_private,
                   "let remote includes reach loopback, private and link-local addresses");
  pipeline::Limits unused;
  for (const Setting& row : pipeline::limit_settings(unused))
    command
        .add_option_function<std::string>(
            flag_name(row),
            [&options, name = row.name](const std::string& text) { options.limits[name] = text; },
            row.help + " (" + row.default_value + ")")
        ->type_name("")
        ->group("Limits, also as SLIPWAY_… variables and in .slipway/config.yml");
}

fs::path include_cache() {
  const char* cache = std::getenv("XDG_CACHE_HOME");  // NOLINT(concurrency-mt-unsafe): at start
  const char* home = std::getenv("HOME");             // NOLINT(concurrency-mt-unsafe): at start
  if (cache != nullptr && *cache == '/') return fs::path{cache} / "slipway" / "includes";
  return (home != nullptr ? fs::path{home} / ".cache" : fs::temp_directory_path()) / "slipway" /
         "includes";
}

Result<void> IncludeMap::add(const std::string& key, const std::string& place, const fs::path& base,
                             const std::string& where) {
  if (key.empty() || place.empty() || key.front() == '/' || key.back() == '/')
    return fail(ErrorKind::InvalidInput, where + " must be PROJECT=PATH_OR_URL")
        .with_hint("as in group/ci-templates=../ci-templates");
  std::error_code failed;
  places_[key] =
      is_path(place) ? fs::absolute(base / place, failed).lexically_normal().string() : place;
  return {};
}

Result<IncludeMap> IncludeMap::read(const fs::path& root, const std::vector<std::string>& flags) {
  IncludeMap map;
  const auto config = read_project_config(root);
  if (!config) return config.error();
  if (const auto* places = config->tree->find("include_map"))
    for (const auto& entry : (*places)->entries)
      if (auto added = map.add(entry.key, entry.value->text, root,
                               config->file + ":" + std::to_string(entry.at.line));
          !added)
        return added.error();
  for (const std::string& flag : flags) {
    const auto equals = std::min(flag.find('='), flag.size());
    const std::string place = equals < flag.size() ? flag.substr(equals + 1) : "";
    if (auto added = map.add(flag.substr(0, equals), place, fs::current_path(),
                             "--include-map '" + flag + "'");
        !added)
      return added.error();
  }
  return map;
}

std::optional<std::string> IncludeMap::place_of(const pipeline::IncludeProject& project) const {
  // A pipeline file may not lead out of what the map names.
  if (("/" + project.path + "/").find("/../") != std::string::npos) return std::nullopt;
  std::vector<std::string> names;
  if (!project.host.empty() && project.host != kThisServer)
    names.push_back(project.host + "/" + project.path);
  names.push_back(project.path);
  for (const std::string& name : names)
    for (std::size_t end = name.size(); end != std::string::npos && end > 0;
         end = name.rfind('/', end - 1)) {
      const auto known = places_.find(name.substr(0, end));
      if (known != places_.end() && known->first != kTemplates)
        return known->second + name.substr(end);
    }
  return std::nullopt;
}

std::optional<std::string> IncludeMap::templates() const {
  const auto known = places_.find(kTemplates);
  return known == places_.end() ? std::nullopt : std::optional{known->second};
}

MappedIncludes::MappedIncludes(WorkingTree tree, const IncludeMap& map, server::Mirrors& mirrors,
                               fs::path cache, bool allow_private)
    : RepositoryIncludes(mirrors, located_by(map), {allow_private}),
      tree_(std::move(tree)),
      map_(map),
      cache_(std::move(cache)) {}

Result<std::string> MappedIncludes::local_file(const std::string& path) {
  return tree_.local_file(path);
}

Result<std::vector<std::string>> MappedIncludes::local_paths() {
  return tree_.local_paths();
}

std::optional<WorkingTree> MappedIncludes::directory_of(
    const pipeline::IncludeProject& project) const {
  const auto place = map_.place_of(project);
  if (!place || !is_path(*place) || is_repository(*place) || !fs::is_directory(*place))
    return std::nullopt;
  return WorkingTree{*place};
}

Result<std::string> MappedIncludes::project_commit(const pipeline::IncludeProject& project,
                                                   const std::string& ref) {
  if (directory_of(project)) return kDirectoryCommit;
  return RepositoryIncludes::project_commit(project, ref);
}

Result<std::string> MappedIncludes::project_file(const pipeline::IncludeProject& project,
                                                 const std::string& commit,
                                                 const std::string& path) {
  if (auto directory = directory_of(project)) return directory->local_file(path);
  return RepositoryIncludes::project_file(project, commit, path);
}

Result<std::vector<std::string>> MappedIncludes::project_paths(
    const pipeline::IncludeProject& project, const std::string& commit) {
  if (auto directory = directory_of(project)) return directory->local_paths();
  return RepositoryIncludes::project_paths(project, commit);
}

// A directory has no tags; one name makes every range resolve to it.
Result<std::vector<std::string>> MappedIncludes::project_tags(
    const pipeline::IncludeProject& project) {
  if (directory_of(project)) return std::vector<std::string>{"0.0.0"};
  return RepositoryIncludes::project_tags(project);
}

Result<std::string> MappedIncludes::remote_file(const std::string& url) {
  const fs::path kept = cache_ / "remote" / sha256_hex(url);
  // The copy begins with the hash of the rest, so that half a file is none.
  std::optional<std::string> copy;
  if (auto text = read_file(kept, kLargestFile + 65); text && text->size() > 64)
    if (sha256_hex(text->substr(65)) == text->substr(0, 64)) copy = text->substr(65);
  std::error_code unknown;
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(kept, unknown);
  if (copy && !unknown && age < kFresh) return *copy;
  auto fetched = RepositoryIncludes::remote_file(url);
  if (fetched) {
    std::error_code ignored;
    fs::create_directories(kept.parent_path(), ignored);
    // Without the copy it is only slower the next time.
    (void)replace_file(kept, sha256_hex(*fetched) + "\n" + *fetched);
    return fetched;
  }
  if (!copy || fetched.error().kind != ErrorKind::Unavailable) return fetched;
  std::cerr << "slipway: " << url << " cannot be reached; an older copy is used\n";
  return *copy;
}

Result<std::string> MappedIncludes::template_file(const std::string& name) {
  const auto directory = map_.templates();
  if (!directory)
    return fail(ErrorKind::NotFound, "there are no templates")
        .with_hint("no templates are shipped: " + hint_for(kTemplates) +
                   ", a directory with the templates that you use");
  auto text = WorkingTree{*directory}.local_file(name);
  if (text) return text;
  return fail(ErrorKind::NotFound, text.error().message)
      .with_hint("there is no " + name + " in " + *directory);
}

}  // namespace slipway::cli
