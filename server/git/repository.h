// A bare repository opened with libgit2, for reading. Used by one thread; include only in
// server/git.
#pragma once

#include <git2.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"

namespace slipway::server::git {

template <typename T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freed<T, Free>>;

// Closing it keeps it open for the next reader of the same repository: opening costs more than
// most of what is then read. What git writes or prunes meanwhile is seen.
struct KeptOpen {
  std::string key;
  void operator()(git_repository* repository) const;
};
using Repository = std::unique_ptr<git_repository, KeptOpen>;
using Commit = Owned<git_commit, git_commit_free>;
using Tree = Owned<git_tree, git_tree_free>;
using Blob = Owned<git_blob, git_blob_free>;
using Object = Owned<git_object, git_object_free>;
using Reference = Owned<git_reference, git_reference_free>;
using TreeEntry = Owned<git_tree_entry, git_tree_entry_free>;
using Diff = Owned<git_diff, git_diff_free>;

// libgit2's last words as an Error: NotFound when it said so, else Internal.
Error last_error(const std::string& attempted, int code);

Result<Repository> open_repository(const std::filesystem::path& path);
Result<Commit> find_commit(git_repository& repository, const std::string& sha);
Result<Tree> tree_of(git_repository& repository, const std::string& sha);
// The commit that `name` ("refs/heads/…") points to, through annotated tags.
std::optional<std::string> peeled(git_repository& repository, const std::string& name);
std::string hex(const git_oid& id);

}  // namespace slipway::server::git
