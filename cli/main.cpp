// `slipway`: the server, the runner and the command line in one program.

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "cli/commands.h"
#include "cli/lint.h"
#include "cli/plan.h"
#include "cli/run.h"
#include "cli/runner.h"

namespace slipway::cli {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"Slipway, a CI/CD server that runs .gitlab-ci.yml files unchanged", "slipway"};
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 fine, 1 the job or pipeline failed, 2 usage, 3 a configuration is invalid,\n"
      "4 the server cannot be reached. `slipway COMMAND --help` shows examples.");
  int exit_code = kOk;
  add_server_command(app, exit_code);
  add_runner_command(app, exit_code);
  add_lint_command(app, exit_code);
  add_plan_command(app, exit_code);
  add_run_command(app, exit_code);
  add_shell_command(app, exit_code);
  add_project_command(app, exit_code);
  add_fork_command(app, exit_code);
  add_hook_command(app, exit_code);
  add_token_command(app, exit_code);
  add_variable_command(app, exit_code);
  add_admin_command(app, exit_code);
  add_version_command(app, exit_code);
  add_completion_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace slipway::cli

int main(int argc, char** argv) {
  try {
    return slipway::cli::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "slipway: " << error.what() << "\n";
    return slipway::cli::kFailed;
  }
}
