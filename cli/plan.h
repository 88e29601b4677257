// `slipway plan`: the jobs that a trigger would create, and why the others are left out.
#pragma once

namespace CLI {
class App;
}

namespace slipway::cli {

CLI::App* add_plan_command(CLI::App& app, int& exit_code);

}  // namespace slipway::cli
