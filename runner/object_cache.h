// What git has fetched of one repository, kept on this machine for all its work trees: a bare
// repository whose objects the trees borrow, so that another checkout costs its difference.
//
// Jobs never write here: the trees name it as their alternate, and containers see it read-only. Two
// locks, both of the file system and so good between processes: one is held while git fetches, and
// one is shared by everybody who uses the objects, so that only what nobody uses is tidied or
// removed. After a crash the locks are gone, and git's own files are whole or absent.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "runner/git_command.h"
#include "runner/kept_thing.h"

namespace slipway::runner {

class ObjectCache {
 public:
  // Of the repository at `url`, below `root`. Shallow and full histories are kept apart: each
  // would undo the other's work.
  static std::filesystem::path place_of(const std::filesystem::path& root, const std::string& url,
                                        bool is_shallow);

  // Makes it when it is not there, and marks it as used for the life of the object. Conflict while
  // somebody removes it.
  static Result<ObjectCache> open(const std::filesystem::path& place, const Git& git);

  // `git fetch` with these arguments. Only one at a time: others wait as long as `git` may.
  Result<void> fetch(const std::vector<std::string>& arguments, const Git& git);

  struct Ref {
    std::string name;
    std::string commit;
  };
  [[nodiscard]] Result<std::vector<Ref>> refs(const Git& git) const;

  [[nodiscard]] const std::filesystem::path& place() const { return place_; }
  [[nodiscard]] std::filesystem::path shallow_file() const { return place_ / "shallow"; }

  // Removes everything when nobody else uses it. True when it is gone.
  bool discard();

  // Packs what has come in many pieces and forgets old pipelines, when it is worth it and nobody
  // uses it. For a time when no job waits.
  static void tidy(const std::filesystem::path& place, const Git& git);

  // All below `root` that nobody uses.
  static std::vector<KeptThing> kept(const std::filesystem::path& root);
  // False when somebody uses it by now.
  static bool remove_unused(const std::filesystem::path& place);

 private:
  ObjectCache(std::filesystem::path place, UniqueFd use)
      : place_(std::move(place)), use_(std::move(use)) {}

  std::filesystem::path place_;
  UniqueFd use_;
};

}  // namespace slipway::runner
