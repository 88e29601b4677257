#include "runner/checkout.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <system_error>

#include "base/files.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptWords = 8192;

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

GitConfiguration configuration(const RemoteAddress& remote, const VariableMap& variables,
                               const CheckoutPlace& place) {
  GitConfiguration made;
  if (!place.objects.empty()) made.emplace_back("lfs.storage", (place.objects / "lfs").string());
  if (has_git_lfs()) {
    // Large files come behind the checkout, in one go.
    made.emplace_back("filter.lfs.process", "git-lfs filter-process --skip");
    made.emplace_back("filter.lfs.clean", "git-lfs clean -- %f");
    made.emplace_back("filter.lfs.smudge", "git-lfs smudge --skip -- %f");
  }
  const auto over_https = variables.find("GIT_SUBMODULE_FORCE_HTTPS");
  if (over_https != variables.end() && !remote.server.empty()) {
    const std::string to = "url." + remote.server + "/.insteadOf";
    made.emplace_back(to, "git@" + remote.host + ":");
    made.emplace_back(to, "ssh://git@" + remote.host + "/");
  }
  return made;
}

// In a configuration file of git.
std::string config_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

Error directory_error(const fs::path& path, const std::error_code& code) {
  return errno_error("cannot write '" + path.string() + "'", code.value());
}

// Where a refspec puts what it fetches: "refs/heads/*" stands for all below.
bool puts(const std::string& refspec, std::string_view ref) {
  const auto colon = refspec.rfind(':');
  if (colon == std::string::npos) return false;
  std::string_view to = std::string_view{refspec}.substr(colon + 1);
  if (to.empty() || to.back() != '*') return to == ref;
  to.remove_suffix(1);
  return ref.substr(0, to.size()) == to;
}

bool fetches_tags(const std::vector<std::string>& flags) {
  return std::any_of(flags.begin(), flags.end(),
                     [](const std::string& flag) { return flag == "--tags" || flag == "-t"; });
}

// An earlier job may have written anything in .git, and git runs what its configuration names: only
// what holds commits is kept (`commondir`, for one, would bring another configuration).
Result<void> keep_only_commits(const fs::path& git_dir) {
  constexpr std::array kKept{"objects", "packed-refs", "refs", "shallow"};
  std::error_code failed;
  std::vector<fs::path> rest{git_dir / "objects" / "info" / "alternates",
                             git_dir / "objects" / "info" / "http-alternates"};
  for (const auto& entry : fs::directory_iterator{git_dir, failed})
    if (std::find(kKept.begin(), kKept.end(), entry.path().filename().string()) == kKept.end())
      rest.push_back(entry.path());
  for (const auto& path : rest)
    if (!failed) fs::remove_all(path, failed);
  if (failed) return directory_error(git_dir, failed);
  return {};
}

// A link could lead git out of the tree.
bool has_links(const fs::path& directory) {
  std::error_code failed;
  if (!fs::is_directory(fs::symlink_status(directory, failed))) return true;
  fs::recursive_directory_iterator at{directory, failed};
  for (const fs::recursive_directory_iterator end; !failed && at != end; at.increment(failed))
    if (at->is_symlink(failed)) return true;
  return static_cast<bool>(failed);
}

}  // namespace

Checkout::Checkout(const pipeline::JobSpec& spec, const VariableMap& variables, CheckoutPlace place,
                   Sink sink, std::stop_token stop, std::chrono::milliseconds deadline)
    : spec_(spec),
      variables_(variables),
      place_(std::move(place)),
      stop_(std::move(stop)),
      remote_(RemoteAddress::parse(spec.repo_url)),
      git_(
          remote_, configuration(remote_, variables, place_),
          [this, sink = std::move(sink)](std::string_view chunk) {
            said_ += chunk;
            if (said_.size() > 2 * kKeptWords) said_.erase(0, said_.size() - kKeptWords);
            sink(chunk);
          },
          stop_, std::chrono::steady_clock::now() + deadline, place_.git) {}

Result<void> Checkout::run() {
  auto settings = git_settings(variables_, spec_.depth);
  if (!settings) return std::move(settings).error();
  settings_ = std::move(*settings);
  auto attempts = runner::attempts(variables_, "GET_SOURCES_ATTEMPTS");
  if (!attempts) return std::move(attempts).error();
  if (settings_.strategy == GitStrategy::None || settings_.strategy == GitStrategy::Empty) {
    git_.sink()("Skipping Git repository setup\n");
    if (settings_.strategy == GitStrategy::None) return {};
    git_.sink()("The job begins in an empty directory\n");
    return empty_tree();
  }
  if (!is_commit_id(spec_.sha))
    return fail(ErrorKind::InvalidInput, "'" + spec_.sha + "' is no commit id");
  if (!remote_.may_be_fetched(place_.git.local))
    return fail(ErrorKind::InvalidInput,
                "'" + remote_.url + "' is no address to fetch from: expected https, http or ssh");
  Result<void> done;
  std::chrono::milliseconds pause{1000};
  for (int attempt = 1; attempt <= *attempts; ++attempt, pause *= 2) {
    done = try_once(attempt > 1);
    const bool may_mend = !done && done.error().kind == ErrorKind::Unavailable;
    if (!may_mend || attempt == *attempts || !wait(pause)) break;
    git_.sink()("WARNING: " + done.error().message + "; attempt " + std::to_string(attempt + 1) +
                " of " + std::to_string(*attempts) + "\n");
  }
  return done;
}

