#include "cli/working_repository.h"

#include <algorithm>

#include "server/git/git_command.h"

namespace slipway::cli {
namespace {

constexpr auto kPatience = std::chrono::seconds{30};

Result<std::string> git(const std::filesystem::path& root,
                        const std::vector<std::string>& arguments) {
  return server::run_git(root, arguments, server::LocalRepositories::refused, kPatience);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

void add_names(const std::string& separated_by_zeros, std::vector<std::string>& names) {
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = separated_by_zeros.find('\0', begin)) != std::string::npos;
       begin = end + 1)
    names.push_back(separated_by_zeros.substr(begin, end - begin));
}

Result<std::string> commit_of(const std::filesystem::path& root, const std::string& ref) {
  constexpr std::string_view kBranches = "refs/heads/";
  const std::string branch = ref.rfind(kBranches, 0) == 0 ? ref.substr(kBranches.size()) : ref;
  if (server::is_safe_ref(ref))
    for (const std::string& name : {ref, "refs/remotes/origin/" + branch})
      if (const auto found = git(
              root, {"rev-parse", "--quiet", "--verify", "--end-of-options", name + "^{commit}"}))
        return first_line(*found);
  return fail(ErrorKind::InvalidInput, "there is no branch, tag or commit '" + ref + "'");
}

}  // namespace

Result<std::vector<std::string>> WorkingRepository::changed_since(const std::string& ref) {
  std::error_code ignored;
  if (!std::filesystem::exists(root_ / ".git", ignored))
    return fail(ErrorKind::Unavailable, root_.string() + " is no git repository");
  const auto commit = commit_of(root_, ref);
  if (!commit) return commit.error();
  std::vector<std::string> changed;
  // Without a merge base git says nothing, and GitLab takes nothing for changed.
  const auto base = git(root_, {"merge-base", *commit, "HEAD"});
  if (!base) return changed;
  const auto known =
      git(root_, {"diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", first_line(*base)});
  if (!known) return known.error();
  const auto untracked = git(root_, {"ls-files", "--others", "--exclude-standard", "-z"});
  if (!untracked) return untracked.error();
  add_names(*known, changed);
  add_names(*untracked, changed);
  std::sort(changed.begin(), changed.end());
  return changed;
}

Result<std::vector<std::string>> WorkingRepository::paths_of(const std::string& project,
                                                             const std::string& ref) {
  const pipeline::IncludeProject wanted{"", project};
  if (!map_.place_of(wanted))
    return fail(ErrorKind::Unavailable,
                "say where it is with --include-map " + project + "=PATH_OR_URL");
  const auto commit = includes_.project_commit(wanted, ref);
  if (!commit) return commit.error();
  return includes_.project_paths(wanted, *commit);
}

}  // namespace slipway::cli
