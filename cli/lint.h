// `slipway lint`: every problem of a pipeline file, with file, line and column.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/include_options.h"
#include "cli/lint_output.h"
#include "pipeline/configuration.h"

namespace CLI {
class App;
}

namespace slipway::cli {

// Files that an include may name: those of a project as they are now, committed or not.
class WorkingTree : public pipeline::IncludeSource {
 public:
  // The git checkout that holds `file`, or else just its directory.
  static WorkingTree around(const std::filesystem::path& file);
  explicit WorkingTree(std::filesystem::path root) : root_(std::move(root)) {}
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  Result<std::string> local_file(const std::string& path) override;
  Result<std::vector<std::string>> local_paths() override;

 private:
  std::filesystem::path root_;
};

class LocalProject;

// A pipeline file with its text and what reading it found.
struct ReadFile {
  std::string path;
  std::string text;
  pipeline::ReadOutcome outcome;
};

// An Error when the project's pipeline file cannot be read; what is wrong inside it is a finding.
// `given` is what includes may use.
Result<ReadFile> read_pipeline_file(LocalProject& project, const IncludeOptions& includes = {},
                                    pipeline::ReadOptions given = {});

// The findings as a compiler shows them; the lines of included files are looked up beside `read`.
std::string rendered(const pipeline::Diagnostics& findings, const ReadFile& read,
                     const pipeline::Paint& paint = {});

// The findings on standard output; the exit code that follows from the errors among them.
int show_findings(const pipeline::Diagnostics& findings, const ReadFile& read, Form form);

CLI::App* add_lint_command(CLI::App& app, int& exit_code);

}  // namespace slipway::cli
