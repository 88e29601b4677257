#include "server/git/mirror.h"

#include <system_error>

#include "base/files.h"
#include "server/git/repository.h"

namespace slipway::server {
namespace {

Result<git::TreeEntry> entry_at(git_repository& repository, const std::string& sha,
                                const std::string& path) {
  auto tree = git::tree_of(repository, sha);
  if (!tree) return std::move(tree).error();
  git_tree_entry* raw = nullptr;
  if (git_tree_entry_bypath(&raw, tree->get(), path.c_str()) != 0)
    return fail(ErrorKind::NotFound, "there is no file '" + path + "' in commit " + sha);
  git::TreeEntry entry{raw};
  const git_filemode_t mode = git_tree_entry_filemode(raw);
  if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE)
    return fail(ErrorKind::NotFound, "'" + path + "' is not a regular file in commit " + sha);
  return entry;
}

constexpr std::chrono::milliseconds kDeadline = std::chrono::minutes{10};

struct Walk {
  std::vector<std::string> paths;
  std::size_t limit = 0;
  std::size_t seen = 0;
};

int collect_path(const char* root, const git_tree_entry* entry, void* payload) {
  auto& walk = *static_cast<Walk*>(payload);
  // Directories are bounded as well: a few kilobytes can unfold into millions of empty ones.
  if (++walk.seen > walk.limit * 4 + 1000) return -1;
  if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
    walk.paths.push_back(std::string{root} + git_tree_entry_name(entry));
  return walk.paths.size() > walk.limit ? -1 : 0;
}

}  // namespace

Mirrors::Mirrors(std::filesystem::path directory, LocalRepositories local)
    : directory_(std::move(directory)), local_(local) {}

std::filesystem::path Mirrors::path_of(std::int64_t project) const {
  return directory_ / (std::to_string(project) + ".git");
}

std::shared_ptr<std::mutex> Mirrors::lock_of(std::int64_t project) {
  const std::lock_guard lock{mutex_};
  auto& entry = locks_[project];
  if (!entry) entry = std::make_shared<std::mutex>();
  return entry;
}

void Mirrors::stop() {
  stop_.request_stop();
}

Result<std::string> Mirrors::git(std::int64_t project,
                                 const std::vector<std::string>& arguments) const {
  return run_git(path_of(project), arguments, local_, kDeadline, stop_.get_token());
}

Result<void> Mirrors::ensure(std::int64_t project) {
  const auto path = path_of(project);
  if (std::filesystem::exists(path / "HEAD")) return {};
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) return errno_error("cannot make '" + path.string() + "'", failed.value());
  auto made = git(project, {"init", "--quiet", "--bare", "."});
  if (!made) return std::move(made).error();
  // Runners fetch commits that no branch has any more.
  auto set = git(project, {"config", "uploadpack.allowAnySHA1InWant", "true"});
  if (!set) return std::move(set).error();
  return {};
}

bool Mirrors::is_current(std::int64_t project, const std::string& url, const std::string& ref,
                         const std::string& sha) const {
  auto mirror = git::open_repository(path_of(project));
  if (!mirror) return false;
  if (!sha.empty()) {
    // Runners fetch the branch by its name as well, so that must be known too.
    const bool named = ref.empty() || git::peeled(**mirror, "refs/heads/" + ref) ||
                       git::peeled(**mirror, "refs/tags/" + ref);
    return named && git::find_commit(**mirror, sha).has_value();
  }
  if (url.front() != '/') return false;
  const auto remote = git::open_repository(url);
  if (!remote) return false;
  for (const char* kind : {"refs/heads/", "refs/tags/"}) {
    const auto there = git::peeled(**remote, kind + ref);
    if (there) return there == git::peeled(**mirror, kind + ref);
  }
  return false;
}

