#include "cli/lint.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/commands.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultFile = ".gitlab-ci.yml";
constexpr std::size_t kLargestFile = std::size_t{2} << 20U;

// Whether `path` stays below the directory that it is looked up in.
bool stays_below(const fs::path& path) {
  return path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
}

nlohmann::json as_json(const pipeline::Diagnostics& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const pipeline::Diagnostic& finding : findings)
    list.push_back({{"severity", to_string(finding.severity)},
                    {"code", finding.code},
                    {"message", finding.message},
                    {"file", finding.span.file},
                    {"line", finding.span.line},
                    {"column", finding.span.column},
                    {"hint", finding.hint}});
  return {{"valid", !has_errors(findings)}, {"findings", std::move(list)}};
}

int lint(const std::string& path, bool json) {
  const auto read = read_pipeline_file(path);
  if (!read) {
    print_error(read.error());
    return kUsage;
  }
  return show_findings(read->outcome.findings, *read, json);
}

}  // namespace

WorkingTree WorkingTree::around(const fs::path& file) {
  std::error_code ignored;
  const fs::path directory = fs::absolute(file, ignored).lexically_normal().parent_path();
  for (fs::path at = directory; at.has_relative_path(); at = at.parent_path())
    if (fs::exists(at / ".git", ignored)) return WorkingTree{at};
  return WorkingTree{directory};
}

// A symbolic link may lead to another file of the project, not out of it.
Result<std::string> WorkingTree::local_file(const std::string& path) {
  std::error_code error;
  const fs::path root = fs::canonical(root_, error);
  const fs::path file = fs::weakly_canonical(root / path, error);
  if (error || fs::path{path}.is_absolute() || !stays_below(file.lexically_relative(root)))
    return fail(ErrorKind::NotFound, "'" + path + "' is not in the project");
  return read_file(file, kLargestFile);
}

Result<std::vector<std::string>> WorkingTree::local_paths() {
  std::vector<std::string> paths;
  std::error_code error;
  fs::recursive_directory_iterator at{root_, fs::directory_options::skip_permission_denied, error};
  for (; !error && at != fs::recursive_directory_iterator{}; at.increment(error)) {
    if (at->path().filename() == ".git")
      at.disable_recursion_pending();
    else if (at->is_regular_file(error))
      paths.push_back(at->path().lexically_relative(root_).generic_string());
  }
  if (error) return errno_error("cannot list " + root_.string(), error.value());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<ReadFile> read_pipeline_file(const std::string& path, const pipeline::Variables& variables) {
  fs::path file = path.empty() ? fs::path{kDefaultFile} : fs::path{path};
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) file /= kDefaultFile;
  auto text = read_file(file, kLargestFile);
  if (!text) return std::move(text).error();
  WorkingTree tree = WorkingTree::around(file);
  auto outcome = pipeline::read_configuration(*text, file.string(), tree, variables);
  return ReadFile{file.string(), std::move(*text), std::move(outcome)};
}

std::string rendered(const pipeline::Diagnostics& findings, const ReadFile& read) {
  WorkingTree tree = WorkingTree::around(read.path);
  std::string shown;
  for (const pipeline::Diagnostic& finding : findings) {
    const bool own = finding.span.file == read.path;
    shown += render(finding, own ? read.text : tree.local_file(finding.span.file).value_or(""));
  }
  return shown;
}

int show_findings(const pipeline::Diagnostics& findings, const ReadFile& read, bool json) {
  if (json)
    std::cout << as_json(findings).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
              << "\n";
  else
    std::cout << rendered(findings, read);
  return has_errors(findings) ? kInvalid : kOk;
}

CLI::App* add_lint_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("lint", "check a pipeline file and print every problem found");
  command->footer(
      "Exit code 0: valid, 2: the file cannot be read, 3: it has errors.\n\nExamples:\n"
      "  slipway lint\n"
      "  slipway lint path/to/project\n"
      "  slipway lint .gitlab-ci.yml --json");
  const auto path = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("path", *path, "file, or directory with a .gitlab-ci.yml (.)");
  command->add_flag("--json", *json, "print JSON");
  command->callback([path, json, &exit_code] { exit_code = lint(*path, *json); });
  return command;
}

}  // namespace slipway::cli
