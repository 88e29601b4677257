#include "runner/git_command.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/crypto.h"
#include "runner/slot_process.h"

namespace slipway::runner {
namespace {

bool starts_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

GitConfiguration own_configuration() {
  return {{"core.hooksPath", "/dev/null"},
          {"core.fsmonitor", "false"},
          {"core.sshCommand", "ssh -oBatchMode=yes"},
          {"fetch.recurseSubmodules", "false"},
          {"gc.auto", "0"},
          {"maintenance.auto", "false"},
          {"safe.directory", "*"},
          {"advice.detachedHead", "false"},
          {"credential.helper", ""},
          {"init.defaultBranch", "none"}};
}

std::string outcome_words(const std::vector<std::string>& arguments,
                          const ProcessOutcome& outcome) {
  const std::string name = "git " + arguments.front();
  if (outcome.end == ProcessEnd::TimedOut) return name + " took too long";
  if (outcome.end == ProcessEnd::Signalled)
    return name + " was ended by signal " + std::to_string(outcome.code);
  return name + " failed with exit code " + std::to_string(outcome.code);
}

}  // namespace

RemoteAddress RemoteAddress::parse(const std::string& url) {
  RemoteAddress made;
  made.url = url;
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return made;
  const auto begin = scheme + 3;
  const auto slash = std::min(url.find('/', begin), url.size());
  auto host = begin;
  if (const auto at = url.rfind('@', slash); at != std::string::npos && at >= begin) {
    made.user_info = url.substr(begin, at - begin);
    made.url = url.substr(0, begin) + url.substr(at + 1);
    host = at + 1;
  }
  if (starts_with(url, "http")) made.server = url.substr(0, begin) + url.substr(host, slash - host);
  made.host = url.substr(host, std::min(url.find(':', host), slash) - host);
  return made;
}

bool RemoteAddress::may_be_fetched(LocalRepositories local) const {
  if (local == LocalRepositories::allowed && starts_with(url, "file:///")) return true;
  for (const std::string_view scheme : {"https://", "http://", "ssh://"})
    if (starts_with(url, scheme))
      return url.size() > scheme.size() && url[scheme.size()] != '-' && url[scheme.size()] != '/';
  return false;
}

std::map<std::string, std::string> to_environment(const GitConfiguration& configuration) {
  std::map<std::string, std::string> environment;
  environment["GIT_CONFIG_COUNT"] = std::to_string(configuration.size());
  for (std::size_t i = 0; i < configuration.size(); ++i) {
    environment["GIT_CONFIG_KEY_" + std::to_string(i)] = configuration[i].first;
    environment["GIT_CONFIG_VALUE_" + std::to_string(i)] = configuration[i].second;
  }
  return environment;
}

GitConfiguration credentials_of(const RemoteAddress& remote) {
  if (remote.user_info.empty() || remote.server.empty()) return {};
  return {{"http." + remote.server + "/.extraHeader",
           "Authorization: Basic " + base64_encode(remote.user_info)}};
}

Git::Git(const RemoteAddress& remote, GitConfiguration more, Sink sink, std::stop_token stop,
         std::chrono::steady_clock::time_point until, GitOptions options)
    : sink_(std::move(sink)), stop_(std::move(stop)), until_(until), options_(options) {
  GitConfiguration configuration = own_configuration();
  for (GitConfiguration part : {credentials_of(remote), std::move(more)})
    configuration.insert(configuration.end(), part.begin(), part.end());
  environment_ = environment_subset({"PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", kSlotMark});
  environment_["GIT_TERMINAL_PROMPT"] = "0";
  environment_["GIT_ALLOW_PROTOCOL"] =  // for submodules too
      options_.local == LocalRepositories::allowed ? "https:http:ssh:file" : "https:http:ssh";
  environment_["GIT_CONFIG_NOSYSTEM"] = "1";
  environment_["GIT_CONFIG_GLOBAL"] = "/dev/null";
  environment_["LC_ALL"] = "C";
  environment_.merge(to_environment(configuration));
}

std::chrono::milliseconds Git::time_left() const {
  return std::max(std::chrono::milliseconds{1},
                  std::chrono::duration_cast<std::chrono::milliseconds>(
                      until_ - std::chrono::steady_clock::now()));
}

ProcessSpec Git::call(const std::filesystem::path& directory,
                      const std::vector<std::string>& arguments) const {
  ProcessSpec spec;
  spec.argv = {"git"};
  // A change of mode afterwards would make git look at every file again.
  if (options_.for_any_user) spec.argv = {"/bin/sh", "-c", "umask 0 && exec git \"$@\"", "git"};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.workdir = directory;
  spec.env = environment_;
  spec.deadline = time_left();
  return spec;
}

Result<void> Git::run(const std::filesystem::path& directory,
                      const std::vector<std::string>& arguments) const {
  ProcessSpec spec = call(directory, arguments);
  const auto outcome = run_process(spec, sink_, stop_);
  if (!outcome) return outcome.error();
  if (outcome->succeeded()) return {};
  return fail(ErrorKind::Unavailable, outcome_words(arguments, *outcome));
}

Result<std::string> Git::read(const std::filesystem::path& directory,
                              const std::vector<std::string>& arguments) const {
  ProcessSpec spec = call(directory, arguments);
  spec.error_output = Stderr::Separate;
  constexpr std::size_t kMostOutput = std::size_t{256} << 20U;
  auto done = collect_process(spec, kMostOutput, stop_);
  if (!done) return std::move(done).error();
  if (done->outcome.succeeded()) return std::move(done->output);
  sink_(done->outcome.error_output);
  return fail(ErrorKind::Unavailable, outcome_words(arguments, done->outcome));
}

bool has_git_lfs() {
  const auto environment = environment_subset({"PATH"});
  const auto path = environment.find("PATH");
  const std::string places = path == environment.end() ? "/usr/bin:/bin" : path->second;
  std::string_view rest = places;
  while (!rest.empty()) {
    const auto colon = std::min(rest.find(':'), rest.size());
    const auto program = std::filesystem::path{rest.substr(0, colon)} / "git-lfs";
    if (colon > 0 && ::access(program.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return false;
}

}  // namespace slipway::runner