Result<void> Mirrors::fetch(std::int64_t project, const std::string& url, const std::string& ref,
                            const std::string& sha) {
  if (auto allowed = check_repository_url(url, local_); !allowed) return allowed;
  if (!ref.empty() && !is_safe_ref(ref))
    return fail(ErrorKind::InvalidInput, "'" + ref + "' is no name of a branch or tag");
  if (!sha.empty() && !is_commit_id(sha))
    return fail(ErrorKind::InvalidInput, "'" + sha + "' is no commit id");
  if (is_current(project, url, ref, sha)) return {};
  if (stopped()) return fail(ErrorKind::Unavailable, "nothing is fetched: the server is stopping");
  const auto mutex = lock_of(project);
  const std::lock_guard lock{*mutex};
  // Whoever had the lock before may have brought it already.
  if (!sha.empty() && is_current(project, url, ref, sha)) return {};
  return fetch_refs(project, url, sha);
}

Result<void> Mirrors::fetch_refs(std::int64_t project, const std::string& url,
                                 const std::string& sha) {
  if (auto ready = ensure(project); !ready) return ready;
  const auto all = git(
      project, {"fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head",
                "--end-of-options", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"});
  if (!all) return all.error();
  if (sha.empty() || is_current(project, url, {}, sha)) return {};
  // Pushed over in the meantime: most servers still give a commit by its id.
  const auto one = git(project, {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                                 "--end-of-options", url, "+" + sha + ":refs/slipway/" + sha});
  if (!one && stopped()) return one.error();
  if (!one)
    return fail(ErrorKind::NotFound,
                "the repository has no commit " + sha + " any more: " + one.error().message);
  return {};
}

Result<std::string> Mirrors::fetch_head(std::int64_t project, const std::string& url,
                                        const std::string& remote, const std::string& local) {
  if (auto allowed = check_repository_url(url, local_); !allowed) return allowed.error();
  for (const std::string& ref : {remote, local})
    if (!is_safe_ref(ref))
      return fail(ErrorKind::InvalidInput, "'" + ref + "' is no name of a ref");
  if (stopped()) return fail(ErrorKind::Unavailable, "nothing is fetched: the server is stopping");
  const auto mutex = lock_of(project);
  const std::lock_guard lock{*mutex};
  if (auto ready = ensure(project); !ready) return ready.error();
  const auto fetched = git(project, {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                                     "--end-of-options", url, "+" + remote + ":" + local});
  if (!fetched) return fetched.error();
  const auto repository = git::open_repository(path_of(project));
  if (!repository) return repository.error();
  if (auto sha = git::peeled(**repository, local)) return *sha;
  return fail(ErrorKind::NotFound, "'" + remote + "' of the repository is no commit");
}

Result<void> Mirrors::keep(std::int64_t project, const std::string& sha) {
  if (!is_commit_id(sha)) return fail(ErrorKind::InvalidInput, "'" + sha + "' is no commit id");
  const std::string name = std::string{kKeptRefs} + sha;
  // Not that of the fetches, which take their time.
  const std::lock_guard lock{keep_mutex_};
  // Its time shows drop_kept() that another pipeline wants it.
  std::error_code missing;
  std::filesystem::last_write_time(path_of(project) / name,
                                   std::filesystem::file_time_type::clock::now(), missing);
  if (!missing) return {};
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  git_oid id;
  git_oid_fromstrn(&id, sha.data(), sha.size());
  git_reference* made = nullptr;
  const int code = git_reference_create(&made, repository->get(), name.c_str(), &id, 1, nullptr);
  const git::Reference owned{made};
  if (code != 0) return git::last_error("cannot keep commit " + sha, code);
  return {};
}

Result<bool> Mirrors::drop_kept(std::int64_t project, const std::string& sha, UnixMillis before) {
  const std::string name = std::string{kKeptRefs} + sha;
  const std::lock_guard lock{keep_mutex_};
  const auto kept_at = ref_made_at(project, name);
  if (!kept_at || *kept_at > before) return false;
  if (auto dropped = drop_ref(project, name); !dropped) return std::move(dropped).error();
  return true;
}

void Mirrors::remove(std::int64_t project) {
  const auto mutex = lock_of(project);
  const std::lock_guard lock{*mutex};
  std::error_code ignored;
  std::filesystem::remove_all(path_of(project), ignored);
}

Result<ResolvedRef> Mirrors::resolve(std::int64_t project, const std::string& ref) const {
  if (!is_safe_ref(ref))
    return fail(ErrorKind::InvalidInput, "'" + ref + "' is no name of a branch or tag");
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  if (const auto sha = git::peeled(**repository, "refs/heads/" + ref))
    return ResolvedRef{*sha, false};
  if (const auto sha = git::peeled(**repository, "refs/tags/" + ref))
    return ResolvedRef{*sha, true};
  return fail(ErrorKind::NotFound, "there is no branch or tag '" + ref + "'");
}

Result<std::vector<std::string>> Mirrors::tags(std::int64_t project) const {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  git_strarray names{};
  const int code = git_tag_list(&names, repository->get());
  if (code != 0) return git::last_error("cannot list the tags", code);
  std::vector<std::string> tags{names.strings, names.strings + names.count};
  git_strarray_dispose(&names);
  return tags;
}

Result<std::string> Mirrors::default_branch(std::int64_t project, const std::string& url) {
  if (auto allowed = check_repository_url(url, local_); !allowed) return allowed.error();
  if (auto ready = ensure(project); !ready) return ready.error();
  const auto told = git(project, {"ls-remote", "--symref", "--end-of-options", url, "HEAD"});
  if (!told) return told.error();
  static constexpr std::string_view kBegin = "ref: refs/heads/";
  const std::string branch = told->substr(0, told->find('\t'));
  if (branch.rfind(kBegin, 0) != 0)
    return fail(ErrorKind::InvalidInput, "the repository has no default branch");
  return branch.substr(kBegin.size());
}

Result<CommitInfo> Mirrors::commit(std::int64_t project, const std::string& sha) const {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  auto found = git::find_commit(**repository, sha);
  if (!found) return std::move(found).error();
  const git_commit* commit = found->get();
  const git_signature* author = git_commit_author(commit);
  return CommitInfo{sha, git_commit_message(commit), author->name, author->email,
                    static_cast<UnixMillis>(author->when.time) * 1000};
}

Result<std::string> Mirrors::file_id(std::int64_t project, const std::string& sha,
                                     const std::string& path) const {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  auto entry = entry_at(**repository, sha, path);
  if (!entry) return std::move(entry).error();
  return git::hex(*git_tree_entry_id(entry->get()));
}

Result<std::string> Mirrors::read_file(std::int64_t project, const std::string& sha,
                                       const std::string& path, std::size_t limit) const {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  auto entry = entry_at(**repository, sha, path);
  if (!entry) return std::move(entry).error();
  git_blob* raw = nullptr;
  const int code = git_blob_lookup(&raw, repository->get(), git_tree_entry_id(entry->get()));
  if (code != 0) return git::last_error("cannot read '" + path + "'", code);
  const git::Blob blob{raw};
  const auto size = static_cast<std::size_t>(git_blob_rawsize(raw));
  if (size > limit)
    return fail(ErrorKind::TooLarge,
                "'" + path + "' is longer than " + std::to_string(limit) + " bytes");
  return std::string{static_cast<const char*>(git_blob_rawcontent(raw)), size};
}

Result<std::vector<std::string>> Mirrors::paths(std::int64_t project, const std::string& sha,
                                                std::size_t limit) const {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  auto tree = git::tree_of(**repository, sha);
  if (!tree) return std::move(tree).error();
  Walk walk{{}, limit, 0};
  if (git_tree_walk(tree->get(), GIT_TREEWALK_PRE, collect_path, &walk) != 0)
    return fail(ErrorKind::TooLarge,
                "commit " + sha + " has more than " + std::to_string(limit) + " files");
  return std::move(walk.paths);
}

}  // namespace slipway::server
