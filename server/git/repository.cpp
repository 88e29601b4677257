#include "server/git/repository.h"

#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

#include <array>
#include <deque>
#include <utility>

#include "base/guarded.h"

namespace slipway::server::git {
namespace {

// Repositories that nobody reads at the moment, the one used last at the end.
constexpr std::size_t kMostKept = 16;

using Idle = std::deque<std::pair<std::string, Owned<git_repository, git_repository_free>>>;
Guarded<Idle>& idle_repositories() {
  static Guarded<Idle> idle;
  return idle;
}

// Another one as soon as its packs have changed: what is open may still hold objects of a pack that
// is gone.
std::string key_of(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat((path / "objects/pack").c_str(), &facts) != 0) return {};
  return fmt::format("{}\n{}/{}/{}.{}", path.string(), facts.st_dev, facts.st_ino,
                     facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
}

// libgit2 keeps global state that must be set up once.
void ensure_library() {
  static const int ready = [] {
    const int count = git_libgit2_init();
    // What is read here is read once, and what git has pruned must not be there any more.
    git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
    return count;
  }();
  (void)ready;
}

}  // namespace

void KeptOpen::operator()(git_repository* repository) const {
  Owned<git_repository, git_repository_free> owned{repository};
  if (key.empty()) return;
  auto idle = idle_repositories().lock();
  idle->emplace_back(key, std::move(owned));
  if (idle->size() > kMostKept) idle->pop_front();
}

Error last_error(const std::string& attempted, int code) {
  const git_error* words = git_error_last();
  return fail(code == GIT_ENOTFOUND ? ErrorKind::NotFound : ErrorKind::Internal,
              attempted + ": " + (words == nullptr ? "no reason given" : words->message));
}

Result<Repository> open_repository(const std::filesystem::path& path) {
  ensure_library();
  std::string key = key_of(path);
  {
    auto idle = idle_repositories().lock();
    for (auto kept = idle->rbegin(); kept != idle->rend(); ++kept) {
      if (kept->first != key) continue;
      Repository found{kept->second.release(), KeptOpen{std::move(key)}};
      idle->erase(std::next(kept).base());
      return found;
    }
  }
  git_repository* opened = nullptr;
  const int code = git_repository_open_bare(&opened, path.c_str());
  if (code != 0) return last_error("cannot open the mirror", code);
  return Repository{opened, KeptOpen{std::move(key)}};
}

Result<Commit> find_commit(git_repository& repository, const std::string& sha) {
  git_oid id;
  if (git_oid_fromstrn(&id, sha.data(), sha.size()) != 0)
    return fail(ErrorKind::InvalidInput, "'" + sha + "' is no commit id");
  git_commit* found = nullptr;
  const int code = git_commit_lookup(&found, &repository, &id);
  if (code != 0) return last_error("there is no commit " + sha, GIT_ENOTFOUND);
  return Commit{found};
}

Result<Tree> tree_of(git_repository& repository, const std::string& sha) {
  auto commit = find_commit(repository, sha);
  if (!commit) return std::move(commit).error();
  git_tree* tree = nullptr;
  const int code = git_commit_tree(&tree, commit->get());
  if (code != 0) return last_error("cannot read the tree of " + sha, code);
  return Tree{tree};
}

std::optional<std::string> peeled(git_repository& repository, const std::string& name) {
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, &repository, name.c_str()) != 0) return std::nullopt;
  const Reference reference{raw};
  git_object* object = nullptr;
  if (git_reference_peel(&object, reference.get(), GIT_OBJECT_COMMIT) != 0) return std::nullopt;
  const Object owned{object};
  return hex(*git_object_id(object));
}

std::string hex(const git_oid& id) {
  std::array<char, GIT_OID_HEXSZ + 1> text{};
  git_oid_tostr(text.data(), text.size(), &id);
  return text.data();
}

}  // namespace slipway::server::git
