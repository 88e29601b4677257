// Where included projects, components, templates and remote files are for `lint` and `plan`: what
// `.slipway/config.yml` and --include-map say.
//
//   include_map:
//     group/ci-templates: ../ci-templates              a checkout, a bare repository or a directory
//     gitlab.example.com/parts: https://git.example.com/parts      all projects below
//     template: ci/templates                           files named *.gitlab-ci.yml
//
// The longest key that matches counts, and a flag beats the file. Mirrors and remote files are kept
// below $XDG_CACHE_HOME/slipway/includes.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/include_options.h"
#include "cli/lint.h"
#include "server/git/mirror.h"
#include "server/includes/repository_includes.h"

namespace slipway::cli {

class IncludeMap {
 public:
  // Reads `.slipway/config.yml` below `root`, if there is one, and the flags. InvalidInput names
  // what is wrong.
  static Result<IncludeMap> read(const std::filesystem::path& root,
                                 const std::vector<std::string>& flags);

  // A URL, or an absolute path.
  [[nodiscard]] std::optional<std::string> place_of(const pipeline::IncludeProject& project) const;
  [[nodiscard]] std::optional<std::string> templates() const;

 private:
  Result<void> add(const std::string& key, const std::string& place,
                   const std::filesystem::path& base, const std::string& where);

  std::map<std::string, std::string> places_;
};

// The host that $CI_SERVER_FQDN has where no server is known: such addresses are looked up by the
// project's path alone.
inline constexpr const char* kThisServer = "this-server.invalid";

class MappedIncludes final : public server::RepositoryIncludes {
 public:
  // `mirrors` and the map must outlive it.
  MappedIncludes(WorkingTree tree, const IncludeMap& map, server::Mirrors& mirrors,
                 std::filesystem::path cache, bool allow_private);

  Result<std::string> local_file(const std::string& path) override;
  Result<std::vector<std::string>> local_paths() override;
  Result<std::string> project_commit(const pipeline::IncludeProject& project,
                                     const std::string& ref) override;
  Result<std::string> project_file(const pipeline::IncludeProject& project,
                                   const std::string& commit, const std::string& path) override;
  Result<std::vector<std::string>> project_paths(const pipeline::IncludeProject& project,
                                                 const std::string& commit) override;
  Result<std::vector<std::string>> project_tags(const pipeline::IncludeProject& project) override;
  // A copy that is less than a minute old counts; an older one when the server cannot be reached.
  Result<std::string> remote_file(const std::string& url) override;
  Result<std::string> template_file(const std::string& name) override;

 private:
  // The directory of a project that is no repository: it stands for every reference.
  [[nodiscard]] std::optional<WorkingTree> directory_of(
      const pipeline::IncludeProject& project) const;

  WorkingTree tree_;
  const IncludeMap& map_;
  std::filesystem::path cache_;
};

// $XDG_CACHE_HOME/slipway/includes, or the same below ~/.cache.
std::filesystem::path include_cache();

}  // namespace slipway::cli
