// `slipway runner register|run`.
#pragma once

namespace CLI {
class App;
}

namespace slipway::cli {

CLI::App* add_runner_command(CLI::App& app, int& exit_code);

}  // namespace slipway::cli
