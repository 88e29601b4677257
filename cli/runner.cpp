#include "cli/runner.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/logging.h"
#include "cli/commands.h"
#include "cli/setting_flags.h"
#include "runner/agent.h"
#include "runner/config.h"
#include "runner/config_toml.h"
#include "runner/doctor.h"
#include "runner/slot_process.h"

namespace slipway::cli {
namespace {

constexpr const char* kDefaultFile = "slipway-runner.yml";

using runner::RunnerSettings;

int report(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

runner::RunnerIdentity identity_of(const RunnerSettings& settings, const std::string& system_id) {
  return {settings.url, settings.token, system_id,
          std::string{runner::to_string(settings.executor)}, settings.name};
}

// SIGTERM and SIGINT: the first lets jobs end, the second cancels them. The thread takes the
// signals by sigwait; everybody else has them blocked.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  // With a time-out the jobs are canceled when it has passed since the first signal.
  void watch(runner::Agent& agent, std::chrono::seconds shutdown_timeout) {
    thread_ = std::thread{[this, &agent, shutdown_timeout] {
      int signal = 0;
      ::sigwait(&set_, &signal);
      if (signal == SIGUSR1) return;
      agent.drain();
      const timespec limit{static_cast<time_t>(shutdown_timeout.count()), 0};
      do {
        signal = shutdown_timeout.count() > 0 ? ::sigtimedwait(&set_, nullptr, &limit)
                                              : ::sigwaitinfo(&set_, nullptr);
      } while (signal < 0 && errno == EINTR);
      if (signal == SIGUSR1) return;
      agent.stop();
      while (::sigwait(&set_, &signal) == 0 && signal != SIGUSR1) {
      }
    }};
  }
  ~StopSignals() { end(); }
  // Before the agent goes: a signal may be on its way to it.
  void end() {
    if (!thread_.joinable()) return;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

 private:
  sigset_t set_{};
  std::thread thread_;
};

using SettingTexts = std::map<std::string, std::string>;

runner::SlotSource slot_processes(const SettingTexts& texts, const std::string& label) {
  const runner::SlotLogs logs{texts.at("runner_log_level"), texts.at("runner_log_format")};
  runner::SlotSource source;
  source.settings = texts;
  source.launch = [label, logs](int index, UniqueFd listener) {
    return runner::start_slot_process(index, label, logs, std::move(listener));
  };
  return source;
}

int run(const RunnerSettings& settings, const SettingTexts& texts, const std::string& config_file) {
  if (settings.token.empty())
    return report(fail(ErrorKind::InvalidInput, "the runner has no token")
                      .with_hint("register it first: slipway runner register --help"));
  log::configure(settings.log_level, settings.log_format);
  const auto id = runner::system_id(config_file);
  if (!id) return report(id.error());
  ::signal(SIGPIPE, SIG_IGN);
  StopSignals signals;
  const auto identity = identity_of(settings, *id);
  runner::Agent agent{settings, identity, slot_processes(texts, runner::runner_label(identity))};
  signals.watch(agent, settings.shutdown_timeout);
  log::info("runner.started", {{"url", settings.url},
                               {"executor", runner::to_string(settings.executor)},
                               {"concurrent", settings.concurrent}});
  const auto ended = agent.run();
  signals.end();
  if (!ended) return report(ended.error());
  log::info("runner.stopped");
  return kOk;
}

int register_runner(const RunnerSettings& settings, const std::string& config_file) {
  if (settings.token.empty())
    return report(fail(ErrorKind::InvalidInput, "a token is needed")
                      .with_hint("give --token, or SLIPWAY_RUNNER_TOKEN_FILE to keep it out of the "
                                 "list of processes"));
  const auto id = runner::system_id(config_file);
  if (!id) return report(id.error());
  auto client = runner::CoordinatorClient::create(identity_of(settings, *id));
  if (!client) return report(client.error());
  const auto number = client->verify();
  if (!number) return report(number.error());
  if (auto written = runner::write_config(config_file, settings); !written)
    return report(written.error());
  std::cout << "runner " << *number << " is registered at " << settings.url << "\n"
            << "settings are in " << config_file << "; start it with: slipway runner run --config "
            << config_file << "\n";
  return kOk;
}

struct Command {
  RunnerSettings settings;
  std::vector<Setting> table;
  SettingTexts texts;  // of the settings, by name, once they are applied
  std::shared_ptr<SettingFlags> flags;
  Command() : table(runner::settings_table(settings)) {
    for (Setting& row : table)
      row.set = [this, name = row.name, set = row.set](const std::string& text) {
        texts[name] = text;
        return set(text);
      };
  }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] std::string config_file() const {
    return flags->config_file.empty() ? kDefaultFile : flags->config_file;
  }
};

// A file of gitlab-runner is taken as it stands; what it asks for in vain is told on standard
// error.
Result<void> load(const Command& command, const std::string& section) {
  const std::string& file = command.flags->config_file;
  if (!file.ends_with(".toml")) {
    if (!section.empty())
      return fail(ErrorKind::InvalidInput, "--section needs --config with a config.toml");
    const auto loaded = load_settings(command.table, *command.flags, kDefaultFile);
    return loaded ? Result<void>{} : loaded.error();
  }
  const auto text = read_settings_text(file);
  if (!text) return text.error();
  auto config = runner::read_config_toml(*text, file, section);
  if (!config) return std::move(config).error();
  for (const Error& error : config->unsupported)
    std::cerr << "slipway: warning: " << error.span->file << ":" << error.span->line << ": "
              << error.message << "\n";
  auto sources = sources_without_file(*command.flags);
  sources.file_values = std::move(config->settings);
  const auto applied = apply_settings(command.table, sources);
  return applied ? Result<void>{} : applied.error();
}

std::shared_ptr<std::string> add_section(CLI::App& sub) {
  auto section = std::make_shared<std::string>();
  sub.add_option("--section", *section, "which [[runners]] of a config.toml, by its name");
  return section;
}

// `register` takes the common settings by the names that gitlab-runner has for them.
void add_register(CLI::App& runner, int& exit_code) {
  auto* sub = runner.add_subcommand("register", "check a runner's token and write its settings");
  const auto command = std::make_shared<Command>();
  command->flags = std::make_shared<SettingFlags>();
  const auto option = [&](const char* flag, const char* setting, const char* help) {
    sub->add_option_function<std::string>(
           flag,
           [command, setting](const std::string& text) { command->flags->given[setting] = text; },
           help)
        ->type_name("");
  };
  option("--url", "runner_url", "address of the server");
  option("--token", "runner_token", "token of the runner, or SLIPWAY_RUNNER_TOKEN_FILE");
  option("--executor", "runner_executor", "shell or docker");
  option("--name", "runner_name", "name in its logs");
  option("--builds-dir", "runner_builds_dir", "directory of the work trees");
  option("--default-image", "runner_default_image", "image of docker jobs that name none");
  option("--concurrent", "runner_concurrent", "jobs at the same time");
  const auto environment = std::make_shared<std::vector<std::string>>();
  sub->add_option("--environment", *environment, "NAME=value that every job gets; may be repeated");
  const auto file = std::make_shared<std::string>(kDefaultFile);
  sub->add_option("--config", *file, "file to write")->capture_default_str();
  sub->callback([command, environment, file, &exit_code] {
    std::string lines;
    for (const std::string& line : *environment) lines += line + "\n";
    if (!lines.empty()) command->flags->given["runner_environment"] = lines;
    const auto loaded = load_settings(command->table, *command->flags, "");
    exit_code = loaded ? register_runner(command->settings, *file) : report(loaded.error());
  });
}

nlohmann::json doctor_json(const std::vector<runner::Finding>& findings) {
  auto list = nlohmann::json::array();
  for (const auto& found : findings)
    list.push_back({{"check", found.what},
                    {"status", runner::to_string(found.health)},
                    {"text", found.text},
                    {"hint", found.hint}});
  return list;
}

int examine(const RunnerSettings& settings, const std::string& config_file, bool as_json) {
  const auto id = runner::system_id(config_file);
  if (!id) return report(id.error());
  const auto findings = runner::examine(settings, identity_of(settings, *id));
  if (as_json) {
    std::cout << doctor_json(findings).dump(2) << "\n";
  } else {
    for (const auto& found : findings) {
      std::cout << fmt::format("{:<8} {:<14} {}\n", to_string(found.health), found.what,
                               found.text);
      if (!found.hint.empty()) std::cout << fmt::format("{:<23} {}\n", "", found.hint);
    }
  }
  const bool fit = std::none_of(findings.begin(), findings.end(), [](const auto& found) {
    return found.health == runner::Health::Bad;
  });
  return fit ? kOk : kFailed;
}

void add_doctor(CLI::App& runner, int& exit_code) {
  auto* sub = runner.add_subcommand("doctor", "look whether this machine can run jobs");
  const auto command = std::make_shared<Command>();
  command->flags = add_setting_flags(*sub, command->table);
  const auto section = add_section(*sub);
  const auto as_json = std::make_shared<bool>(false);
  sub->add_flag("--json", *as_json, "a list of {check, status, text, hint}");
  sub->footer(
      "Exit code 1 when jobs would fail.\n\nExample:\n"
      "  slipway runner doctor --config slipway-runner.yml");
  sub->callback([command, section, as_json, &exit_code] {
    const auto loaded = load(*command, *section);
    exit_code = loaded ? examine(command->settings, command->config_file(), *as_json)
                       : report(loaded.error());
  });
}

// Not for people: the agent starts it.
void add_slot(CLI::App& runner) {
  auto* sub = runner.add_subcommand("slot", "run the jobs of an agent")->group("");
  const auto index = std::make_shared<int>(0);
  const auto logs = std::make_shared<runner::SlotLogs>();
  sub->add_option("index", *index)->required();
  sub->add_option("--log-level", logs->level);
  sub->add_option("--log-format", logs->format);
  sub->callback([index, logs] {
    log::configure(log::parse_level(logs->level).value_or(log::Level::Info),
                   log::parse_format(logs->format).value_or(log::Format::Text));
    runner::be_slot_process(*index);
  });
}

}  // namespace

CLI::App* add_runner_command(CLI::App& app, int& exit_code) {
  auto* runner = app.add_subcommand("runner", "register and run the agent that runs jobs");
  runner->require_subcommand(1);
  runner->footer(
      "Examples:\n"
      "  slipway runner register --url https://ci.example.com --token glrt-… --executor docker\n"
      "  slipway runner run --config slipway-runner.yml\n"
      "  slipway runner run --config /etc/gitlab-runner/config.toml\n"
      "  slipway runner doctor --config slipway-runner.yml");
  add_register(*runner, exit_code);

  add_doctor(*runner, exit_code);
  add_slot(*runner);

  auto* run_command = runner->add_subcommand("run", "ask for jobs and run them until told to stop");
  const auto command = std::make_shared<Command>();
  command->flags = add_setting_flags(*run_command, command->table);
  run_command->footer(
      "SIGTERM lets running jobs end; a second one cancels them.\n\nExample:\n"
      "  SLIPWAY_RUNNER_TOKEN_FILE=token slipway runner run --runner-url http://127.0.0.1:8080");
  const auto section = add_section(*run_command);
  run_command->callback([command, section, &exit_code] {
    const auto loaded = load(*command, *section);
    exit_code = loaded ? run(command->settings, command->texts, command->config_file())
                       : report(loaded.error());
  });
  return runner;
}

}  // namespace slipway::cli
