// `slipway run`: the pipeline on this machine, from the work tree as it is.
#pragma once

namespace CLI {
class App;
}

namespace slipway::cli {

CLI::App* add_run_command(CLI::App& app, int& exit_code);

}  // namespace slipway::cli
