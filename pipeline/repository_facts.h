// What rules ask of repositories beyond the paths that a trigger brings; implemented by the caller,
// asked only when a rule needs it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::pipeline {

class RepositoryFacts {
 public:
  virtual ~RepositoryFacts() = default;
  // The paths that differ between the commit and its merge base with `ref`: a branch, a tag or a
  // commit. InvalidInput: there is no such reference. Any other Error: it cannot be known, and then
  // the clause holds.
  virtual Result<std::vector<std::string>> changed_since(const std::string& ref) = 0;
  // All paths of another project at `ref`; "HEAD" is its default branch. NotFound: there is no such
  // project, or it may not be read. InvalidInput: it has no such reference. Any other Error: it
  // cannot be known.
  virtual Result<std::vector<std::string>> paths_of(const std::string& project,
                                                    const std::string& ref) = 0;
};

}  // namespace slipway::pipeline
