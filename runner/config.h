// The runner's settings: from slipway-runner.yml, the environment and flags.
//
// The table is what the flags, the file and the README are made from.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/logging.h"
#include "base/settings.h"

namespace slipway::runner {

enum class ExecutorKind : std::uint8_t { Shell, Docker };
std::string_view to_string(ExecutorKind kind);
Result<ExecutorKind> parse_executor(std::string_view text);

struct RunnerSettings {
  std::string url;
  std::string token;
  ExecutorKind executor = ExecutorKind::Shell;
  int concurrent = 1;
  std::string name;
  std::filesystem::path builds_dir;
  std::filesystem::path cache_dir;
  long long cache_size = 10LL << 30;  // bytes; what was used longest ago goes first
  bool git_cache = true;
  std::string default_image;
  std::vector<std::string> environment;                      // NAME=value
  std::vector<std::string> pull_policies{"if-not-present"};  // tried in turn
  std::vector<std::string> allowed_pull_policies{"always", "if-not-present", "never"};
  std::string docker_auth_config;  // as docker's config.json
  std::vector<std::string> docker_cap_drop{"NET_RAW"};
  std::vector<std::string> docker_volumes;  // host mounts of every job, as docker takes them
  bool docker_socket = false;               // jobs are masters of this machine
  long long shell_memory = 0;               // bytes for all processes of a job; 0 is no limit
  int shell_pids = 0;
  std::string docker_memory;  // as docker takes it: "512m"; "" is no limit
  std::string docker_cpus;
  int docker_pids = 512;
  std::chrono::seconds docker_services_timeout{30};  // until a service is not waited for any more
  std::string listen;                                // of /metrics and /healthz: "127.0.0.1:9252"
  std::chrono::seconds shutdown_timeout{0};          // 0: waits for its jobs as long as they take
  log::Level log_level = log::Level::Info;
  log::Format log_format = log::Format::Text;
};

// Rows that write into `settings`, which must outlive them.
std::vector<Setting> settings_table(RunnerSettings& settings);

// What `register` writes: the settings that differ from their defaults, as YAML, mode 0600.
Result<void> write_config(const std::filesystem::path& file, const RunnerSettings& settings);

// The machine's id in the protocol ("s_" and twelve digits), kept beside the configuration file.
Result<std::string> system_id(const std::filesystem::path& config_file);

}  // namespace slipway::runner
