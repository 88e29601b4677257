#include "cli/run_trigger.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.h"
#include "pipeline/variables.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShortestSecret = 8;  // a shorter one would be masked all over the log
constexpr std::size_t kLargestSecrets = std::size_t{1} << 20U;

bool is_segment(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !text.empty() && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), is_plain);
}

bool is_project_path(const std::string& path) {
  std::size_t from = 0;
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', from)) {
    if (!is_segment(path.substr(from, slash - from))) return false;
    from = slash + 1;
  }
  return is_segment(path.substr(from));
}

std::string directory_as_name(const fs::path& root) {
  std::string name = root.filename().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_segment(std::string{"x"} + c); }, '-');
  return is_segment(name) ? name : "project";
}

void add_project(const EventOptions& options, const runner::Snapshot& snapshot,
                 pipeline::Trigger& trigger) {
  const ProjectAddress address = project_address(snapshot.remote_url);
  trigger.project.id = 1;
  trigger.project.path =
      address.path.empty() ? "local/" + directory_as_name(snapshot.root) : address.path;
  trigger.server.url = address.server.empty() ? "http://localhost" : address.server;
  trigger.server.version = SLIPWAY_VERSION;
  if (!options.default_branch.empty())
    trigger.project.default_branch = options.default_branch;
  else if (!snapshot.default_branch.empty())
    trigger.project.default_branch = snapshot.default_branch;
}

}  // namespace

ProjectAddress project_address(const std::string& remote_url) {
  std::string host;
  std::string path;
  const auto scheme = remote_url.find("://");
  if (scheme != std::string::npos) {
    const auto begin = scheme + 3;
    const auto slash = remote_url.find('/', begin);
    if (slash == std::string::npos) return {};
    host = remote_url.substr(begin, slash - begin);
    path = remote_url.substr(slash + 1);
    // Of ssh the port is not the web server's.
    if (remote_url.compare(0, 4, "http") != 0) host = host.substr(0, host.find(':'));
  } else {
    const auto colon = remote_url.find(':');  // user@host:path
    if (colon == std::string::npos || remote_url.find('/') < colon) return {};
    host = remote_url.substr(0, colon);
    path = remote_url.substr(colon + 1);
  }
  if (const auto at = host.rfind('@'); at != std::string::npos) host.erase(0, at + 1);
  while (!path.empty() && path.back() == '/') path.pop_back();
  if (path.size() > 4 && path.compare(path.size() - 4, 4, ".git") == 0)
    path.resize(path.size() - 4);
  if (host.empty() || !is_project_path(path)) return {};
  const bool is_plain = remote_url.compare(0, 7, "http://") == 0;
  return {(is_plain ? "http://" : "https://") + host, path};
}

Result<pipeline::Trigger> trigger_of(const EventOptions& options,
                                     const runner::Snapshot& snapshot) {
  pipeline::Trigger trigger;
  if (options.event == "tag" && options.tag.empty())
    return fail(ErrorKind::InvalidInput, "--event tag needs --tag NAME");
  if (options.event == "merge_request") {
    trigger.source = pipeline::Source::MergeRequestEvent;
  } else if (options.event != "tag") {
    auto source = pipeline::parse_source(options.event);
    if (!source) return std::move(source).error();
    trigger.source = *source;
  }
  add_project(options, snapshot, trigger);
  trigger.tag = options.tag;
  if (trigger.tag.empty())
    trigger.branch = !options.branch.empty()    ? options.branch
                     : !snapshot.branch.empty() ? snapshot.branch
                                                : trigger.project.default_branch;
  if (trigger.source == pipeline::Source::MergeRequestEvent)
    trigger.merge_request =
        pipeline::MergeRequestFacts{.iid = "1",
                                    .source_branch = trigger.branch,
                                    .target_branch = trigger.project.default_branch};
  trigger.sha = snapshot.sha;
  trigger.commit_message = snapshot.message;
  trigger.commit_author = snapshot.author;
  trigger.commit_timestamp = snapshot.timestamp;
  const char* user = std::getenv("USER");  // NOLINT(concurrency-mt-unsafe): at start
  if (user != nullptr) trigger.user_login = trigger.user_name = user;
  trigger.changed_paths = snapshot.changed_paths;
  trigger.paths = snapshot.paths;
  for (const std::string& given : options.variables) {
    const auto equals = given.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(ErrorKind::InvalidInput, "--var must be NAME=VALUE, not '" + given + "'");
    set_variable(trigger.pipeline_variables, {given.substr(0, equals), given.substr(equals + 1)});
  }
  if (!options.secrets.empty()) {
    auto secrets = read_secrets(options.secrets);
    if (!secrets) return std::move(secrets).error();
    trigger.project_variables.assign(secrets->begin(), secrets->end());
  }
  return trigger;
}

Result<pipeline::Variables> read_secrets(const fs::path& file) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0)
    return errno_error("cannot read '" + file.string() + "'", errno);
  if ((facts.st_mode & 077U) != 0)
    return fail(ErrorKind::Denied, "'" + file.string() + "' can be read by others than its owner")
        .with_hint("chmod 600 " + file.string());
  const auto text = read_file(file, kLargestSecrets);
  if (!text) return text.error();
  auto secrets = pipeline::parse_dotenv(*text);
  if (!secrets) return std::move(secrets).error().in(file.string());
  for (pipeline::Variable& secret : *secrets) {
    if (secret.value.size() < kShortestSecret)
      return fail(ErrorKind::InvalidInput, file.string() + ": the value of '" + secret.name +
                                               "' has less than 8 characters and cannot be masked")
          .with_hint("give what is no secret with --var");
    secret.masked = secret.raw = true;
  }
  return secrets;
}

}  // namespace slipway::cli
