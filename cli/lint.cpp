#include "cli/lint.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>

#include "base/files.h"
#include "cli/commands.h"
#include "cli/include_lock.h"
#include "cli/local_project.h"
#include "pipeline/lint/warnings.h"
#include "pipeline/unsupported.h"
#include "pipeline/work.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = pipeline::kLargestPipelineFile;

// Whether `path` stays below the directory that it is looked up in.
bool stays_below(const fs::path& path) {
  return path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
}

// The texts of a file and of what it includes, each read once.
class IncludedTexts {
 public:
  explicit IncludedTexts(const ReadFile& read)
      : read_(read), tree_(WorkingTree::around(read.path)) {}

  std::string_view of(const std::string& file) {
    if (file == read_.path) return read_.text;
    const auto [at, is_new] = texts_.try_emplace(file);
    if (is_new) at->second = tree_.local_file(file).value_or("");
    return at->second;
  }

 private:
  const ReadFile& read_;
  WorkingTree tree_;
  std::map<std::string, std::string> texts_;
};

struct LintOptions {
  std::string path;
  bool json = false;
  bool sarif = false;
  bool github = false;
  bool strict = false;
  bool lock = false;
  IncludeOptions includes;

  [[nodiscard]] Form form() const {
    if (json) return Form::Json;
    if (sarif) return Form::Sarif;
    return github ? Form::Github : Form::Text;
  }
};

// Warnings are shown by --strict only, but for those that say that GitLab refuses the file or that
// this server does not do what it asks for.
void settle_warnings(ReadFile& read, bool strict) {
  pipeline::Diagnostics& findings = read.outcome.findings;
  if (read.outcome.configuration)
    pipeline::warn_of_what_does_not_run(*read.outcome.configuration, findings);
  if (!strict) {
    std::erase_if(findings, pipeline::lint::is_for_strict);
    sort_by_place(findings);
    return;
  }
  IncludedTexts texts{read};
  auto more = pipeline::lint::warnings(read.outcome,
                                       [&](const std::string& file) { return texts.of(file); });
  std::move(more.begin(), more.end(), std::back_inserter(findings));
  sort_by_place(findings);
  limit_findings(findings);
}

int lint(const LintOptions& options) {
  auto project = LocalProject::around(options.path, options.includes);
  if (!project) {
    print_error(project.error());
    return kUsage;
  }
  const pipeline::Work work;  // of reading and warnings together
  auto read = read_pipeline_file(**project, options.includes);
  if (!read) {
    print_error(read.error());
    return kUsage;
  }
  if (options.lock) {
    auto changed = check_include_lock((*project)->tree().root(), read->outcome.included);
    if (!changed) {
      print_error(changed.error());
      return kUsage;
    }
    auto& findings = read->outcome.findings;
    findings.insert(findings.end(), changed->begin(), changed->end());
  }
  settle_warnings(*read, options.strict);
  const int code = show_findings(read->outcome.findings, *read, options.form());
  return options.strict && !read->outcome.findings.empty() ? kInvalid : code;
}

Result<std::string> standard_input() {
  std::string text;
  std::array<char, 65536> piece{};
  while (text.size() <= kLargestFile) {
    std::cin.read(piece.data(), piece.size());
    if (std::cin.gcount() == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(std::cin.gcount()));
  }
  return fail(ErrorKind::TooLarge,
              "standard input has more than " + std::to_string(kLargestFile) + " bytes");
}

Result<std::vector<pipeline::InputValue>> input_values(const std::vector<std::string>& written) {
  std::vector<pipeline::InputValue> inputs;
  for (const std::string& input : written) {
    const auto equals = input.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(ErrorKind::InvalidInput, "--input must be NAME=VALUE, not '" + input + "'");
    inputs.push_back({input.substr(0, equals), input.substr(equals + 1), false});
  }
  return inputs;
}

// Components of the server that will run the file are written with its name, which is not known.
void name_this_server(pipeline::Variables& variables) {
  for (const char* name : {"CI_SERVER_FQDN", "CI_SERVER_HOST"}) {
    const pipeline::Variable* known = pipeline::find_variable(variables, name);
    if (known == nullptr || known->value.empty())
      pipeline::set_variable(variables, {name, kThisServer});
  }
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

Result<ReadFile> read_pipeline_file(LocalProject& project, const IncludeOptions& includes,
                                    pipeline::ReadOptions given) {
  const fs::path& file = project.file();
  auto text = project.is_standard_input() ? standard_input() : read_file(file, kLargestFile);
  if (!text && text.error().kind == ErrorKind::TooLarge)
    return ReadFile{
        file.string(), {}, pipeline::refuse_large_file(file.string(), project.limits())};
  if (!text) return std::move(text).error();
  auto inputs = input_values(includes.inputs);
  if (!inputs) return std::move(inputs).error();
  given.inputs = std::move(*inputs);
  given.repository = &project.repository();
  given.limits = project.limits();
  name_this_server(given.variables);
  auto outcome = pipeline::read_configuration(*text, file.string(), project.includes(), given);
  return ReadFile{file.string(), std::move(*text), std::move(outcome)};
}

std::string rendered(const pipeline::Diagnostics& findings, const ReadFile& read,
                     const pipeline::Paint& paint) {
  IncludedTexts texts{read};
  return findings_as_text(
      findings, [&](const std::string& file) { return texts.of(file); }, paint);
}

int show_findings(const pipeline::Diagnostics& findings, const ReadFile& read, Form form) {
  switch (form) {
    case Form::Text: std::cout << rendered(findings, read, terminal_paint()); break;
    case Form::Json: std::cout << findings_as_json(findings); break;
    case Form::Sarif: std::cout << findings_as_sarif(findings); break;
    case Form::Github: std::cout << findings_as_github(findings); break;
  }
  return has_errors(findings) ? kInvalid : kOk;
}

CLI::App* add_lint_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("lint", "check a pipeline file and print every problem found");
  command->footer(
      "Exit code 0: valid, 2: the file cannot be read, 3: it has errors\n"
      "(with --strict: or warnings).\n\nExamples:\n"
      "  slipway lint\n"
      "  slipway lint path/to/project\n"
      "  git show HEAD:.gitlab-ci.yml | slipway lint -\n"
      "  slipway lint .gitlab-ci.yml --strict --json\n"
      "  slipway lint --include-map group/templates=../templates --lock");
  const auto options = std::make_shared<LintOptions>();
  command->add_option("path", options->path,
                      "file, directory with a .gitlab-ci.yml (.), or - for standard input");
  auto* forms = command->add_option_group("form", "how findings are printed");
  forms->add_flag("--json", options->json, "as JSON");
  forms->add_flag("--sarif", options->sarif, "as SARIF 2.1.0, for code scanning");
  forms->add_flag("--github", options->github, "as annotations in GitHub's workflow log");
  forms->require_option(0, 1);
  command->add_flag("--strict", options->strict,
                    "also warn of what is legal and almost surely wrong; exit 3 on any warning");
  command->add_flag("--lock", options->lock,
                    "keep the hashes of files from elsewhere in .slipway/include.lock, and find "
                    "those that changed");
  add_include_options(*command, options->includes);
  command->callback([options, &exit_code] { exit_code = lint(*options); });
  return command;
}

}  // namespace slipway::cli
