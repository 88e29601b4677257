#include "runner/config_toml.h"

#define TOML_EXCEPTIONS 0
#include <spdlog/fmt/fmt.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

namespace slipway::runner {
namespace {

// What a key comes to. With a setting it is taken over; without one it is silent if it says what
// `silent` names ("*": whatever it says), and otherwise unsupported.
struct Key {
  std::string_view path;
  std::string_view setting;
  std::string_view silent;
};

// `runners.` stands for the chosen section.
constexpr std::array kKeys{
    Key{"concurrent", "runner_concurrent", ""},
    Key{"check_interval", "", "*"},
    Key{"connection_max_age", "", "*"},
    Key{"log_level", "runner_log_level", ""},
    Key{"log_format", "runner_log_format", ""},
    Key{"shutdown_timeout", "runner_shutdown_timeout", ""},
    Key{"listen_address", "runner_listen", ""},
    Key{"sentry_dsn", "", "\"\""},
    Key{"session_server", "", "*"},  // it says where, not that it is wanted
    Key{"runners.name", "runner_name", ""},
    Key{"runners.url", "runner_url", ""},
    Key{"runners.token", "runner_token", ""},
    Key{"runners.executor", "runner_executor", ""},
    Key{"runners.builds_dir", "runner_builds_dir", ""},
    Key{"runners.cache_dir", "runner_cache_dir", ""},
    Key{"runners.environment", "runner_environment", ""},
    Key{"runners.limit", "", "*"},  // taken into account with concurrent
    Key{"runners.id", "", "*"},
    Key{"runners.token_obtained_at", "", "*"},
    Key{"runners.token_expires_at", "", "*"},
    Key{"runners.request_concurrency", "", "*"},
    Key{"runners.strict_check_interval", "", "*"},
    Key{"runners.unhealthy_requests_limit", "", "*"},
    Key{"runners.unhealthy_interval", "", "*"},
    Key{"runners.shell", "", "\"bash\""},
    Key{"runners.output_limit", "runner_output_limit", ""},  // in kilobytes
    Key{"runners.pre_get_sources_script", "runner_pre_get_sources_script", ""},
    Key{"runners.pre_clone_script", "runner_pre_get_sources_script", ""},  // its older name
    Key{"runners.post_get_sources_script", "runner_post_get_sources_script", ""},
    Key{"runners.post_clone_script", "runner_post_get_sources_script", ""},
    Key{"runners.pre_build_script", "runner_pre_build_script", ""},
    Key{"runners.post_build_script", "runner_post_build_script", ""},
    Key{"runners.docker.image", "runner_default_image", ""},
    Key{"runners.docker.memory", "runner_docker_memory", ""},
    Key{"runners.docker.cpus", "runner_docker_cpus", ""},
    Key{"runners.docker.pull_policy", "runner_pull_policy", ""},
    Key{"runners.docker.allowed_pull_policies", "runner_allowed_pull_policies", ""},
    Key{"runners.docker.allowed_images", "runner_allowed_images", ""},
    Key{"runners.docker.allowed_services", "runner_allowed_services", ""},
    Key{"runners.docker.cap_add", "runner_docker_cap_add", ""},
    Key{"runners.docker.cap_drop", "runner_docker_cap_drop", ""},
    Key{"runners.docker.extra_hosts", "runner_docker_extra_hosts", ""},
    Key{"runners.docker.dns", "runner_docker_dns", ""},
    Key{"runners.docker.dns_search", "runner_docker_dns_search", ""},
    Key{"runners.docker.network_mode", "runner_docker_network_mode", ""},
    Key{"runners.docker.shm_size", "runner_docker_shm_size", ""},
    Key{"runners.docker.volumes", "runner_docker_volumes", ""},
    Key{"runners.docker.wait_for_services_timeout", "runner_docker_services_timeout", ""},
    Key{"runners.docker.tls_verify", "", "false"},
    Key{"runners.docker.privileged", "", "false"},
    Key{"runners.docker.disable_entrypoint_overwrite", "", "false"},
    Key{"runners.docker.oom_kill_disable", "", "false"},
    Key{"runners.docker.disable_cache", "", "false"},
    Key{"runners.docker.network_mtu", "", "0"},
    Key{"runners.cache.MaxUploadedArchiveSize", "", "0"},
    Key{"runners.cache.Type", "", "\"\""},
    Key{"runners.cache.Shared", "", "*"},
};

std::string shown(const toml::node& node) {
  std::ostringstream text;
  text << toml::json_formatter{node};
  std::string line = std::move(text).str();
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::string single;  // the formatter indents arrays
  for (const char c : line)
    if (c != ' ' || single.empty() || single.back() != ' ') single += c;
  return single;
}

std::string plain(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  return shown(node);
}

// A list becomes its items, one a line, as settings take them.
std::string setting_text(const toml::node& node) {
  const auto* list = node.as_array();
  if (list == nullptr) return plain(node);
  std::string joined;
  for (const auto& item : *list) joined += (joined.empty() ? "" : "\n") + plain(item);
  return joined;
}

std::string our_level(const std::string& level) {
  if (level == "warning") return "warn";
  if (level == "panic" || level == "fatal") return "error";
  return level;
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Result<ForeignConfig> read(const toml::table& root, const std::string& wanted) {
    auto section = choose(root, wanted);
    if (!section) return std::move(section).error();
    if (auto fine = check_executor(**section); !fine) return std::move(fine).error();
    take_all(root, "");
    take_all(**section, "runners.");
    limit_concurrency(root, **section);
    return std::move(config_);
  }

 private:
  [[nodiscard]] SourceSpan at(const toml::node& node) const {
    return {file_, static_cast<int>(node.source().begin.line),
            static_cast<int>(node.source().begin.column)};
  }

  Result<const toml::table*> choose(const toml::table& root, const std::string& wanted) {
    const auto* sections = root["runners"].as_array();
    std::vector<const toml::table*> found;
    std::string names;
    for (std::size_t i = 0; sections != nullptr && i < sections->size(); ++i) {
      const auto* section = sections->get(i)->as_table();
      if (section == nullptr) continue;
      const std::string name = (*section)["name"].value_or(std::string{});
      names += (names.empty() ? "" : ", ") + ("'" + name + "'");
      if (wanted.empty() || name == wanted) found.push_back(section);
    }
    if (names.empty())
      return fail(ErrorKind::InvalidInput, "there is no [[runners]] section").at({file_, 1, 1});
    if (found.empty())
      return fail(ErrorKind::InvalidInput, "no [[runners]] section has the name '" + wanted + "'")
          .at({file_, 1, 1})
          .with_hint("there are " + names);
    if (found.size() > 1)
      return fail(ErrorKind::InvalidInput, "there are several [[runners]] sections")
          .at(at(*found[1]))
          .with_hint("start one `slipway runner run` for each, with --section NAME: " + names);
    return found.front();
  }

  Result<void> check_executor(const toml::table& section) {
    const auto* executor = section.get("executor");
    if (executor == nullptr) return {};
    const std::string name = plain(*executor);
    if (name == "shell" || name == "docker") return {};
    return fail(ErrorKind::InvalidInput, "the executor '" + name + "' is not supported")
        .at(at(*executor))
        .with_hint("shell and docker are");
  }

  void take_all(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string path = prefix + std::string{key.str()};
      if (path == "runners") continue;
      const auto* known = std::find_if(kKeys.begin(), kKeys.end(),
                                       [&](const Key& row) { return row.path == path; });
      if (known == kKeys.end() && node.is_table()) {
        take_all(*node.as_table(), path + ".");
      } else {
        take(known == kKeys.end() ? Key{path, "", ""} : *known, node);
      }
    }
  }