// What is kept may have been damaged by a disk or a crash: then all is made anew, once.
Result<void> Checkout::try_once(bool anew) {
  said_.clear();
  auto done = get(anew);
  if (done || stop_.stop_requested() || !looks_damaged()) return done;
  git_.sink()("WARNING: what was kept of the repository is damaged; it is fetched anew\n");
  if (objects_) {
    if (!objects_->discard()) place_.objects.clear();
    objects_.reset();
  }
  return get(true);
}

bool Checkout::looks_damaged() const {
  for (const char* sign :
       {"bad object", "corrupt", "unable to read", "did not send all necessary objects", "inflate",
        "invalid object", "could not parse", "missing blob", "missing tree", "garbage at end",
        "not a git repository", "unable to parse", "bad index file", "does not match index",
        "is empty", "bad config"})
    if (said_.find(sign) != std::string::npos) return true;
  return false;
}

Result<void> Checkout::get(bool anew) {
  std::error_code ignored;
  const bool is_kept = !place_.index.empty() && fs::exists(place_.index, ignored) &&
                       fs::is_directory(fs::symlink_status(git_dir(), ignored));
  // The configuration of a submodule can name programs to run, and it lies within the tree.
  anew = anew || !is_kept || settings_.strategy == GitStrategy::Clone || !spec_.allow_git_fetch ||
         settings_.submodules != Submodules::None;
  git_.sink()(anew ? std::string{"Initialized empty Git repository\n"}
                   : "Fetching changes with git depth set to " + std::to_string(spec_.depth) +
                         "...\n");
  if (anew)
    if (auto emptied = empty_tree(); !emptied) return emptied;
  auto is_cached = fetch_into_cache();
  if (!is_cached) return std::move(is_cached).error();
  if (auto got = *is_cached ? borrow_objects() : fetch_into_tree(); !got) return got;
  if (!anew) {
    fs::copy_file(place_.index, git_dir() / "index", fs::copy_options::overwrite_existing, ignored);
    if (ignored) return directory_error(git_dir() / "index", ignored);
  }
  if (!settings_.checkout) return {};
  return check_out_commit();
}

Result<void> Checkout::empty_tree() {
  std::error_code failed;
  if (!place_.index.empty()) fs::remove(place_.index, failed);
  for (const auto& entry : fs::directory_iterator{place_.tree, failed}) {
    fs::remove_all(entry.path(), failed);
    if (failed) return errno_error("cannot remove '" + entry.path().string() + "'", failed.value());
  }
  if (failed) return directory_error(place_.tree, failed);
  return {};
}

Result<std::vector<std::string>> Checkout::fetch_arguments(const fs::path& repository) const {
  std::vector<std::string> arguments{"fetch", "--no-tags", "--no-recurse-submodules",
                                     "--no-write-fetch-head", "--force"};
  arguments.insert(arguments.end(), settings_.fetch_flags.begin(), settings_.fetch_flags.end());
  std::error_code ignored;
  if (spec_.depth > 0)
    arguments.push_back("--depth=" + std::to_string(spec_.depth));
  else if (fs::exists(repository / "shallow", ignored))
    arguments.emplace_back("--unshallow");
  arguments.insert(arguments.end(), {"--end-of-options", remote_.url});
  for (const std::string& refspec : spec_.refspecs) {
    if (refspec.empty() || refspec.front() == '-')
      return fail(ErrorKind::InvalidInput, "'" + refspec + "' is no refspec");
    arguments.push_back(refspec);
  }
  return arguments;
}

// False when no objects are kept for this job.
Result<bool> Checkout::fetch_into_cache() {
  if (place_.objects.empty()) return false;
  if (!objects_) {
    auto opened = ObjectCache::open(place_.objects, git_);
    if (!opened) {
      git_.sink()("WARNING: the job works without the kept objects: " + opened.error().message +
                  "\n");
      return false;
    }
    objects_ = std::move(*opened);
  }
  auto arguments = fetch_arguments(objects_->place());
  if (!arguments) return std::move(arguments).error();
  if (auto fetched = objects_->fetch(*arguments, git_); !fetched) return std::move(fetched).error();
  return true;
}

Result<void> Checkout::write_config() const {
  return replace_file(git_dir() / "config",
                      "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
                      "[remote \"origin\"]\n\turl = " +
                          config_quoted(remote_.url) +
                          "\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
                      0644);
}

