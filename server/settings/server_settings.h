// The server's settings: read once at start, checked as a whole, passed down by const reference.
// The table is what the flags, `slipway server --show-settings` and the README are made from.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/logging.h"
#include "base/settings.h"
#include "pipeline/limits.h"

namespace slipway::server {

struct ServerSettings {
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 8080;
  std::filesystem::path data_dir;
  std::filesystem::path key_file;   // "": secret.key in data_dir
  std::filesystem::path login_dir;  // "": nobody logs in through other sites
  std::string external_url;  // without a trailing slash; derived from the address when not given
  std::string registry;      // registry prefix of CI_REGISTRY_IMAGE; empty: no registry variables
  log::Level log_level = log::Level::Info;
  log::Format log_format = log::Format::Text;
  std::chrono::seconds poll_hold{30};
  std::chrono::seconds ack_timeout{30};
  std::chrono::seconds lease{90};
  std::chrono::seconds default_timeout{3600};
  long long trace_limit = 0;
  long long artifact_limit = 0;
  std::chrono::seconds artifact_expiry{0};  // of artifacts that name none; 0 is never
  long long webhook_limit = 0;
  long long run_limit = 0;
  std::chrono::seconds run_retention{0};
  int io_threads = 1;
  int worker_threads = 8;
  bool allow_local_repositories = false;
  bool allow_private_includes = false;
  bool allow_private_forges = false;
  pipeline::Limits pipeline_limits;
};

// The keys that seal secrets in the database.
std::filesystem::path key_file(const ServerSettings& settings);

// Rows that write into `settings`, which must outlive them.
std::vector<Setting> settings_table(ServerSettings& settings);

// What follows from the other settings (external_url), and what may not stand together: listening
// beyond loopback without https in external_url needs allow_insecure_listen.
Result<void> finish_settings(ServerSettings& settings, bool allow_insecure_listen);

// The port of "host:port" that `listen` holds may be 0: the system chooses, for tests.
std::string derived_external_url(const ServerSettings& settings, std::uint16_t port);

}  // namespace slipway::server
