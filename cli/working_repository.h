// What rules ask of repositories, for `lint` and `plan`: git answers for the checkout around the
// pipeline file, with what is not committed yet, and the include map for other projects.
//
// Blocks on git and the network. Used by one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/include_map.h"
#include "pipeline/repository_facts.h"

namespace slipway::cli {

class WorkingRepository final : public pipeline::RepositoryFacts {
 public:
  // All must outlive it.
  WorkingRepository(std::filesystem::path root, const IncludeMap& map, MappedIncludes& includes)
      : root_(std::move(root)), map_(map), includes_(includes) {}

  // A branch that is not here is looked for at `origin`.
  Result<std::vector<std::string>> changed_since(const std::string& ref) override;
  // A project that the map does not have is one that is not known, not one that is not there.
  Result<std::vector<std::string>> paths_of(const std::string& project,
                                            const std::string& ref) override;

 private:
  std::filesystem::path root_;
  const IncludeMap& map_;
  MappedIncludes& includes_;
};

}  // namespace slipway::cli
