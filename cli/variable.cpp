#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.h"
#include "base/http_client.h"
#include "cli/commands.h"
#include "cli/server_client.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kLongestValue = std::size_t{64} << 10U;  // the server takes less

struct VariableOptions {
  std::string project;
  std::string group;
  bool instance = false;
  std::string key;
  std::string scope = "*";
  std::string value_file = "-";
  std::string description;
  std::optional<bool> masked;
  std::optional<bool> is_protected;
  std::optional<bool> raw;
  std::optional<bool> file;
  bool hidden = false;
  bool json = false;
};

int report(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

// Where the owner's variables are; nullopt unless exactly one owner is named.
std::optional<std::string> address_of(const VariableOptions& options) {
  const int owners = (options.project.empty() ? 0 : 1) + (options.group.empty() ? 0 : 1) +
                     (options.instance ? 1 : 0);
  if (owners != 1) return std::nullopt;
  if (options.instance) return "/api/v4/admin/ci/variables";
  if (!options.group.empty()) return "/api/v4/groups/" + url_encode(options.group) + "/variables";
  return "/api/v4/projects/" + url_encode(options.project) + "/variables";
}

int no_owner() {
  print_error(fail(ErrorKind::InvalidInput, "whose variable it is must be said once")
                  .with_hint("--project team/app, --group team or --instance"));
  return kUsage;
}

std::string one(const std::string& address, const VariableOptions& options) {
  return address + "/" + url_encode(options.key) +
         "?filter%5Benvironment_scope%5D=" + url_encode(options.scope);
}

// Never from an argument: those are seen by everybody on the machine.
Result<std::string> read_value(const VariableOptions& options) {
  std::string text;
  if (options.value_file == "-") {
    if (::isatty(STDIN_FILENO) != 0)
      return fail(ErrorKind::InvalidInput, "the value is read from standard input")
          .with_hint("pipe it in, or name a file with --value-file");
    text.resize(kLongestValue + 1);
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
  } else {
    auto read = read_file(options.value_file, kLongestValue);
    if (!read) return read;
    text = std::move(*read);
  }
  if (text.size() > kLongestValue)
    return fail(ErrorKind::TooLarge, "the value is longer than 64 KiB");
  const bool whole = options.file.value_or(false);
  if (!whole && text.ends_with('\n')) text.pop_back();
  if (!whole && text.ends_with('\r')) text.pop_back();
  return text;
}

nlohmann::json body_of(const VariableOptions& options, const std::string& value) {
  nlohmann::json body{{"key", options.key}, {"value", value}, {"environment_scope", options.scope}};
  if (options.masked) body["masked"] = *options.masked;
  if (options.is_protected) body["protected"] = *options.is_protected;
  if (options.raw) body["raw"] = *options.raw;
  if (options.file) body["variable_type"] = *options.file ? "file" : "env_var";
  if (options.hidden) body["masked_and_hidden"] = true;
  if (!options.description.empty()) body["description"] = options.description;
  return body;
}

int set_variable(const VariableOptions& options) {
  const auto address = address_of(options);
  if (!address) return no_owner();
  const auto value = read_value(options);
  if (!value) return report(value.error());
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  const auto body = body_of(options, *value);
  const auto known = call(*server, "GET", one(*address, options));
  if (!known && known.error().kind != ErrorKind::NotFound) return report(known.error());
  const auto answer = known ? call(*server, "PUT", one(*address, options), &body)
                            : call(*server, "POST", *address, &body);
  if (!answer) return report(answer.error());
  std::cout << (known ? "changed\n" : "created\n");
  return kOk;
}

int delete_variable(const VariableOptions& options) {
  const auto address = address_of(options);
  if (!address) return no_owner();
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  const auto answer = call(*server, "DELETE", one(*address, options));
  if (!answer) return report(answer.error());
  std::cout << "deleted\n";
  return kOk;
}

void print_variable(const nlohmann::json& variable) {
  std::cout << variable.value("key", "") << "\t" << variable.value("environment_scope", "") << "\t"
            << variable.value("variable_type", "");
  for (const char* flag : {"protected", "masked", "hidden", "raw"})
    if (variable.value(flag, false)) std::cout << "\t" << flag;
  std::cout << "\n";
}

int list_variables(const VariableOptions& options) {
  const auto address = address_of(options);
  if (!address) return no_owner();
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  constexpr int kPage = 100;
  auto all = nlohmann::json::array();
  for (int page = 1;; ++page) {
    const auto answer =
        call(*server, "GET",
             *address + "?per_page=" + std::to_string(kPage) + "&page=" + std::to_string(page));
    if (!answer) return report(answer.error());
    for (const auto& variable : *answer) all.push_back(variable);
    if (answer->size() < kPage) break;
  }
  if (options.json)
    std::cout << all.dump(2) << "\n";
  else
    for (const auto& variable : all) print_variable(variable);
  return kOk;
}

void add_owner(CLI::App& command, const std::shared_ptr<VariableOptions>& options) {
  command.add_option("--project", options->project, "group/name or id");
  command.add_option("--group", options->group, "for all projects below that path");
  command.add_flag("--instance", options->instance, "for all projects");
}

// What is not said stays as it is.
void add_choice(CLI::App& set, const std::string& name, const std::string& help,
                std::optional<bool>& choice) {
  set.add_flag_callback(
      "--" + name, [&choice] { choice = true; }, help);
  set.add_flag_callback(
      "--no-" + name, [&choice] { choice = false; }, "the opposite");
}

void add_flags(CLI::App& set, const std::shared_ptr<VariableOptions>& options) {
  set.add_option("--value-file", options->value_file, "where the value is (- is standard input)");
  add_choice(set, "masked", "hide it in logs", options->masked);
  set.add_flag("--hidden", options->hidden, "hide it in logs and never show it again");
  add_choice(set, "protected", "only for protected branches and tags", options->is_protected);
  add_choice(set, "raw", "do not expand references in it", options->raw);
  add_choice(set, "file", "jobs get the path of a file that holds it", options->file);
  set.add_option("--description", options->description, "what it is for");
}

}  // namespace

