// Variables of the settings: of a server, of the groups of a project, and of the project itself,
// each for some environments. Which of them a job has, and which one counts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/job.h"

namespace slipway::pipeline {

struct SettingVariable {
  // One of the project's, for all environments, unless it is said otherwise.
  SettingVariable(Variable what) : variable(std::move(what)) {}

  Variable variable;
  std::string environment_scope = "*";  // '*' stands for anything, also for slashes
  int level = 0;  // a higher one overrides: the instance's, the groups' inwards, the project's
  std::int64_t id = 0;  // what its keeper knows it by
};
using SettingVariables = std::vector<SettingVariable>;

// '*' in `pattern` stands for any text, an empty one too; everything else for itself.
bool matches_wildcard(std::string_view pattern, std::string_view text);

// Those that count for a job with that environment, one of each name. "" is a job, a workflow or an
// include without one: it has those for all environments alone. A higher level overrides, then the
// scope that names the environment, then a longer one. Source: Ci::HasEnvironmentScope and
// Gitlab::Ci::Variables::Builder.
std::vector<const SettingVariable*> chosen(const SettingVariables& all,
                                           std::string_view environment);
Variables variables_for(const SettingVariables& all, std::string_view environment);

}  // namespace slipway::pipeline
