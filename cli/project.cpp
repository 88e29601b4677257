#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/http_client.h"
#include "cli/commands.h"
#include "cli/server_client.h"

namespace slipway::cli {
namespace {

struct ProjectOptions {
  std::string path;
  std::string url;
  std::string default_branch;
  std::string visibility;
  std::string config_path;
  bool json = false;
};

using Print = void (*)(const nlohmann::json&);

int talk(const std::string& method, const std::string& target, const nlohmann::json* body,
         bool as_json, Print print) {
  const auto server = server_from_environment();
  const auto answer =
      server ? call(*server, method, target, body) : Result<nlohmann::json>{server.error()};
  if (!answer) {
    print_error(answer.error());
    return exit_code_of(answer.error());
  }
  if (as_json)
    std::cout << answer->dump(2) << "\n";
  else
    print(*answer);
  return kOk;
}

std::string text(const nlohmann::json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

void print_added(const nlohmann::json& project) {
  std::cout << "project  " << text(project, "path_with_namespace") << " (" << project.value("id", 0)
            << ")\n"
            << "page     " << text(project, "web_url") << "\n"
            << "webhook  " << text(project, "webhook_url") << "\n"
            << "secret   " << text(project, "webhook_secret") << "   (shown once)\n";
}

void print_list(const nlohmann::json& projects) {
  for (const auto& project : projects) {
    const auto last = project.find("last_pipeline");
    const bool has_run = last != project.end() && last->is_object();
    std::cout << text(project, "path_with_namespace") << "\t"
              << (has_run ? text(*last, "status") : "no pipeline yet") << "\t"
              << text(project, "web_url") << "\n";
  }
}

void print_removed(const nlohmann::json&) {
  std::cout << "removed\n";
}

nlohmann::json body_of(const ProjectOptions& options) {
  nlohmann::json body{{"path", options.path}, {"url", options.url}};
  if (!options.default_branch.empty()) body["default_branch"] = options.default_branch;
  if (!options.visibility.empty()) body["visibility"] = options.visibility;
  if (!options.config_path.empty()) body["ci_config_path"] = options.config_path;
  return body;
}

}  // namespace

CLI::App* add_project_command(CLI::App& app, int& exit_code) {
  auto* project = app.add_subcommand("project", "add, list and remove projects on a server");
  project->require_subcommand(1);
  project->footer(
      "The server is SLIPWAY_URL, the token SLIPWAY_TOKEN or SLIPWAY_TOKEN_FILE.\n\nExamples:\n"
      "  slipway project add team/app --url https://git.example.com/team/app.git\n"
      "  slipway project list\n"
      "  slipway project remove team/app");
  const auto options = std::make_shared<ProjectOptions>();

  auto* add =
      project->add_subcommand("add", "add a project; prints its webhook address and secret");
  add->add_option("path", options->path, "group/name")->required();
  add->add_option("--url", options->url, "where git fetches from")->required();
  add->add_option("--default-branch", options->default_branch, "main, unless the repository says");
  add->add_option("--visibility", options->visibility, "private or public")
      ->check(CLI::IsMember({"private", "public"}));
  add->add_option("--config-path", options->config_path, "pipeline file (.gitlab-ci.yml)");
  add->add_flag("--json", options->json, "print JSON");
  add->callback([options, &exit_code] {
    const auto body = body_of(*options);
    exit_code = talk("POST", "/api/v4/projects", &body, options->json, print_added);
  });

  auto* list = project->add_subcommand("list", "list the projects you may see");
  list->add_flag("--json", options->json, "print JSON");
  list->callback([options, &exit_code] {
    exit_code = talk("GET", "/api/v4/projects?per_page=100", nullptr, options->json, print_list);
  });

  auto* remove = project->add_subcommand("remove", "remove a project with its history");
  remove->add_option("path", options->path, "group/name or id")->required();
  remove->callback([options, &exit_code] {
    exit_code = talk("DELETE", "/api/v4/projects/" + url_encode(options->path), nullptr, false,
                     print_removed);
  });
  return project;
}

}  // namespace slipway::cli
