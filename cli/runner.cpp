#include "cli/runner.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iostream>
#include <memory>
#include <thread>

#include "base/logging.h"
#include "cli/commands.h"
#include "cli/setting_flags.h"
#include "runner/agent.h"
#include "runner/config.h"

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
  ~StopSignals() {
    if (!thread_.joinable()) return;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

 private:
  sigset_t set_{};
  std::thread thread_;
};

int run(const RunnerSettings& settings, const std::string& config_file) {
  if (settings.token.empty())
    return report(fail(ErrorKind::InvalidInput, "the runner has no token")
                      .with_hint("register it first: slipway runner register --help"));
  log::configure(settings.log_level, settings.log_format);
  const auto id = runner::system_id(config_file);
  if (!id) return report(id.error());
  ::signal(SIGPIPE, SIG_IGN);
  StopSignals signals;
  runner::Agent agent{settings, identity_of(settings, *id)};
  signals.watch(agent, settings.shutdown_timeout);
  log::info("runner.started", {{"url", settings.url},
                               {"executor", runner::to_string(settings.executor)},
                               {"concurrent", settings.concurrent}});
  const auto ended = agent.run();
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
  std::shared_ptr<SettingFlags> flags;
  Command() : table(runner::settings_table(settings)) {}

  [[nodiscard]] std::string config_file() const {
    return flags->config_file.empty() ? kDefaultFile : flags->config_file;
  }
};

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

}  // namespace

CLI::App* add_runner_command(CLI::App& app, int& exit_code) {
  auto* runner = app.add_subcommand("runner", "register and run the agent that runs jobs");
  runner->require_subcommand(1);
  runner->footer(
      "Examples:\n"
      "  slipway runner register --url https://ci.example.com --token glrt-… --executor docker\n"
      "  slipway runner run --config slipway-runner.yml");
  add_register(*runner, exit_code);

  auto* run_command = runner->add_subcommand("run", "ask for jobs and run them until told to stop");
  const auto command = std::make_shared<Command>();
  command->flags = add_setting_flags(*run_command, command->table);
  run_command->footer(
      "SIGTERM lets running jobs end; a second one cancels them.\n\nExample:\n"
      "  SLIPWAY_RUNNER_TOKEN_FILE=token slipway runner run --runner-url http://127.0.0.1:8080");
  run_command->callback([command, &exit_code] {
    const auto loaded = load_settings(command->table, *command->flags, kDefaultFile);
    exit_code = loaded ? run(command->settings, command->config_file()) : report(loaded.error());
  });
  return runner;
}

}  // namespace slipway::cli
