#include "runner/config.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "base/crypto.h"
#include "base/files.h"

namespace slipway::runner {
namespace {

auto text_row(std::string& target) {
  return [&target](const std::string& text) {
    target = text;
    return std::string{};
  };
}

std::string set_environment(std::vector<std::string>& target, const std::string& text) {
  target.clear();
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string line{rest.substr(0, end)};
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    if (line.find('=') == std::string::npos || line.front() == '=')
      return "a list of NAME=value, one a line";
    target.push_back(line);
  }
  return {};
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + "\n") {
    if (c != ' ' && c != ',' && c != '\n')
      word += c;
    else if (!word.empty())
      words.push_back(std::exchange(word, {}));
  }
  return words;
}

// Of a volume or a network.
bool is_docker_name(std::string_view text) {
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
         });
}

std::string set_policies(std::vector<std::string>& target, const std::string& text) {
  target = words_of(text);
  const bool known = std::all_of(target.begin(), target.end(), [](const std::string& policy) {
    return policy == "always" || policy == "if-not-present" || policy == "never";
  });
  return known && !target.empty() ? "" : "always, if-not-present or never";
}

// The engine's socket has a setting of its own, so that nobody hands the machine over by the way.
std::string set_volumes(std::vector<std::string>& target, const std::string& text) {
  target = words_of(text);
  for (const std::string& volume : target) {
    const std::string source = volume.substr(0, volume.find(':'));
    const bool is_path_alone = source.size() == volume.size() && volume.front() == '/';
    const bool is_mount = source.size() < volume.size() && !source.empty() &&
                          volume.compare(source.size(), 2, ":/") == 0 &&
                          (source.front() == '/' || is_docker_name(source));
    if ((!is_path_alone && !is_mount) || volume.find("docker.sock") != std::string::npos)
      return "a list of /host/path:/path, volume:/path (both may end in :ro) or /path; for the "
             "engine's socket see runner_docker_socket";
  }
  return {};
}

std::string set_extra_hosts(std::vector<std::string>& target, const std::string& text) {
  target = words_of(text);
  for (const std::string& host : target) {
    const auto colon = host.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == host.size() || host[0] == '-')
      return "a list of name:address, as db.example.com:10.0.0.5";
  }
  return {};
}

std::string set_network_mode(std::string& target, const std::string& text) {
  target = text == "bridge" || text == "default" ? "" : text;
  return target.empty() || is_docker_name(target) ? "" : "host, none or the name of a network";
}

auto words_row(std::vector<std::string>& target) {
  return [&target](const std::string& text) {
    target = words_of(text);
    return std::string{};
  };
}

auto bytes_row(long long& target) {
  return [&target](const std::string& text) -> std::string {
    const auto bytes = parse_bytes(text);
    if (!bytes) return "a size, as 500M";
    target = *bytes;
    return {};
  };
}

auto time_row(std::chrono::seconds& target, const char* expected) {
  return [&target, expected](const std::string& text) -> std::string {
    const auto seconds = parse_seconds(text);
    if (!seconds) return expected;
    target = std::chrono::seconds{*seconds};
    return {};
  };
}

std::optional<bool> parse_yes_or_no(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<CachePlace> parse_cache_place(std::string_view text) {
  if (text == "local") return CachePlace::Local;
  if (text == "server") return CachePlace::Server;
  return std::nullopt;
}

std::string host_name() {
  char name[256] = "runner";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string yaml_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string{"''"} : std::string{c};
  return quoted + "'";
}

}  // namespace

std::string_view to_string(ExecutorKind kind) {
  switch (kind) {
    case ExecutorKind::Shell: return "shell";
    case ExecutorKind::Docker: return "docker";
  }
  return "shell";
}

Result<ExecutorKind> parse_executor(std::string_view text) {
  if (text == "shell") return ExecutorKind::Shell;
  if (text == "docker") return ExecutorKind::Docker;
  return fail(ErrorKind::InvalidInput,
              "'" + std::string{text} + "' is no executor, expected shell or docker");
}

