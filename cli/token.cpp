#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/server_client.h"

namespace slipway::cli {
namespace {

struct TokenOptions {
  std::string name;
  std::vector<std::string> scopes;
  int days = 0;
  long long id = 0;
};

int report(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

int create_token(const TokenOptions& options) {
  nlohmann::json body{{"name", options.name}};
  if (!options.scopes.empty()) body["scopes"] = options.scopes;
  if (options.days > 0) body["expires_in_days"] = options.days;
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  const auto answer = call(*server, "POST", "/api/v4/personal_access_tokens", &body);
  if (!answer) return report(answer.error());
  // Only the token on standard output, so that `> file` keeps just that.
  std::cerr << "token " << answer->value("id", 0) << ", shown once:\n";
  std::cout << answer->value("token", "") << "\n";
  return kOk;
}

int list_tokens() {
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  const auto answer = call(*server, "GET", "/api/v4/personal_access_tokens");
  if (!answer) return report(answer.error());
  for (const auto& token : *answer)
    std::cout << token.value("id", 0) << "\t" << token.value("name", "") << "\t"
              << token["scopes"].dump() << "\t"
              << (token["expires_at"].is_string() ? token["expires_at"].get<std::string>()
                                                  : "does not expire")
              << (token.value("revoked", false) ? "\trevoked" : "") << "\n";
  return kOk;
}

int revoke_token(long long id) {
  const auto server = server_from_environment();
  if (!server) return report(server.error());
  const auto answer =
      call(*server, "DELETE", "/api/v4/personal_access_tokens/" + std::to_string(id));
  if (!answer) return report(answer.error());
  std::cout << "revoked\n";
  return kOk;
}

}  // namespace

CLI::App* add_token_command(CLI::App& app, int& exit_code) {
  auto* token = app.add_subcommand("token", "make, list and revoke your personal tokens");
  token->require_subcommand(1);
  token->footer(
      "The server is SLIPWAY_URL, the token SLIPWAY_TOKEN or SLIPWAY_TOKEN_FILE.\n\nExamples:\n"
      "  slipway token create laptop --scope read_api --days 30 > ~/.slipway-token\n"
      "  slipway token list\n"
      "  slipway token revoke 7");
  const auto options = std::make_shared<TokenOptions>();

  auto* create = token->add_subcommand("create", "make a token; it is printed once");
  create->add_option("name", options->name, "what it is for")->required();
  create
      ->add_option("--scope", options->scopes,
                   "api, read_api, read_user, read_repository or create_runner; may be repeated")
      ->check(CLI::IsMember({"api", "read_api", "read_user", "read_repository", "create_runner"}));
  create->add_option("--days", options->days, "days until it expires")->check(CLI::Range(1, 365));
  create->callback([options, &exit_code] { exit_code = create_token(*options); });

  token->add_subcommand("list", "list your tokens, without their text")->callback([&exit_code] {
    exit_code = list_tokens();
  });

  auto* revoke = token->add_subcommand("revoke", "make a token worthless at once");
  revoke->add_option("id", options->id, "its number in the list")->required();
  revoke->callback([options, &exit_code] { exit_code = revoke_token(options->id); });
  return token;
}

}  // namespace slipway::cli
