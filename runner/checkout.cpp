#include "runner/checkout.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <system_error>

#include "base/crypto.h"
#include "base/files.h"
#include "base/process.h"

namespace slipway::runner {
namespace {

struct CleanUrl {
  std::string url;        // without credentials
  std::string user_info;  // "user:password", "" without
};

CleanUrl split_credentials(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return {url, ""};
  const auto host = scheme + 3;
  const auto slash = std::min(url.find('/', host), url.size());
  const auto at = url.rfind('@', slash);
  if (at == std::string::npos || at < host) return {url, ""};
  return {url.substr(0, host) + url.substr(at + 1), url.substr(host, at - host)};
}

// Only what travels over a network: a path or a `file://` would read the runner's own disk, and
// `ext::` runs a command.
bool may_fetch_from(const std::string& url, LocalRepositories local) {
  if (local == LocalRepositories::allowed && url.compare(0, 8, "file:///") == 0) return true;
  for (const std::string_view scheme : {"https://", "http://", "ssh://"})
    if (url.compare(0, scheme.size(), scheme) == 0)
      return url.size() > scheme.size() && url[scheme.size()] != '-' && url[scheme.size()] != '/';
  return false;
}

// `-ffdx`, `-e pattern` and the like: nothing that is a path or a long option.
Result<std::vector<std::string>> clean_flags(const std::string& text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  std::vector<std::string> flags;
  bool is_pattern = false;  // belongs to the -e before it
  std::istringstream words{text};
  for (std::string word; words >> word; flags.push_back(word)) {
    if (is_pattern) {
      is_pattern = false;
      continue;
    }
    const bool has_pattern = word.compare(0, 2, "-e") == 0 && word.size() > 2;
    if (has_pattern) continue;
    if (word.size() < 2 || word.front() != '-' ||
        !std::all_of(word.begin() + 1, word.end(), is_letter))
      return fail(ErrorKind::InvalidInput,
                  "GIT_CLEAN_FLAGS: '" + word + "' is no flag of git clean");
    is_pattern = word.back() == 'e';
  }
  if (is_pattern) return fail(ErrorKind::InvalidInput, "GIT_CLEAN_FLAGS: -e needs a pattern");
  return flags;
}

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

class Git {
 public:
  Git(const std::filesystem::path& tree, const CleanUrl& remote, const Sink& sink,
      const std::stop_token& stop, std::chrono::milliseconds deadline, LocalRepositories local)
      : tree_(tree),
        remote_(remote),
        sink_(sink),
        stop_(stop),
        until_(std::chrono::steady_clock::now() + deadline),
        local_(local) {}