// A repository that has all of its objects elsewhere, and exactly the refs that the job asks for.
Result<void> Checkout::borrow_objects() {
  auto refs = objects_->refs(git_);
  if (!refs) return std::move(refs).error();
  std::string packed;
  const bool with_tags = fetches_tags(settings_.fetch_flags);
  for (const ObjectCache::Ref& ref : *refs) {
    const bool is_wanted =
        (with_tags && ref.name.compare(0, 10, "refs/tags/") == 0) ||
        std::any_of(spec_.refspecs.begin(), spec_.refspecs.end(),
                    [&](const std::string& refspec) { return puts(refspec, ref.name); });
    if (is_wanted) packed += ref.commit + " " + ref.name + "\n";
  }
  std::error_code failed;
  fs::remove_all(git_dir(), failed);
  if (!failed) fs::create_directories(git_dir() / "objects" / "info", failed);
  if (!failed) fs::create_directories(git_dir() / "refs" / "heads", failed);
  if (!failed && fs::exists(objects_->shallow_file()))
    fs::copy_file(objects_->shallow_file(), git_dir() / "shallow", failed);
  if (failed) return directory_error(git_dir(), failed);
  for (const auto& [name, text] :
       {std::pair{fs::path{"HEAD"}, std::string{"ref: refs/heads/none\n"}},
        std::pair{fs::path{"packed-refs"}, packed},
        std::pair{fs::path{"objects/info/alternates"},
                  (objects_->place() / "objects").string() + "\n"}})
    if (auto written = overwrite_file(git_dir() / name, text, 0644); !written) return written;
  return write_config();
}

Result<void> Checkout::fetch_into_tree() {
  std::error_code failed;
  if (!fs::exists(git_dir() / "objects", failed) || has_links(git_dir())) {
    fs::remove_all(git_dir(), failed);
    if (auto made = git_.run(place_.tree, {"init", "--quiet", "--template=", "."}); !made)
      return made;
  }
  if (auto kept = keep_only_commits(git_dir()); !kept) return kept;
  if (auto head = overwrite_file(git_dir() / "HEAD", "ref: refs/heads/none\n", 0644); !head)
    return head;
  if (auto written = write_config(); !written) return written;
  auto arguments = fetch_arguments(git_dir());
  if (!arguments) return std::move(arguments).error();
  return git_.run(place_.tree, *arguments);
}

Result<void> Checkout::check_out_commit() {
  const std::vector<std::string> arguments{"checkout", "--quiet", "--force", "--detach", spec_.sha};
  if (auto out = git_.run(place_.tree, arguments); !out) return out;
  git_.sink()("Checking out " + spec_.sha.substr(0, 8) + " as detached HEAD (ref is " + spec_.ref +
              ")...\n");
  if (settings_.clean) {
    std::vector<std::string> clean{"clean", "--quiet"};
    clean.insert(clean.end(), settings_.clean_flags.begin(), settings_.clean_flags.end());
    if (auto cleaned = git_.run(place_.tree, clean); !cleaned) return cleaned;
  }
  if (auto got = get_large_files(); !got) return got;
  if (settings_.submodules == Submodules::None) {
    git_.sink()("Skipping Git submodules setup\n");
    keep_index();
    return {};
  }
  return get_submodules();
}

Result<void> Checkout::get_large_files() {
  if (!settings_.lfs || !has_git_lfs()) return {};
  const auto uses =
      git_.read(place_.tree, {"ls-files", "--", ".gitattributes", "**/.gitattributes"});
  if (!uses) return uses.error();
  if (uses->empty()) return {};
  return pull_large_files({"lfs", "pull"});
}

Result<void> Checkout::pull_large_files(const std::vector<std::string>& arguments) {
  auto pulled = git_.run(place_.tree, arguments);
  if (pulled || stop_.stop_requested()) return pulled;
  return std::move(pulled)
      .error()
      .in("cannot get the large files of Git LFS")
      .with_hint(
          "The server of the repository must have them, or another one that `lfs.url` in the "
          "repository's .lfsconfig names; with GIT_LFS_SKIP_SMUDGE: '1' in the job's `variables` "
          "it runs without them, with their pointers.");
}

// Without it the next job checks all files out: no mistake.
void Checkout::keep_index() const {
  if (place_.index.empty()) return;
  std::error_code failed;
  fs::remove(place_.index, failed);
  fs::copy_file(git_dir() / "index", place_.index, failed);
}

void Checkout::tidy_objects() {
  objects_.reset();
  submodule_objects_.clear();
  if (!place_.objects.empty()) ObjectCache::tidy(place_.objects, git_);
}

// False when it was to stop.
bool Checkout::wait(std::chrono::milliseconds time) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop_, std::min(time, git_.time_left()), [] { return false; });
  return !stop_.stop_requested();
}

}  // namespace slipway::runner
