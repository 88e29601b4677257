// Included files from other repositories, through mirrors of them, and from the web.
//
// One instance serves the reading of one pipeline file: what takes longer than 30 seconds in all is
// refused. Blocks on git and the network. Used by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/public_fetch.h"
#include "pipeline/configuration.h"
#include "server/git/mirror.h"

namespace slipway::server {

// Where an included project is, and which mirror it is kept in.
struct IncludedRepository {
  std::int64_t mirror = 0;
  std::string url;
  std::string default_branch;  // "" asks the repository
};

// NotFound, with a hint how to change that, for a project that is not known or may not be read.
using LocateProject =
    std::function<Result<IncludedRepository>(const pipeline::IncludeProject& project)>;

// Leaves local files to who derives from it.
class RepositoryIncludes : public pipeline::IncludeSource {
 public:
  RepositoryIncludes(Mirrors& mirrors, LocateProject locate, PublicFetchOptions remote)
      : mirrors_(mirrors), locate_(std::move(locate)), remote_(remote) {}

  Result<std::string> project_commit(const pipeline::IncludeProject& project,
                                     const std::string& ref) override;
  Result<std::string> project_file(const pipeline::IncludeProject& project,
                                   const std::string& commit, const std::string& path) override;
  Result<std::vector<std::string>> project_paths(const pipeline::IncludeProject& project,
                                                 const std::string& commit) override;
  Result<std::vector<std::string>> project_tags(const pipeline::IncludeProject& project) override;
  Result<std::string> remote_file(const std::string& url) override;

 private:
  [[nodiscard]] std::chrono::milliseconds time_left() const;

  Mirrors& mirrors_;
  LocateProject locate_;
  PublicFetchOptions remote_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace slipway::server
