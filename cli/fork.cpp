#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/http_client.h"
#include "cli/commands.h"
#include "cli/server_client.h"

namespace slipway::cli {
namespace {

struct ForkOptions {
  std::string project;
  std::string sha;
  long long id = 0;
  bool all = false;
  bool json = false;
};

std::string requests_of(const std::string& project) {
  return "/api/v4/projects/" + url_encode(project) + "/fork_requests";
}

int report(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

void print_request(const nlohmann::json& request) {
  std::cout << request.value("id", 0) << "\t!" << request.value("iid", 0) << "\t"
            << request.value("sha", "") << "\t" << request.value("author", "") << "\t"
            << request.value("state", "") << "\t" << request.value("title", "") << "\n\t"
            << request.value("reason", "") << "\n";
}

int list_requests(const ForkOptions& options) {
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  const auto answer =
      call(*server, "GET",
           requests_of(options.project) + "?per_page=100" + (options.all ? "" : "&state=waiting"));
  if (!answer) return report(answer.error());
  if (options.json) {
    std::cout << answer->dump(2) << "\n";
    return kOk;
  }
  for (const auto& request : *answer) print_request(request);
  return kOk;
}

int decide(const ForkOptions& options, const char* decision) {
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  const nlohmann::json body{{"sha", options.sha}};
  const auto answer =
      call(*server, "POST",
           requests_of(options.project) + "/" + std::to_string(options.id) + "/" + decision, &body);
  if (!answer) return report(answer.error());
  std::cout << answer->value("reason", "") << "\n";
  return kOk;
}

void add_decision(CLI::App& fork, const std::shared_ptr<ForkOptions>& options, const char* name,
                  const char* what, int& exit_code) {
  auto* command = fork.add_subcommand(name, what);
  command->add_option("project", options->project, "group/name or id")->required();
  command->add_option("id", options->id, "its number in the list")->required();
  command->add_option("sha", options->sha, "the commit that you have looked at, in full")
      ->required();
  command->callback([options, name, &exit_code] { exit_code = decide(*options, name); });
}

}  // namespace

CLI::App* add_fork_command(CLI::App& app, int& exit_code) {
  auto* fork = app.add_subcommand("fork", "merge requests from forks that wait for an approval");
  fork->require_subcommand(1);
  fork->footer(
      "The server is SLIPWAY_URL, the token SLIPWAY_TOKEN or SLIPWAY_TOKEN_FILE.\n\nExamples:\n"
      "  slipway fork list team/app\n"
      "  slipway fork approve team/app 7 3f2a…");
  const auto options = std::make_shared<ForkOptions>();
  auto* list = fork->add_subcommand("list", "list the commits that wait, with the reason");
  list->add_option("project", options->project, "group/name or id")->required();
  list->add_flag("--all", options->all, "also those that were decided on");
  list->add_flag("--json", options->json, "print JSON");
  list->callback([options, &exit_code] { exit_code = list_requests(*options); });
  add_decision(*fork, options, "approve", "let this commit run, with the trust of a fork",
               exit_code);
  add_decision(*fork, options, "reject", "do not build this commit", exit_code);
  return fork;
}

}  // namespace slipway::cli