CLI::App* add_variable_command(CLI::App& app, int& exit_code) {
  auto* variable = app.add_subcommand("variable", "list, set and delete variables for jobs");
  variable->require_subcommand(1);
  variable->footer(
      "The server is SLIPWAY_URL, the token SLIPWAY_TOKEN or SLIPWAY_TOKEN_FILE (scope api). One "
      "line break at\nthe end of a value is no part of it, unless it is for a file.\n\nExamples:\n"
      "  pass show registry | slipway variable set --project team/app REGISTRY_TOKEN --hidden "
      "--protected\n"
      "  slipway variable set --group team KUBECONFIG --file --value-file kubeconfig\n"
      "  slipway variable list --project team/app\n"
      "  slipway variable delete --project team/app HOST --scope 'review/*'");
  const auto options = std::make_shared<VariableOptions>();

  auto* list = variable->add_subcommand("list", "list them without their values");
  add_owner(*list, options);
  list->add_flag("--json", options->json, "print JSON, with the values that may be shown");
  list->callback([options, &exit_code] { exit_code = list_variables(*options); });

  auto* set = variable->add_subcommand("set",
                                       "make or change one; its value comes by standard "
                                       "input or from a file");
  add_owner(*set, options);
  set->add_option("key", options->key, "its name in jobs")->required();
  set->add_option("--scope", options->scope, "environments that it is for, as 'review/*'");
  add_flags(*set, options);
  set->callback([options, &exit_code] { exit_code = set_variable(*options); });

  auto* remove = variable->add_subcommand("delete", "delete one");
  add_owner(*remove, options);
  remove->add_option("key", options->key, "its name in jobs")->required();
  remove->add_option("--scope", options->scope, "the one for these environments");
  remove->callback([options, &exit_code] { exit_code = delete_variable(*options); });
  return variable;
}

}  // namespace slipway::cli
