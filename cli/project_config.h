// What `.slipway/config.yml` of a project says to `lint`, `plan` and `run`: where included projects
// are (cli/include_map.h), and how much a pipeline file may ask for (pipeline/limits.h).
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "cli/include_options.h"
#include "pipeline/limits.h"
#include "pipeline/read/source.h"

namespace slipway::cli {

struct ProjectConfig {
  std::string file;
  pipeline::read::NodePtr tree;  // a mapping; an empty one when there is no file
};

// InvalidInput names what is wrong: no YAML, or a key that is none.
Result<ProjectConfig> read_project_config(const std::filesystem::path& root);

// A flag beats the environment, which beats the file.
Result<pipeline::Limits> limits_of(const ProjectConfig& config, const IncludeOptions& options);

}  // namespace slipway::cli
