// Bare mirrors of the projects' repositories: fetched by git, read by libgit2, served to runners.
//
// Thread-safe. Fetches of one repository follow one another; readers do not wait for them. No work
// tree is ever made, and links in the repository are never followed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "server/git/git_command.h"

namespace slipway::server {

struct CommitInfo {
  std::string sha;
  std::string message;
  std::string author_name;
  std::string author_email;
  UnixMillis authored_at = 0;
};

struct RemoteRef {
  std::string name;  // "refs/heads/main"
  std::string sha;   // of the commit, also for an annotated tag
};

struct ResolvedRef {
  std::string sha;
  bool is_tag = false;
};

// Below it a ref for each commit that keep() was called for, named by its id.
inline constexpr std::string_view kKeptRefs = "refs/keep/";

class Mirrors {
 public:
  // Mirrors are `directory`/<project>.git.
  Mirrors(std::filesystem::path directory, LocalRepositories local);

  // Brings branches and tags up to date, and `sha` (may be "") too, even when no branch has it any
  // more. Does nothing when the mirror knows all of it already and that can be told without asking
  // the remote: `sha` is there, or the remote is a local repository whose `ref` is the mirror's.
  Result<void> fetch(std::int64_t project, const std::string& url, const std::string& ref,
                     const std::string& sha);
  // Brings the one ref `remote` of `url` under the name `local`, which it moves, and says which
  // commit that is. For what is no branch or tag of the project's repository.
  Result<std::string> fetch_head(std::int64_t project, const std::string& url,
                                 const std::string& remote, const std::string& local);
  // Keeps `sha` fetchable for the jobs of its pipelines whatever happens to its branch.
  Result<void> keep(std::int64_t project, const std::string& sha);
  // The opposite, unless keep() was called for it after `before`. Whether it is not kept any more.
  Result<bool> drop_kept(std::int64_t project, const std::string& sha, UnixMillis before);
  void remove(std::int64_t project);

  // Ends every git that runs for a fetch, and refuses fetches from now on: Unavailable. For the
  // server's end, which must not wait for a slow git host.
  void stop();
  [[nodiscard]] bool stopped() const { return stop_.stop_requested(); }

  // A branch or a tag, by its short name; branches win. NotFound otherwise.
  [[nodiscard]] Result<ResolvedRef> resolve(std::int64_t project, const std::string& ref) const;
  // The commit that `name` names: a branch or tag, short or as refs/heads/… and refs/tags/…, or a
  // commit's id, of which seven digits are enough. NotFound otherwise, and when they are not.
  [[nodiscard]] Result<std::string> commit_of(std::int64_t project, const std::string& name) const;
  // What an annotated tag says; "" of any other.
  [[nodiscard]] Result<std::string> tag_message(std::int64_t project, const std::string& tag) const;
  // The names of all tags.
  [[nodiscard]] Result<std::vector<std::string>> tags(std::int64_t project) const;
  // The branch that the repository at `url` calls its default; asks it.
  Result<std::string> default_branch(std::int64_t project, const std::string& url);
  // Its branches and tags; asks it, and fetches nothing. At most 100,000, by name.
  Result<std::vector<RemoteRef>> remote_refs(std::int64_t project, const std::string& url);
  [[nodiscard]] Result<CommitInfo> commit(std::int64_t project, const std::string& sha) const;
  // A regular file at a commit. NotFound for a missing one, a link or a directory; TooLarge.
  [[nodiscard]] Result<std::string> read_file(std::int64_t project, const std::string& sha,
                                              const std::string& path, std::size_t limit) const;
  // The id of that file's content, for caching what is made from it.
  [[nodiscard]] Result<std::string> file_id(std::int64_t project, const std::string& sha,
                                            const std::string& path) const;
  // All files of a commit, at most `limit`; TooLarge beyond.
  [[nodiscard]] Result<std::vector<std::string>> paths(std::int64_t project, const std::string& sha,
                                                       std::size_t limit = 200'000) const;
  // Files that differ between two commits. NotFound when one of them is not there.
  [[nodiscard]] Result<std::vector<std::string>> changed_paths(std::int64_t project,
                                                               const std::string& before,
                                                               const std::string& after) const;
  // The last commit that both come from, if any. NotFound when one of them is not there.
  [[nodiscard]] Result<std::optional<std::string>> merge_base(std::int64_t project,
                                                              const std::string& one,
                                                              const std::string& other) const;
  // Files that differ between `sha` and its merge base with `other`; none without a merge base.
  [[nodiscard]] Result<std::vector<std::string>> changed_since(std::int64_t project,
                                                               const std::string& other,
                                                               const std::string& sha) const;
  [[nodiscard]] std::filesystem::path path_of(std::int64_t project) const;

  // Commits that somebody sends from a work tree. Those of `commits` that are here already.
  [[nodiscard]] Result<std::vector<std::string>> known(
      std::int64_t project, const std::vector<std::string>& commits) const;
  // Where a bundle is to be written, under a name of its own; its file is the caller's.
  [[nodiscard]] Result<std::filesystem::path> make_upload_file() const;
  // Those that a server left which was killed.
  void remove_upload_files() const;
  // What the bundle has as refs/slipway/run, which must be `sha`, becomes `ref`. InvalidInput when
  // it is something else, or lacks what nobody has.
  Result<void> take_bundle(std::int64_t project, const std::filesystem::path& file,
                           const std::string& sha, const std::string& ref);
  // NotFound when the mirror has no such commit.
  Result<void> point_ref(std::int64_t project, const std::string& ref, const std::string& sha);
  Result<void> drop_ref(std::int64_t project, const std::string& ref);
  [[nodiscard]] Result<std::vector<std::string>> refs_below(std::int64_t project,
                                                            const std::string& prefix) const;
  // When the ref was made, as far as its file tells; nullopt when it does not.
  [[nodiscard]] std::optional<UnixMillis> ref_made_at(std::int64_t project,
                                                      const std::string& ref) const;
  // What no ref reaches goes after a day.
  Result<void> collect_garbage(std::int64_t project);

 private:
  Result<void> ensure(std::int64_t project);
  Result<std::string> git(std::int64_t project, const std::vector<std::string>& arguments) const;
  Result<void> fetch_refs(std::int64_t project, const std::string& url, const std::string& sha);
  [[nodiscard]] bool is_current(std::int64_t project, const std::string& url,
                                const std::string& ref, const std::string& sha) const;
  std::shared_ptr<std::mutex> lock_of(std::int64_t project);

  std::filesystem::path directory_;
  LocalRepositories local_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::mutex keep_mutex_;
  std::map<std::int64_t, std::shared_ptr<std::mutex>> locks_;
};

}  // namespace slipway::server