std::vector<Setting> settings_table(RunnerSettings& s) {
  return {
      {"runner_url", "address of the server", "http://127.0.0.1:8080", text_row(s.url)},
      {"runner_token", "token of the runner (glrt-…)", "", text_row(s.token), SettingKind::Secret},
      {"runner_executor", "shell or docker", "shell",
       parsed_row(s.executor, parse_executor, "shell or docker")},
      {"runner_concurrent", "jobs at the same time", "1", count_row(s.concurrent, 1, 256)},
      {"runner_name", "name in its logs and in job logs (the host's)", host_name(),
       text_row(s.name)},
      {"runner_builds_dir", "directory of the work trees", "./builds",
       [&s](const std::string& text) {
         s.builds_dir = text;
         return text.empty() ? std::string{"a directory"} : std::string{};
       }},
      {"runner_cache_dir", "directory of the jobs' caches", "./cache",
       [&s](const std::string& text) {
         s.cache_dir = text;
         return text.empty() ? std::string{"a directory"} : std::string{};
       }},
      {"runner_cache_size", "most bytes of all caches; the one used longest ago goes first", "10G",
       bytes_row(s.cache_size)},
      {"runner_cache_place",
       "local: caches are this machine's; server: the runners of a project share them", "local",
       parsed_row(s.cache_place, parse_cache_place, "local or server")},
      {"runner_disk_budget", "most bytes of all that is kept for later jobs; 0 is no limit", "0",
       bytes_row(s.disk_budget)},
      {"runner_disk_min_free", "what is kept for later jobs goes until as much is free", "1G",
       bytes_row(s.disk_min_free)},
      {"runner_disk_max_age", "what no job has used for so long goes; 0 keeps it", "30d",
       time_row(s.disk_max_age, "a time, as 30d")},
      {"runner_git_cache", "whether git's objects are kept in the cache for all trees of a project",
       "true", parsed_row(s.git_cache, parse_yes_or_no, "true or false")},
      {"runner_default_image", "image of docker jobs that name none", "",
       text_row(s.default_image)},
      {"runner_environment", "NAME=value lines that every job gets", "",
       [&s](const std::string& text) { return set_environment(s.environment, text); }},
      {"runner_pull_policy", "always, if-not-present or never; several are tried in turn",
       "if-not-present",
       [&s](const std::string& text) { return set_policies(s.pull_policies, text); }},
      {"runner_allowed_pull_policies", "those that `image: pull_policy` may ask for",
       "always, if-not-present, never",
       [&s](const std::string& text) { return set_policies(s.allowed_pull_policies, text); }},
      {"runner_allowed_images", "globs of the images that jobs may name, as ruby:*; none: all", "",
       words_row(s.allowed_images)},
      {"runner_allowed_services", "globs of the images that services may have; none: all", "",
       words_row(s.allowed_services)},
      {"runner_pre_get_sources_script", "commands before each job's sources are got", "",
       text_row(s.pre_get_sources_script)},
      {"runner_post_get_sources_script", "commands after that", "",
       text_row(s.post_get_sources_script)},
      {"runner_pre_build_script", "commands before each job's own, in the same shell", "",
       text_row(s.pre_build_script)},
      {"runner_post_build_script", "commands after each job's own, in the same shell", "",
       text_row(s.post_build_script)},
      {"runner_output_limit", "most bytes that a job's script may print; 0 is no limit", "0",
       bytes_row(s.output_limit)},
      {"runner_docker_auth_config", "credentials of registries, as docker's config.json has them",
       "", text_row(s.docker_auth_config), SettingKind::Secret},
      {"runner_docker_cap_add", "capabilities that docker jobs have beside docker's own", "",
       words_row(s.docker_cap_add)},
      {"runner_docker_cap_drop", "capabilities that docker jobs are without, as ALL", "NET_RAW",
       words_row(s.docker_cap_drop)},
      {"runner_docker_volumes",
       "of every docker job: /srv/cache:/cache:ro, volume:/path, or /path that is kept for later "
       "jobs",
       "", [&s](const std::string& text) { return set_volumes(s.docker_volumes, text); }},
      {"runner_docker_extra_hosts", "name:address that docker jobs know, as db:10.0.0.5", "",
       [&s](const std::string& text) { return set_extra_hosts(s.docker_extra_hosts, text); }},
      {"runner_docker_dns", "name servers of docker jobs", "", words_row(s.docker_dns)},
      {"runner_docker_dns_search", "domains in which docker jobs look names up", "",
       words_row(s.docker_dns_search)},
      {"runner_docker_network_mode",
       "network of docker jobs and their services: host, none or a name", "",
       [&s](const std::string& text) { return set_network_mode(s.docker_network_mode, text); }},
      {"runner_docker_shm_size", "size of /dev/shm in docker jobs, as 256m", "",
       text_row(s.docker_shm_size)},
      {"runner_docker_socket", "whether jobs may use the Docker engine: they own the machine then",
       "false", parsed_row(s.docker_socket, parse_yes_or_no, "true or false")},
      {"runner_shell_memory", "memory limit of a shell job, as 2G; 0 is none", "0",
       bytes_row(s.shell_memory)},
      {"runner_shell_pids", "most processes of a shell job; 0 is no limit", "0",
       count_row(s.shell_pids, 0, 1'000'000)},
      {"runner_docker_memory", "memory limit of docker jobs, as 512m", "",
       text_row(s.docker_memory)},
      {"runner_docker_cpus", "CPU limit of docker jobs, as 1.5", "", text_row(s.docker_cpus)},
      {"runner_docker_pids", "most processes of a docker job", "512",
       count_row(s.docker_pids, 16, 1'000'000)},
      {"runner_docker_services_timeout", "how long a job waits for its services to answer", "30",
       time_row(s.docker_services_timeout, "a time, as 1m")},
      {"runner_shutdown_timeout", "how long jobs may go on after SIGTERM; 0 waits for their end",
       "0", time_row(s.shutdown_timeout, "a time, as 10m")},
      {"runner_listen", "address of /metrics and /healthz, as 127.0.0.1:9252; none without", "",
       text_row(s.listen)},
      {"runner_log_level", "debug, info, warn or error", "info",
       parsed_row(s.log_level, log::parse_level, "debug, info, warn or error")},
      {"runner_log_format", "text or json", "text",
       parsed_row(s.log_format, log::parse_format, "text or json")},
  };
}

