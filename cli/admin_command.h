// What the subcommands of `slipway admin` share: the settings that say which server is meant.
#pragma once

#include <memory>
#include <vector>

#include "cli/setting_flags.h"
#include "server/settings/server_settings.h"

namespace CLI {
class App;
}

namespace slipway::cli {

struct AdminCommand {
  server::ServerSettings settings;
  std::vector<Setting> table;
  std::shared_ptr<SettingFlags> flags;
  AdminCommand() : table(server::settings_table(settings)) {}
};

// With flags for the settings that matter here; the file may hold every setting of a server.
std::shared_ptr<AdminCommand> admin_command(CLI::App& command);

// Reads the settings; what went wrong is printed.
bool read_settings(AdminCommand& command);

// backup, restore, migrate-store.
void add_store_commands(CLI::App& admin, int& exit_code);

}  // namespace slipway::cli
