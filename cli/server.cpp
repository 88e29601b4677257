#include <malloc.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <memory>

#include "base/logging.h"
#include "cli/commands.h"
#include "cli/setting_flags.h"
#include "server/assembly/server.h"
#include "server/http/ports.h"
#include "server/settings/server_settings.h"
#include "web/embedded_files.h"

namespace slipway::cli {
namespace {

using server::ServerSettings;

struct Command {
  ServerSettings settings;
  std::vector<Setting> table;
  std::shared_ptr<SettingFlags> flags;
  bool show_settings = false;
  bool allow_insecure_listen = false;
  Command() : table(server::settings_table(settings)) {}
};

// The pages, out of the executable.
class EmbeddedPages final : public server::http::StaticFiles {
 public:
  [[nodiscard]] std::optional<server::http::StaticFile> find(std::string_view path) const override {
    for (const web::EmbeddedFile& file : web::embedded_files())
      if (file.path == path)
        return server::http::StaticFile{file.bytes, file.content_type, file.gzip, file.etag};
    return std::nullopt;
  }
};

int report(const Error& error, int exit_code) {
  print_error(error);
  return exit_code;
}

// Name, value and origin; the value of a secret is not shown.
void show(const Command& command, const std::map<std::string, std::string>& origins,
          const std::map<std::string, std::string>& values) {
  for (const Setting& row : command.table) {
    const bool secret = row.kind == SettingKind::Secret;
    std::cout << row.name << "\t" << (secret ? "(hidden)" : values.at(row.name)) << "\t"
              << origins.at(row.name) << "\n";
  }
}

int serve(const ServerSettings& settings) {
  log::configure(settings.log_level, settings.log_format);
  ::signal(SIGPIPE, SIG_IGN);
  // Blocked before any thread starts, so that they come here.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  // Threads here work by turns: a heap for each would only keep what others could use.
  ::mallopt(M_ARENA_MAX, 2);  // NOLINT(concurrency-mt-unsafe): none has started
  const EmbeddedPages pages;
  auto started = server::Server::start(settings, pages, SLIPWAY_VERSION);
  if (!started) return report(started.error(), kFailed);
  log::info("server.started", {{"url", (*started)->url()}, {"version", SLIPWAY_VERSION}});
  if (!(*started)->setup_token_file().empty())
    log::info("setup.needed", {{"token_file", (*started)->setup_token_file()}});
  int signal = 0;
  ::sigwait(&signals, &signal);
  log::info("server.stopping", {{"signal", signal}});
  // A second signal ends at once: what was acknowledged is on disk.
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (*started)->stop();
  log::info("server.stopped");
  return kOk;
}

int run(Command& command) {
  // What each value came out as, for --show-settings.
  std::map<std::string, std::string> values;
  for (Setting& row : command.table) {
    values[row.name] = row.default_value;
    row.set = [&values, name = row.name, set = row.set](const std::string& text) {
      values[name] = text;
      return set(text);
    };
  }
  const auto origins = load_settings(command.table, *command.flags, "slipway.yml");
  if (!origins) return report(origins.error(), kInvalid);
  if (command.show_settings) {
    show(command, *origins, values);
    return kOk;
  }
  if (auto sound = server::finish_settings(command.settings, command.allow_insecure_listen); !sound)
    return report(sound.error(), kInvalid);
  return serve(command.settings);
}

}  // namespace

CLI::App* add_server_command(CLI::App& app, int& exit_code) {
  auto* sub = app.add_subcommand("server", "serve pages, hooks, the API and runners");
  const auto command = std::make_shared<Command>();
  command->flags = add_setting_flags(*sub, command->table);
  sub->add_flag("--show-settings", command->show_settings,
                "print every setting with where it came from, and end");
  sub->add_flag("--allow-insecure-listen", command->allow_insecure_listen,
                "listen beyond this machine without TLS");
  sub->footer(
      "Each flag is also a variable (SLIPWAY_DATA_DIR) and a key of the --config file "
      "(data_dir).\n\n"
      "Examples:\n"
      "  slipway server --data-dir /var/lib/slipway --external-url https://ci.example.com\n"
      "  slipway server --show-settings");
  sub->callback([command, &exit_code] { exit_code = run(*command); });
  return sub;
}

}  // namespace slipway::cli