Result<void> write_config(const std::filesystem::path& file, const RunnerSettings& settings) {
  std::string text = "# Settings of this runner; `slipway runner run --help` lists them all.\n";
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += std::string{name} + ": " + yaml_quoted(value) + "\n";
  };
  add("runner_url", settings.url);
  add("runner_token", settings.token);
  add("runner_executor", std::string{to_string(settings.executor)});
  add("runner_concurrent", std::to_string(settings.concurrent));
  add("runner_name", settings.name);
  add("runner_builds_dir", settings.builds_dir.string());
  add("runner_default_image", settings.default_image);
  if (!settings.environment.empty()) text += "runner_environment:\n";
  for (const std::string& line : settings.environment) text += "  - " + yaml_quoted(line) + "\n";
  return replace_file(file, text, 0600, Durable::yes);
}

Result<std::string> system_id(const std::filesystem::path& config_file) {
  const auto file = config_file.parent_path() / ".slipway_system_id";
  if (auto known = read_file(file, 64); known && known->size() >= 14) return known->substr(0, 14);
  const auto machine = read_file("/etc/machine-id", 128);
  const std::string id = machine && !machine->empty()
                             ? "s_" + sha256_hex("slipway " + *machine).substr(0, 12)
                             : "r_" + random_hex(6);
  if (auto kept = replace_file(file, id + "\n", 0600); !kept) return std::move(kept).error();
  return id;
}

}  // namespace slipway::runner
