#include "runner/job_workplace.h"

#include <system_error>
#include <vector>

#include "base/files.h"
#include "base/logging.h"
#include "pipeline/variables.h"
#include "runner/git_command.h"
#include "runner/git_settings.h"
#include "runner/object_cache.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

// In the runner's own directory; emptied after each job and used again by the next.
const std::vector<std::string> kKeptFiles{"script", "after_script", "trace"};

// A project's path as directories: nothing in it may lead elsewhere.
bool is_safe_path(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  for (const fs::path& part : fs::path{path})
    if (part == ".." || part == "." || part.string().front() == '-') return false;
  return true;
}

// The tree's place: the project's path, or what GIT_CLONE_PATH says, if that is within `root` and
// no earlier job has laid a link on the way.
Result<fs::path> tree_path(const fs::path& root, const pipeline::JobSpec& spec, int slot) {
  VariableMap variables{{"CI_BUILDS_DIR", root.string()},
                        {"CI_CONCURRENT_ID", std::to_string(slot)},
                        {"CI_CONCURRENT_PROJECT_ID", std::to_string(slot)}};
  for (const pipeline::JobVariable& variable : spec.variables)
    variables.insert_or_assign(variable.key, variable.value);
  const std::string given = pipeline::expand_on_runner(variables["GIT_CLONE_PATH"], variables);
  if (given.empty()) return root / spec.project_full_path;
  const fs::path wanted = fs::path{given}.lexically_normal();
  const fs::path below = wanted.lexically_relative(root);
  if (!wanted.is_absolute() || !is_safe_path(below.string()))
    return fail(ErrorKind::InvalidInput,
                "GIT_CLONE_PATH is '" + given + "', expected a path below $CI_BUILDS_DIR");
  fs::path at = root;
  for (const fs::path& part : below) {
    at /= part;
    std::error_code ignored;
    if (fs::is_symlink(fs::symlink_status(at, ignored)))
      return fail(ErrorKind::InvalidInput, "GIT_CLONE_PATH: '" + at.string() + "' is a link");
  }
  return root / (below.has_filename() ? below : below.parent_path());
}

}  // namespace

fs::path slot_directory(const RunnerSettings& settings, const std::string& label, int slot) {
  return (fs::absolute(settings.builds_dir) / label / std::to_string(slot)).lexically_normal();
}

Result<MadeWorkplace> make_workplace(const RunnerSettings& settings, const pipeline::JobSpec& spec,
                                     const std::string& label, int slot) {
  if (!is_safe_path(spec.project_full_path))
    return fail(ErrorKind::InvalidInput, "'" + spec.project_full_path + "' is no project path");
  MadeWorkplace made;
  Workplace& workplace = made.workplace;
  const fs::path root = slot_directory(settings, label, slot);
  auto tree = tree_path(root, spec, slot);
  if (!tree) made.misplaced = tree.error();
  workplace.project = tree ? *tree : root / spec.project_full_path;
  workplace.temporary = workplace.project.string() + ".tmp";
  workplace.own = workplace.project.string() + ".run";
  if (settings.git_cache && !settings.cache_dir.empty())
    workplace.objects =
        ObjectCache::place_of(fs::absolute(settings.cache_dir) / "git",
                              RemoteAddress::parse(spec.repo_url).url, spec.depth > 0);
  std::error_code failed;
  fs::create_directories(root, failed);
  // Nobody else on this machine gets past here, whatever the modes below are.
  if (!failed) fs::permissions(root, fs::perms::owner_all, failed);
  for (const fs::path& directory : {workplace.temporary, workplace.own}) {
    if (auto emptied = empty_directory(directory, kKeptFiles); !emptied)
      return std::move(emptied).error();
    if (!failed) fs::permissions(directory, fs::perms::owner_all, failed);
  }
  if (!failed) fs::create_directories(workplace.project, failed);
  // The user of an image may be any: it must get at the file variables whose names it knows.
  if (!failed && settings.executor == ExecutorKind::Docker)
    fs::permissions(workplace.temporary, fs::perms{0711}, failed);
  if (failed)
    return errno_error("cannot make '" + workplace.project.string() + "'", failed.value());
  return made;
}

void open_tree_to_all(const fs::path& tree) {
  const auto grant = [](const fs::path& path) {
    std::error_code ignored;
    const auto mode = fs::symlink_status(path, ignored).permissions();
    auto wanted = fs::perms{0666};
    if ((mode & fs::perms::owner_exec) != fs::perms::none) wanted = fs::perms{0777};
    fs::permissions(path, wanted, fs::perm_options::add, ignored);
  };
  grant(tree);
  std::error_code failed;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at{tree, options, failed}, end; !failed && at != end;
       at.increment(failed))
    if (!at->is_symlink(failed)) grant(at->path());
}

void empty_workplace(const Workplace& workplace) noexcept {
  for (const fs::path& directory : {workplace.temporary, workplace.own}) {
    if (directory.empty()) continue;
    if (auto emptied = empty_directory(directory, kKeptFiles); !emptied)
      log::warn("workplace.left_behind",
                {{"directory", directory.string()}, {"error", emptied.error().message}});
  }
}

}  // namespace slipway::runner
