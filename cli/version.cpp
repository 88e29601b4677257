#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.h"

namespace slipway::cli {

CLI::App* add_version_command(CLI::App& app, int& exit_code) {
  auto* version = app.add_subcommand("version", "print the version");
  version->callback([&exit_code] {
    std::cout << "slipway " SLIPWAY_VERSION "\n";
    exit_code = kOk;
  });
  return version;
}

}  // namespace slipway::cli
