#include "cli/local_project.h"

#include "cli/project_config.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultFile = ".gitlab-ci.yml";
constexpr const char* kStandardInput = "<stdin>";

}  // namespace

LocalProject::LocalProject(fs::path file, bool piped, IncludeMap map, pipeline::Limits limits,
                           bool allow_private)
    : file_(std::move(file)),
      piped_(piped),
      tree_(WorkingTree::around(file_)),
      map_(std::move(map)),
      limits_(limits),
      mirrors_(include_cache() / "repositories", server::LocalRepositories::allowed),
      includes_(tree_, map_, mirrors_, include_cache(), allow_private),
      repository_(tree_.root(), map_, includes_) {}

Result<std::unique_ptr<LocalProject>> LocalProject::around(const std::string& path,
                                                           const IncludeOptions& options) {
  const bool piped = path == "-";
  fs::path file = path.empty() ? fs::path{kDefaultFile} : fs::path{piped ? kStandardInput : path};
  std::error_code ignored;
  if (!piped && fs::is_directory(file, ignored)) file /= kDefaultFile;
  const fs::path root = WorkingTree::around(file).root();
  const auto config = read_project_config(root);
  if (!config) return config.error();
  const auto limits = limits_of(*config, options);
  if (!limits) return limits.error();
  auto map = IncludeMap::read(root, options.map);
  if (!map) return std::move(map).error();
  return std::unique_ptr<LocalProject>{
      new LocalProject{std::move(file), piped, std::move(*map), *limits, options.allow_private}};
}

}  // namespace slipway::cli
