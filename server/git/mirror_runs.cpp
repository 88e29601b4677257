// What people send from their work trees, and what goes again after its time.
#include <sys/stat.h>

#include <system_error>

#include "base/crypto.h"
#include "base/files.h"
#include "server/git/mirror.h"
#include "server/git/repository.h"

namespace slipway::server {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kUnbundleTime = std::chrono::minutes{5};
constexpr std::chrono::milliseconds kCollectTime = std::chrono::hours{1};

using Iterator = git::Owned<git_reference_iterator, git_reference_iterator_free>;

// A bundle as a repository beside it, which goes with this.
class UnpackedBundle {
 public:
  explicit UnpackedBundle(const fs::path& bundle)
      : bundle_(bundle), path_(bundle.string() + ".git") {}
  UnpackedBundle(const UnpackedBundle&) = delete;
  UnpackedBundle& operator=(const UnpackedBundle&) = delete;
  ~UnpackedBundle() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  [[nodiscard]] Result<void> open(const fs::path& mirror, const std::stop_token& stop) const {
    std::error_code failed;
    fs::create_directories(path_, failed);
    if (failed) return errno_error("cannot unpack what was sent", failed.value());
    const auto made =
        run_git(path_, {"init", "--quiet", "--bare", "."}, LocalRepositories::refused);
    if (!made) return made.error();
    if (auto borrowed = replace_file(path_ / "objects" / "info" / "alternates",
                                     (fs::absolute(mirror) / "objects").string() + "\n");
        !borrowed)
      return borrowed;
    // A path beside it, so that git's words do not tell where the server's files are.
    const auto fetched =
        run_git(path_,
                {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options",
                 "../" + bundle_.filename().string(), "+refs/slipway/run:refs/slipway/run"},
                LocalRepositories::allowed, kUnbundleTime, stop);
    if (!fetched) return fetched.error();
    return {};
  }
  // "" when there is none.
  // "" when there is none. Not by libgit2, which would keep the repository open.
  [[nodiscard]] std::string commit() const {
    const auto said =
        run_git(path_, {"rev-parse", "--verify", "--quiet", "refs/slipway/run^{commit}"},
                LocalRepositories::refused);
    return said ? said->substr(0, said->find('\n')) : std::string{};
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path bundle_;
  fs::path path_;
};

// git's own words, without those about how it was called.
std::string words_of(const Error& error) {
  const auto at = error.message.find("failed: ");
  return at == std::string::npos ? error.message : error.message.substr(at + 8);
}

}  // namespace

Result<std::vector<std::string>> Mirrors::known(std::int64_t project,
                                                const std::vector<std::string>& commits) const {
  std::vector<std::string> found;
  auto repository = git::open_repository(path_of(project));
  if (!repository) return found;  // nothing was fetched yet
  for (const std::string& sha : commits)
    if (is_commit_id(sha) && git::find_commit(**repository, sha)) found.push_back(sha);
  return found;
}

Result<fs::path> Mirrors::make_upload_file() const {
  const fs::path directory = directory_ / "uploads";
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return errno_error("cannot make '" + directory.string() + "'", failed.value());
  return directory / random_hex(16);
}

void Mirrors::remove_upload_files() const {
  std::error_code ignored;
  fs::remove_all(directory_ / "uploads", ignored);
}

// git checks what it fetches from a repository, but not what it unpacks from a bundle. So the
// bundle becomes a repository first, which borrows the mirror's objects, and the mirror fetches
// from that.
Result<void> Mirrors::take_bundle(std::int64_t project, const fs::path& file,
                                  const std::string& sha, const std::string& ref) {
  if (!is_commit_id(sha)) return fail(ErrorKind::InvalidInput, "'" + sha + "' is no commit id");
  if (auto ready = ensure(project); !ready) return ready;
  const UnpackedBundle unpacked{file};
  auto taken = unpacked.open(path_of(project), stop_.get_token());
  if (taken && unpacked.commit() != sha)
    return fail(ErrorKind::InvalidInput, "what was sent is another commit than " + sha);
  if (taken) {
    const auto mutex = lock_of(project);
    const std::lock_guard lock{*mutex};
    const auto fetched =
        run_git(path_of(project),
                {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options",
                 "../uploads/" + unpacked.path().filename().string(), "+refs/slipway/run:" + ref},
                LocalRepositories::allowed, kUnbundleTime, stop_.get_token());
    if (!fetched) taken = fetched.error();
  }
  if (taken || stopped()) return taken;
  return fail(ErrorKind::InvalidInput, "what was sent is not taken: " + words_of(taken.error()));
}

Result<void> Mirrors::point_ref(std::int64_t project, const std::string& ref,
                                const std::string& sha) {
  if (!is_safe_ref(ref)) return fail(ErrorKind::InvalidInput, "'" + ref + "' is no name of a ref");
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  const auto commit = git::find_commit(**repository, sha);
  if (!commit) return commit.error();
  git_reference* made = nullptr;
  const int code = git_reference_create(&made, repository->get(), ref.c_str(),
                                        git_commit_id(commit->get()), 1, nullptr);
  const git::Reference owned{made};
  if (code != 0) return git::last_error("cannot make '" + ref + "'", code);
  return {};
}

Result<void> Mirrors::drop_ref(std::int64_t project, const std::string& ref) {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  const int code = git_reference_remove(repository->get(), ref.c_str());
  if (code != 0 && code != GIT_ENOTFOUND)
    return git::last_error("cannot remove '" + ref + "'", code);
  return {};
}

Result<std::vector<std::string>> Mirrors::refs_below(std::int64_t project,
                                                     const std::string& prefix) const {
  std::vector<std::string> names;
  auto repository = git::open_repository(path_of(project));
  if (!repository) return names;
  git_reference_iterator* raw = nullptr;
  const int code = git_reference_iterator_glob_new(&raw, repository->get(), (prefix + "*").c_str());
  if (code != 0) return git::last_error("cannot list refs", code);
  const Iterator iterator{raw};
  const char* name = nullptr;
  while (git_reference_next_name(&name, iterator.get()) == 0) names.emplace_back(name);
  return names;
}

std::optional<UnixMillis> Mirrors::ref_made_at(std::int64_t project, const std::string& ref) const {
  struct stat status {};
  if (::stat((path_of(project) / ref).c_str(), &status) != 0) return std::nullopt;
  return static_cast<UnixMillis>(status.st_mtim.tv_sec) * 1000;
}

Result<void> Mirrors::collect_garbage(std::int64_t project) {
  const auto mutex = lock_of(project);
  const std::lock_guard lock{*mutex};
  // A day, so that nothing goes that somebody is just about to name.
  // Refs stay files, which say when they were made.
  const auto done =
      run_git(path_of(project), {"-c", "gc.packRefs=false", "gc", "--quiet", "--prune=1.day.ago"},
              local_, kCollectTime, stop_.get_token());
  if (!done) return done.error();
  return {};
}

}  // namespace slipway::server