  void take(const Key& key, const toml::node& node) {
    if (!key.setting.empty()) {
      std::string text = setting_text(node);
      if (key.path == "log_level") text = our_level(text);
      if (key.path == "log_format" && text == "runner") text = "text";
      if (key.path == "runners.output_limit") text = text == "0" ? "" : text + "k";
      if (key.path == "runners.docker.shm_size" && text == "0") text.clear();
      if (key.path == "runners.docker.volumes") text = take_socket_out(text, node);
      if (!text.empty()) config_.settings[std::string{key.setting}] = {std::move(text), at(node)};
      return;
    }
    if (key.silent == "*" || (!key.silent.empty() && shown(node) == key.silent)) return;
    config_.unsupported.push_back(
        fail(ErrorKind::InvalidInput,
             fmt::format("{} = {} is not supported and has no effect", key.path, shown(node)))
            .at(at(node)));
  }

  // The owner of the file has let jobs have the engine: here that has a setting of its own.
  std::string take_socket_out(const std::string& volumes, const toml::node& node) {
    constexpr std::string_view kSocket = "/var/run/docker.sock:/var/run/docker.sock";
    std::istringstream lines{volumes};
    std::string kept;
    for (std::string line; std::getline(lines, line);) {
      if (line == kSocket)
        config_.settings["runner_docker_socket"] = {"true", at(node)};
      else
        kept += (kept.empty() ? "" : "\n") + line;
    }
    return kept;
  }

  // One section of a file gets no more jobs than its own limit.
  void limit_concurrency(const toml::table& root, const toml::table& section) {
    const auto limit = section["limit"].value_or(std::int64_t{0});
    const auto all = root["concurrent"].value_or(std::int64_t{1});
    if (limit > 0 && limit < all)
      config_.settings["runner_concurrent"] = {std::to_string(limit), at(*section.get("limit"))};
  }

  std::string file_;
  ForeignConfig config_;
};

}  // namespace

Result<ForeignConfig> read_config_toml(const std::string& text, const std::string& file,
                                       const std::string& section) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& where = parsed.error().source().begin;
    return fail(ErrorKind::InvalidInput, std::string{parsed.error().description()})
        .at({file, static_cast<int>(where.line), static_cast<int>(where.column)});
  }
  return Reader{file}.read(parsed.table(), section);
}

}  // namespace slipway::runner