  Result<void> run(std::vector<std::string> arguments) const {
    ProcessSpec spec;
    spec.argv = {"git"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.workdir = tree_;
    spec.env = environment();
    spec.deadline = std::max(std::chrono::milliseconds{1},
                             std::chrono::duration_cast<std::chrono::milliseconds>(
                                 until_ - std::chrono::steady_clock::now()));
    const auto outcome = run_process(spec, sink_, stop_);
    if (!outcome) return outcome.error();
    if (outcome->succeeded()) return {};
    if (outcome->end == ProcessEnd::TimedOut)
      return fail(ErrorKind::Unavailable, "git " + arguments.front() + " took too long");
    return fail(ErrorKind::Unavailable, "git " + arguments.front() + " failed with exit code " +
                                            std::to_string(outcome->code));
  }

 private:
  // Configuration by environment overrides the tree's own, which a job could have written.
  std::map<std::string, std::string> environment() const {
    auto environment = environment_subset({"PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"});
    environment["GIT_TERMINAL_PROMPT"] = "0";
    environment["GIT_ALLOW_PROTOCOL"] =  // for submodules too
        local_ == LocalRepositories::allowed ? "https:http:ssh:file" : "https:http:ssh";
    environment["GIT_CONFIG_NOSYSTEM"] = "1";
    environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
    environment["LC_ALL"] = "C";
    std::vector<std::pair<std::string, std::string>> configuration{
        {"core.hooksPath", "/dev/null"},
        {"core.fsmonitor", "false"},
        {"fetch.recurseSubmodules", "false"},
        {"gc.auto", "0"},
        {"safe.directory", "*"},
        {"advice.detachedHead", "false"},
        {"credential.helper", ""},
        {"init.defaultBranch", "none"}};
    if (!remote_.user_info.empty())
      configuration.emplace_back("http." + remote_.url + ".extraHeader",
                                 "Authorization: Basic " + base64_encode(remote_.user_info));
    environment["GIT_CONFIG_COUNT"] = std::to_string(configuration.size());
    for (std::size_t i = 0; i < configuration.size(); ++i) {
      environment["GIT_CONFIG_KEY_" + std::to_string(i)] = configuration[i].first;
      environment["GIT_CONFIG_VALUE_" + std::to_string(i)] = configuration[i].second;
    }
    return environment;
  }

  const std::filesystem::path& tree_;
  const CleanUrl& remote_;
  const Sink& sink_;
  const std::stop_token& stop_;
  std::chrono::steady_clock::time_point until_;
  LocalRepositories local_;
};

std::string value_of(const std::map<std::string, std::string>& variables, const char* name,
                     const char* otherwise) {
  const auto at = variables.find(name);
  return at == variables.end() || at->second.empty() ? otherwise : at->second;
}

// Whether git can start from what an earlier job left. A link could lead it out of the tree, and a
// submodule's own configuration can name programs to run: with either it starts anew.
bool is_reusable(const std::filesystem::path& git_dir, bool with_submodules) {
  namespace fs = std::filesystem;
  std::error_code failed;
  if (with_submodules || !fs::is_directory(fs::symlink_status(git_dir, failed)) ||
      !fs::is_regular_file(fs::symlink_status(git_dir / "HEAD", failed)))
    return false;
  fs::recursive_directory_iterator at{git_dir, failed};
  for (const fs::recursive_directory_iterator end; !failed && at != end; at.increment(failed))
    if (at->is_symlink(failed)) return false;
  return !failed;
}

// An earlier job may have written anything in .git, and git runs what its configuration names: only
// what holds commits is kept (`commondir`, for one, would bring another configuration).
Result<void> reset_repository(const std::filesystem::path& git_dir) {
  constexpr std::array kKept{"HEAD", "index", "objects", "packed-refs", "refs", "shallow"};
  std::error_code failed;
  std::vector<std::filesystem::path> rest{git_dir / "objects" / "info" / "alternates",
                                          git_dir / "objects" / "info" / "http-alternates"};
  for (const auto& entry : std::filesystem::directory_iterator{git_dir, failed})
    if (std::find(kKept.begin(), kKept.end(), entry.path().filename().string()) == kKept.end())
      rest.push_back(entry.path());
  for (const auto& path : rest)
    if (!failed) std::filesystem::remove_all(path, failed);
  if (failed) return errno_error("cannot clean '" + git_dir.string() + "'", failed.value());
  return replace_file(git_dir / "config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n",
                      0644);
}

Result<void> fetch(const pipeline::JobSpec& spec, const Git& git, const CleanUrl& remote) {
  std::vector<std::string> arguments{
      "fetch",   "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--prune",
      "--quiet", "--force"};
  if (spec.depth > 0) arguments.push_back("--depth=" + std::to_string(spec.depth));
  arguments.insert(arguments.end(), {"--end-of-options", remote.url});
  for (const std::string& refspec : spec.refspecs) {
    if (refspec.empty() || refspec.front() == '-')
      return fail(ErrorKind::InvalidInput, "'" + refspec + "' is no refspec");
    arguments.push_back(refspec);
  }
  return git.run(std::move(arguments));
}

Result<void> clean(const std::map<std::string, std::string>& variables, const Git& git) {
  const std::string flags = value_of(variables, "GIT_CLEAN_FLAGS", "-ffdx");
  if (flags == "none") return {};
  auto words = clean_flags(flags);
  if (!words) return std::move(words).error();
  std::vector<std::string> arguments{"clean", "--quiet"};
  arguments.insert(arguments.end(), words->begin(), words->end());
  return git.run(std::move(arguments));
}

}  // namespace

Result<void> check_out(const pipeline::JobSpec& spec,
                       const std::map<std::string, std::string>& variables,
                       const std::filesystem::path& tree, const Sink& sink,
                       const std::stop_token& stop, std::chrono::milliseconds deadline,
                       LocalRepositories local) {
  const std::string strategy = value_of(variables, "GIT_STRATEGY", "fetch");
  if (strategy == "none" || strategy == "empty") {
    sink("Skipping Git repository setup\n");
    return {};
  }
  if (strategy != "fetch" && strategy != "clone")
    return fail(ErrorKind::InvalidInput,
                "GIT_STRATEGY is '" + strategy + "', expected fetch, clone, none or empty");
  if (!is_commit_id(spec.sha))
    return fail(ErrorKind::InvalidInput, "'" + spec.sha + "' is no commit id");
  const CleanUrl remote = split_credentials(spec.repo_url);
  if (!may_fetch_from(remote.url, local))
    return fail(ErrorKind::InvalidInput,
                "'" + remote.url + "' is no address to fetch from: expected https, http or ssh");
  std::error_code failed;
  const auto git_dir = tree / ".git";
  const std::string submodules = value_of(variables, "GIT_SUBMODULE_STRATEGY", "none");
  const bool usable = is_reusable(git_dir, submodules != "none");
  if (strategy == "clone" || !usable)
    for (const auto& entry : std::filesystem::directory_iterator{tree, failed})
      std::filesystem::remove_all(entry.path(), failed);

  const Git git{tree, remote, sink, stop, deadline, local};
  sink(usable && strategy == "fetch"
           ? "Fetching changes with git depth set to " + std::to_string(spec.depth) + "...\n"
           : std::string{"Initialized empty Git repository\n"});
  if (strategy == "clone" || !usable)
    if (auto made = git.run({"init", "--quiet", "--template=", "."}); !made) return made;
  if (auto reset = reset_repository(git_dir); !reset) return reset;
  if (auto fetched = fetch(spec, git, remote); !fetched) return fetched;
  if (value_of(variables, "GIT_CHECKOUT", "true") == "false") return {};
  if (auto out = git.run({"checkout", "--quiet", "--force", "--detach", spec.sha}); !out)
    return out;
  sink("Checking out " + spec.sha.substr(0, 8) + " as detached HEAD (ref is " + spec.ref +
       ")...\n");
  if (auto cleaned = clean(variables, git); !cleaned) return cleaned;
  if (submodules == "none") {
    sink("Skipping Git submodules setup\n");
    return {};
  }
  std::vector<std::string> arguments{"submodule", "update", "--init", "--force"};
  if (submodules == "recursive") arguments.emplace_back("--recursive");
  return git.run(std::move(arguments));
}

}  // namespace slipway::runner
