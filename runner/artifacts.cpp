#include "runner/artifacts.h"

#include <algorithm>
#include <set>

#include "base/process.h"
#include "pipeline/rules/glob.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

bool is_glob(const std::string& pattern) {
  return pattern.find_first_of("*?[{") != std::string::npos;
}

// Relative to the tree and clean; "" for what lies outside of it.
std::string inside(const fs::path& tree, const std::string& path) {
  fs::path relative = path;
  if (relative.is_absolute()) relative = relative.lexically_relative(tree);
  relative = relative.lexically_normal();
  std::string text = relative.generic_string();
  while (!text.empty() && text.back() == '/') text.pop_back();
  if (text == ".." || text.rfind("../", 0) == 0) return {};
  return text.empty() ? "." : text;
}

// Whether a directory on the way to `relative` is a link.
bool leads_through_link(const fs::path& tree, const std::string& relative) {
  fs::path at = tree;
  const fs::path path = relative;
  for (const fs::path& part : path.parent_path()) {
    at /= part;
    if (fs::is_symlink(fs::symlink_status(at))) return true;
  }
  return false;
}

// All files below `directory`, as paths relative to the tree. A link counts as a file.
void walk(const fs::path& tree, const fs::path& directory, std::set<std::string>& out) {
  std::error_code failed;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at{directory, options, failed}, end; at != end;
       at.increment(failed)) {
    if (failed) return;
    const auto status = at->symlink_status(failed);
    if (fs::is_regular_file(status) || fs::is_symlink(status))
      out.insert(at->path().lexically_relative(tree).generic_string());
  }
}

// The directory below which every match of `pattern` must lie.
std::string literal_directory(const std::string& pattern) {
  const auto glob = pattern.find_first_of("*?[{\\");
  const auto slash = pattern.rfind('/', glob);
  return slash == std::string::npos || glob == std::string::npos ? "" : pattern.substr(0, slash);
}

std::set<std::string> selected_by(const fs::path& tree, const std::string& written,
                                  std::vector<std::string>& warnings) {
  std::set<std::string> found;
  const std::string pattern = inside(tree, written);
  if (pattern.empty()) {
    warnings.push_back(written + ": is outside of the project's directory");
    return found;
  }
  std::error_code failed;
  if (!is_glob(pattern)) {
    const fs::path path = tree / pattern;
    const auto status = fs::symlink_status(path, failed);
    if (leads_through_link(tree, pattern)) {
      warnings.push_back(written + ": leads through a link");
      return found;
    }
    if (fs::is_directory(status))
      walk(tree, path, found);
    else if (fs::exists(status))
      found.insert(pattern);
  } else {
    std::set<std::string> candidates;
    const std::string start = literal_directory(pattern);
    if (!leads_through_link(tree, start + "/x")) walk(tree, tree / start, candidates);
    for (const std::string& candidate : candidates)
      if (artifact_glob_matches(pattern, candidate)) found.insert(candidate);
    // A directory that matches stands for everything below it.
    std::set<std::string> directories;
    for (const std::string& candidate : candidates)
      for (auto slash = candidate.find('/'); slash != std::string::npos;
           slash = candidate.find('/', slash + 1))
        directories.insert(candidate.substr(0, slash));
    for (const std::string& directory : directories)
      if (artifact_glob_matches(pattern, directory)) walk(tree, tree / directory, found);
  }
  if (found.empty()) warnings.push_back(written + ": no matching files");
  return found;
}

bool is_excluded(const fs::path& tree, const std::vector<std::string>& exclude,
                 const std::string& file) {
  return std::any_of(exclude.begin(), exclude.end(), [&](const std::string& pattern) {
    return artifact_glob_matches(inside(tree, pattern), file);
  });
}

}  // namespace

bool artifact_glob_matches(const std::string& pattern, const std::string& path) {
  const bool everything_below =
      pattern == "**" || (pattern.size() > 3 && pattern.substr(pattern.size() - 3) == "/**");
  return pipeline::rules::glob_matches(everything_below ? pattern + "/*" : pattern, path);
}

Selection select_files(const fs::path& tree, const std::vector<std::string>& paths,
                       const std::vector<std::string>& exclude) {
  Selection selection;
  std::set<std::string> found;
  for (const std::string& path : paths)
    if (!path.empty()) found.merge(selected_by(tree, path, selection.warnings));
  for (const std::string& file : found)
    if (!is_excluded(tree, exclude, file)) selection.files.push_back(file);
  return selection;
}

Result<void> add_untracked(const fs::path& tree, const std::vector<std::string>& exclude,
                           Selection& selection) {
  ProcessSpec spec;
  spec.argv = {"git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*", "ls-files",
               "-o",  "-z"};
  spec.workdir = tree;
  spec.env = environment_subset({"PATH"});
  spec.env["GIT_CONFIG_NOSYSTEM"] = "1";
  spec.env["GIT_CONFIG_GLOBAL"] = "/dev/null";
  auto listed = collect_process(spec);
  if (!listed) return std::move(listed).error();
  if (!listed->outcome.succeeded())
    return fail(ErrorKind::Internal, "git cannot list untracked files: " + listed->output);
  std::set<std::string> files(selection.files.begin(), selection.files.end());
  std::string_view rest = listed->output;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\0'), rest.size());
    const std::string file{rest.substr(0, end)};
    if (!file.empty() && !is_excluded(tree, exclude, file)) files.insert(file);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  selection.files.assign(files.begin(), files.end());
  return {};
}

}  // namespace slipway::runner
