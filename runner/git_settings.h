// What a job's variables say about how its sources are got, checked as a whole before git runs.
//
// A value that is not understood is an Error (InvalidInput) which names the variable and what was
// expected. Flags are taken from lists of known ones: git has some that name programs to run.
// Source: GitLab's "Configuring runner behavior".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::runner {

using VariableMap = std::map<std::string, std::string>;

enum class GitStrategy : std::uint8_t {
  Fetch,  // from what the last job left
  Clone,  // into an empty tree
  None,   // the tree stays as it is
  Empty,  // an empty tree
};

enum class Submodules : std::uint8_t { None, Normal, Recursive };

struct GitSettings {
  GitStrategy strategy = GitStrategy::Fetch;
  bool checkout = true;
  bool clean = true;
  std::vector<std::string> clean_flags;
  std::vector<std::string> fetch_flags;
  bool lfs = true;
  Submodules submodules = Submodules::None;
  long long submodule_depth = 0;  // 0: everything
  std::vector<std::string> submodule_paths;
  std::vector<std::string> submodule_flags;
  bool submodules_over_https = false;
};

// `depth` is the job's, for submodules that name none of their own.
Result<GitSettings> git_settings(const VariableMap& variables, long long depth);

// GET_SOURCES_ATTEMPTS and its like: 1 to 10, `otherwise` when it is not set.
Result<int> attempts(const VariableMap& variables, const std::string& name, int otherwise = 1);

}  // namespace slipway::runner
