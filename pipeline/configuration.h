// A whole pipeline file, read and checked: the text of one file (and of those that it includes) in,
// typed jobs and findings out.
//
// Pure. Included files come through IncludeSource. All findings are reported in one go, in the
// order of the file; with an error among them there is no configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/diagnostic.h"
#include "pipeline/job.h"

namespace slipway::pipeline {

struct Workflow {
  std::string name;
  std::optional<std::vector<Rule>> rules;  // only if, changes, exists, when and variables are set
  std::string auto_cancel_on_new_commit = "conservative";
  std::string auto_cancel_on_job_failure = "none";
};

struct Configuration {
  std::vector<std::string> stages;  // .pre first, .post last
  Variables variables;              // global
  Workflow workflow;
  std::vector<Job> jobs;  // visible jobs in the order of the file, parallel ones expanded
};

// What an include may ask of the world; implemented by the caller.
class IncludeSource {
 public:
  virtual ~IncludeSource() = default;
  // A file of the same repository at the same commit; `path` has no leading slash.
  // NotFound when it does not exist there.
  virtual Result<std::string> local_file(const std::string& path) = 0;
  // All paths of that commit, for wildcards.
  virtual Result<std::vector<std::string>> local_paths() = 0;
};

struct ReadOutcome {
  std::optional<Configuration> configuration;
  Diagnostics findings;
};

// `variables` are those that includes may use (predefined and of the project).
ReadOutcome read_configuration(std::string_view text, const std::string& file,
                               IncludeSource& source, const Variables& variables = {});

}  // namespace slipway::pipeline
