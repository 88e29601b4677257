#include "cli/local_project.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultFile = ".gitlab-ci.yml";
constexpr const char* kStandardInput = "<stdin>";

}  // namespace

LocalProject::LocalProject(fs::path file, bool piped, IncludeMap map, bool allow_private)
    : file_(std::move(file)),
      piped_(piped),
      tree_(WorkingTree::around(file_)),
      map_(std::move(map)),
      mirrors_(include_cache() / "repositories", server::LocalRepositories::allowed),
      includes_(tree_, map_, mirrors_, include_cache(), allow_private),
      repository_(tree_.root(), map_, includes_) {}

Result<std::unique_ptr<LocalProject>> LocalProject::around(const std::string& path,
                                                           const IncludeOptions& options) {
  const bool piped = path == "-";
  fs::path file = path.empty() ? fs::path{kDefaultFile} : fs::path{piped ? kStandardInput : path};
  std::error_code ignored;
  if (!piped && fs::is_directory(file, ignored)) file /= kDefaultFile;
  auto map = IncludeMap::read(WorkingTree::around(file).root(), options.map);
  if (!map) return std::move(map).error();
  return std::unique_ptr<LocalProject>{
      new LocalProject{std::move(file), piped, std::move(*map), options.allow_private}};
}

}  // namespace slipway::cli
