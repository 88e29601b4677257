// Whether the rules of an include let its file in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/read/source.h"
#include "pipeline/rules/glob.h"

namespace slipway::pipeline::read {

// What rules are held against. `paths` lists the files of the commit that the including file comes
// from; nullopt when they cannot be known. Null `repository`: what asks for it holds.
struct IncludeFacts {
  const Variables& variables;
  const std::optional<std::vector<std::string>>& changed_paths;
  std::function<std::optional<std::vector<std::string>>()> paths;
  RepositoryFacts* repository;
  rules::GlobWork& glob_work;  // of all includes together
};

// The first rule that matches decides, and none means no. nullopt after an error.
std::optional<bool> include_rules_hold(const Node& rules, const IncludeFacts& facts,
                                       Diagnostics& findings);

}  // namespace slipway::pipeline::read
