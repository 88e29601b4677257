// The work tree as it is now, changes and new files included, as a commit in a repository of our
// own: jobs get it the way they get a commit from a server.
//
// Nothing in the project's repository changes: our own one borrows its objects, and has its
// own index. Files that are ignored stay out. Without a repository the directory's files are the
// only commit. Uses the git command; for one thread, and one run at a time in a `store`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::runner {

struct Snapshot {
  std::filesystem::path root;        // of the work tree
  std::filesystem::path repository;  // bare; has `sha`
  bool in_repository = false;        // whether the project is one of git at all
  bool changed = false;              // whether it differs from HEAD: then `sha` is a commit of ours
  std::string sha;
  std::string head;    // "" without a commit
  std::string branch;  // "" when detached or without a repository
  std::string message;
  std::string author;          // "Name <mail>"
  std::string timestamp;       // RFC 3339
  std::string remote_url;      // of origin; "" without
  std::string default_branch;  // origin's; "" when not known
  std::string base;            // what a push would be compared with; "" for nothing
  std::vector<std::string> paths;
  // What a push of it would bring: against the branch's upstream, else against the commit before.
  // nullopt when there is nothing to compare with.
  std::optional<std::vector<std::string>> changed_paths;
};

// The root of the work tree around `directory`, or the directory itself outside of a repository.
Result<std::filesystem::path> root_of(const std::filesystem::path& directory);

// Takes the tree around `directory`. `store` is kept from run to run, which makes the next one
// quick.
Result<Snapshot> take_snapshot(const std::filesystem::path& directory,
                               const std::filesystem::path& store);

// Makes `ref` ("refs/tags/v1") stand for the snapshot in its own repository, where jobs fetch it.
Result<void> point_ref(const Snapshot& snapshot, const std::string& ref);

// The snapshot's commit and those before it, the newest first, at most so many.
Result<std::vector<std::string>> history_of(const Snapshot& snapshot, int most);

// A git bundle in the store with all that whoever has the commits `known` lacks of the snapshot,
// which is refs/slipway/run in it. The next one replaces it.
Result<std::filesystem::path> bundle_of(const Snapshot& snapshot,
                                        const std::vector<std::string>& known);

}  // namespace slipway::runner
