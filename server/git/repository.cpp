#include "server/git/repository.h"

#include <array>

namespace slipway::server::git {
namespace {

// libgit2 keeps global state that must be set up once.
void ensure_library() {
  static const int ready = git_libgit2_init();
  (void)ready;
}

}  // namespace

Error last_error(const std::string& attempted, int code) {
  const git_error* words = git_error_last();
  return fail(code == GIT_ENOTFOUND ? ErrorKind::NotFound : ErrorKind::Internal,
              attempted + ": " + (words == nullptr ? "no reason given" : words->message));
}

Result<Repository> open_repository(const std::filesystem::path& path) {
  ensure_library();
  git_repository* opened = nullptr;
  const int code = git_repository_open_bare(&opened, path.c_str());
  if (code != 0) return last_error("cannot open the mirror", code);
  return Repository{opened};
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

std::string hex(const git_oid& id) {
  std::array<char, GIT_OID_HEXSZ + 1> text{};
  git_oid_tostr(text.data(), text.size(), &id);
  return text.data();
}

}  // namespace slipway::server::git
