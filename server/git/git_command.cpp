#include "server/git/git_command.h"

#include <algorithm>
#include <cctype>

namespace slipway::server {
namespace {

constexpr std::size_t kLongestOutput = std::size_t{16} << 20U;

Error invalid(std::string_view url, const std::string& why) {
  return fail(ErrorKind::InvalidInput,
              "'" + std::string{url} + "' is no repository to fetch from: " + why)
      .with_hint("write it as https://host/path.git or ssh://user@host/path.git");
}

// Brackets are taken away before ssh sees what is in them.
bool is_host(std::string_view host) {
  const std::string_view bare = host.substr(0, 1) == "[" ? host.substr(1) : host;
  return !bare.empty() && bare.front() != '-' &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':' ||
                  c == '[' || c == ']';
         });
}

// "user@" in front of a host is fine for ssh; with a password it is not.
Result<void> check_authority(std::string_view url, std::string_view authority) {
  const auto at = authority.rfind('@');
  const std::string_view user = at == std::string_view::npos ? "" : authority.substr(0, at);
  const std::string_view host = at == std::string_view::npos ? authority : authority.substr(at + 1);
  if (user.find(':') != std::string_view::npos)
    return invalid("…", "a password does not belong into an address, where logs would show it");
  if (!user.empty() && !is_host(user)) return invalid(url, "the user name is not one");
  if (!is_host(host)) return invalid(url, "the host is missing or not one");
  return {};
}

// user@host:path, as ssh has it.
Result<void> check_scp_form(std::string_view url) {
  const auto colon = url.find(':');
  if (colon == std::string_view::npos || url.substr(0, colon).find('/') != std::string_view::npos)
    return invalid(url, "the scheme is missing");
  for (const std::string_view scheme : {"http", "https", "ssh", "git", "file"})
    if (url.substr(0, colon) == scheme) return invalid(url, "// must follow the scheme");
  if (url.substr(colon).substr(0, 2) == "::") return invalid(url, "remote helpers are refused");
  if (colon + 1 == url.size() || url[colon + 1] == '-') return invalid(url, "the path is missing");
  return check_authority(url, url.substr(0, colon));
}

}  // namespace

Result<void> check_repository_url(std::string_view url, LocalRepositories local) {
  if (url.empty()) return invalid(url, "it is empty");
  if (url.size() > 2048) return invalid(url.substr(0, 60), "it is too long");
  if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7F; }))
    return invalid(url, "it holds spaces or control characters");
  if (url.front() == '-') return invalid(url, "it begins with a dash");
  if (url.front() == '/') {
    if (local == LocalRepositories::allowed) return {};
    return invalid(url, "paths on the server's machine are refused")
        .with_hint("start the server with allow_local_repositories to allow them");
  }
  for (const std::string_view scheme : {"https://", "ssh://"}) {
    if (url.substr(0, scheme.size()) != scheme) continue;
    const std::string_view rest = url.substr(scheme.size());
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos || slash + 1 == rest.size())
      return invalid(url, "the path is missing");
    return check_authority(url, rest.substr(0, slash));
  }
  if (url.find("://") != std::string_view::npos)
    return invalid(url, "only https and ssh are allowed");
  return check_scp_form(url);
}

bool is_safe_ref(std::string_view ref) {
  if (ref.empty() || ref.size() > 255 || ref.front() == '-' || ref.front() == '/' ||
      ref.back() == '/' || ref.back() == '.')
    return false;
  if (ref.find("..") != std::string_view::npos || ref.find("@{") != std::string_view::npos ||
      ref.find("//") != std::string_view::npos)
    return false;
  static constexpr std::string_view kForbidden = " ~^:?*[\\";
  return std::none_of(ref.begin(), ref.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7F ||
           kForbidden.find(c) != std::string_view::npos;
  });
}

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

ProcessSpec git_process(const std::filesystem::path& repository,
                        const std::vector<std::string>& arguments, LocalRepositories local) {
  ProcessSpec spec;
  spec.argv = {"git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
               "protocol.version=2", "-c", "fetch.recurseSubmodules=no", "-c",
               "transfer.fsckObjects=true", "-c", "gc.auto=0",
               // A host that accepts and says nothing holds nobody up for long.
               "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60", "-c",
               "safe.directory=*"};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.workdir = repository;
  spec.env = environment_subset({"PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"});
  spec.env["GIT_ALLOW_PROTOCOL"] =
      local == LocalRepositories::allowed ? "https:ssh:file" : "https:ssh";
  spec.env["GIT_CONFIG_NOSYSTEM"] = "1";
  spec.env["GIT_CONFIG_GLOBAL"] = "/dev/null";
  spec.env["GIT_TERMINAL_PROMPT"] = "0";
  spec.env["GIT_ASKPASS"] = "/bin/false";
  spec.env["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes -oConnectTimeout=20";
  spec.env["LC_ALL"] = "C";
  return spec;
}

Result<std::string> run_git(const std::filesystem::path& repository,
                            const std::vector<std::string>& arguments, LocalRepositories local,
                            std::chrono::milliseconds deadline, const std::stop_token& stop) {
  ProcessSpec spec = git_process(repository, arguments, local);
  spec.error_output = Stderr::Separate;
  spec.deadline = deadline;
  spec.grace = std::chrono::seconds{1};
  auto done = collect_process(spec, kLongestOutput, stop);
  if (!done) return std::move(done).error();
  const ProcessOutcome& outcome = done->outcome;
  if (outcome.succeeded()) return std::move(done->output);
  const std::string what = "git " + arguments.front();
  if (outcome.end == ProcessEnd::Cancelled)
    return fail(ErrorKind::Unavailable, what + " was stopped: the server is stopping");
  if (outcome.end == ProcessEnd::TimedOut)
    return fail(ErrorKind::Unavailable,
                what + " took longer than " + std::to_string(deadline.count() / 1000) + " s");
  std::string words = outcome.error_output;
  while (!words.empty() && std::isspace(static_cast<unsigned char>(words.back())) != 0)
    words.pop_back();
  return fail(ErrorKind::Unavailable, what + " failed: " + words);
}

}  // namespace slipway::server
