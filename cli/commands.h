// The subcommands of `slipway`, each adding itself to the command line.
//
// A command runs while CLI11 parses and leaves its exit code in `exit_code`.
#pragma once

#include "base/error.h"

namespace CLI {
class App;
}

namespace slipway::cli {

// The exit codes, for scripts.
constexpr int kOk = 0;
constexpr int kFailed = 1;       // the job or pipeline failed, or the server refused
constexpr int kUsage = 2;        // the command line is wrong
constexpr int kInvalid = 3;      // a configuration (settings, pipeline file) is invalid
constexpr int kUnreachable = 4;  // the server does not answer

CLI::App* add_server_command(CLI::App& app, int& exit_code);
CLI::App* add_project_command(CLI::App& app, int& exit_code);
CLI::App* add_fork_command(CLI::App& app, int& exit_code);
CLI::App* add_hook_command(CLI::App& app, int& exit_code);
CLI::App* add_shell_command(CLI::App& app, int& exit_code);
CLI::App* add_token_command(CLI::App& app, int& exit_code);
CLI::App* add_variable_command(CLI::App& app, int& exit_code);
CLI::App* add_admin_command(CLI::App& app, int& exit_code);
CLI::App* add_version_command(CLI::App& app, int& exit_code);
CLI::App* add_completion_command(CLI::App& app, int& exit_code);

// "slipway: <message>" and the hint on standard error.
void print_error(const Error& error);
int exit_code_of(const Error& error);

}  // namespace slipway::cli
