// Gets a commit into the work tree, the way GitLab's runner does: fetch the given refspecs, check
// the commit out detached, clean what is left of earlier jobs, then large files and submodules.
//
// What an earlier job wrote into `.git` is never used: the repository is made anew from the objects
// that the machine keeps (see object_cache.h) and from a copy of the index that no job can reach,
// which tells git what files to look at again. One object serves one job, on its thread; while it
// lives, the objects stay.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/job_spec.h"
#include "runner/executor.h"
#include "runner/git_settings.h"
#include "runner/object_cache.h"

namespace slipway::runner {

struct CheckoutPlace {
  std::filesystem::path tree;
  std::filesystem::path index;    // beside the tree; "" keeps none
  std::filesystem::path objects;  // see ObjectCache::place_of(); "" keeps none
  GitOptions git;
};

class Checkout {
 public:
  // `variables` are the job's; all must outlive it.
  Checkout(const pipeline::JobSpec& spec, const VariableMap& variables, CheckoutPlace place,
           Sink sink, std::stop_token stop, std::chrono::milliseconds deadline);

  // InvalidInput when the job asks for what there is not, Unavailable when the server does not give
  // the commit, or not before the deadline.
  Result<void> run();

  // What is kept of other repositories and the tree borrows from: its submodules'. The job must see
  // it, as it must see `place.objects`.
  [[nodiscard]] std::vector<std::filesystem::path> borrowed() const;

  // For the end of the job.
  void tidy_objects();

 private:
  Result<void> try_once(bool anew);
  Result<void> get(bool anew);
  Result<void> empty_tree();
  Result<void> fetch_into_tree();
  Result<bool> fetch_into_cache();
  Result<void> borrow_objects();
  Result<void> check_out_commit();
  Result<void> get_large_files();
  Result<void> pull_large_files(const std::vector<std::string>& arguments);
  Result<void> get_submodules();
  Result<void> update_submodules(const std::filesystem::path& tree,
                                 const std::vector<std::string>& paths, int level);
  Result<void> update_submodule(const std::filesystem::path& tree, const std::string& path,
                                const std::string& url);
  std::filesystem::path keep_submodule(const std::filesystem::path& tree,
                                       const std::string& written);
  void keep_index() const;
  [[nodiscard]] Result<std::vector<std::string>> fetch_arguments(
      const std::filesystem::path& repository) const;
  [[nodiscard]] Result<void> write_config() const;
  [[nodiscard]] std::filesystem::path git_dir() const { return place_.tree / ".git"; }
  [[nodiscard]] bool looks_damaged() const;
  bool wait(std::chrono::milliseconds time) const;

  const pipeline::JobSpec& spec_;
  const VariableMap& variables_;
  CheckoutPlace place_;
  std::stop_token stop_;
  RemoteAddress remote_;
  std::string said_;  // the last words of git
  Git git_;
  GitSettings settings_;
  std::optional<ObjectCache> objects_;
  std::vector<ObjectCache> submodule_objects_;
};

}  // namespace slipway::runner
