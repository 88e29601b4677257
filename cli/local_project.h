// All that a pipeline file on this machine can reach: the files around it, the projects of the
// include map, and its git repository.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/include_map.h"
#include "cli/working_repository.h"
#include "server/git/mirror.h"

namespace slipway::cli {

class LocalProject {
 public:
  // `path` is a file, a directory with a `.gitlab-ci.yml`, or "-" for standard input. InvalidInput
  // when the include map or a limit is not right; whether the file is there is not looked at.
  static Result<std::unique_ptr<LocalProject>> around(const std::string& path,
                                                      const IncludeOptions& options);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] bool is_standard_input() const { return piped_; }
  [[nodiscard]] const WorkingTree& tree() const { return tree_; }
  [[nodiscard]] const pipeline::Limits& limits() const { return limits_; }
  pipeline::IncludeSource& includes() { return includes_; }
  pipeline::RepositoryFacts& repository() { return repository_; }

 private:
  LocalProject(std::filesystem::path file, bool piped, IncludeMap map, pipeline::Limits limits,
               bool allow_private);

  std::filesystem::path file_;
  bool piped_;
  WorkingTree tree_;
  IncludeMap map_;
  pipeline::Limits limits_;
  server::Mirrors mirrors_;
  MappedIncludes includes_;
  WorkingRepository repository_;
};

}  // namespace slipway::cli
