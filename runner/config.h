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
enum class CachePlace : std::uint8_t { Local, Server };

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
  CachePlace cache_place = CachePlace::Local;
  long long disk_budget = 0;          // bytes of all that is kept for later jobs; 0 is no limit
  long long disk_min_free = 1 << 30;  // bytes; what is kept goes until as much is free
  std::chrono::seconds disk_max_age{std::chrono::hours{30 * 24}};  // unused for longer it goes
  bool git_cache = true;
  std::string default_image;
  std::vector<std::string> environment;                      // NAME=value
  std::vector<std::string> pull_policies{"if-not-present"};  // tried in turn
  std::vector<std::string> allowed_pull_policies{"always", "if-not-present", "never"};
  std::vector<std::string> allowed_images;    // globs; none: all
  std::vector<std::string> allowed_services;  // the same
  std::string pre_get_sources_script;         // before the job's own hook of that name
  std::string post_get_sources_script;        // after it
  std::string pre_build_script;               // before the job's script, in its shell
  std::string post_build_script;              // after it
  long long output_limit = 0;                 // bytes that a job's script may print; 0 is no limit
  std::string docker_auth_config;             // as docker's config.json
  std::vector<std::string> docker_cap_add;
  std::vector<std::string> docker_cap_drop{"NET_RAW"};
  std::vector<std::string> docker_volumes;      // of every job: see docker_volumes.h
  std::vector<std::string> docker_extra_hosts;  // "name:address"
  std::vector<std::string> docker_dns;
  std::vector<std::string> docker_dns_search;
  std::string docker_network_mode;  // "" is one for each job with services
  std::string docker_shm_size;      // as docker takes it: "256m"
  bool docker_socket = false;       // jobs are masters of this machine
  long long shell_memory = 0;       // bytes for all processes of a job; 0 is no limit
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
