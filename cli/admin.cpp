#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/admin_command.h"
#include "cli/commands.h"
#include "server/assembly/audit_check.h"
#include "server/assembly/key_rotation.h"

namespace slipway::cli {

std::shared_ptr<AdminCommand> admin_command(CLI::App& command) {
  auto made = std::make_shared<AdminCommand>();
  std::vector<Setting> rows;
  for (const Setting& row : made->table)
    if (row.name == "data_dir" || row.name == "database" || row.name == "key_file")
      rows.push_back(row);
  made->flags = add_setting_flags(command, rows);
  return made;
}

bool read_settings(AdminCommand& command) {
  const auto origins = load_settings(command.table, *command.flags, "slipway.yml");
  if (!origins) print_error(origins.error());
  return origins.has_value();
}

namespace {

int rotate(AdminCommand& command) {
  if (!read_settings(command)) return kInvalid;
  const auto rotation = server::rotate_key(command.settings);
  if (!rotation) {
    print_error(rotation.error());
    return kFailed;
  }
  if (rotation->was_begun)
    std::cout << "an earlier rotation had been interrupted; it is done now\n";
  std::cout << "sealed " << rotation->resealed << " values with the new key in "
            << server::key_file(command.settings).string() << "\n";
  return kOk;
}

int rotate_id_tokens(AdminCommand& command) {
  if (!read_settings(command)) return kInvalid;
  if (const auto rotated = server::rotate_id_token_key(command.settings); !rotated) {
    print_error(rotated.error());
    return kFailed;
  }
  std::cout << "id_tokens are signed with a new key; the old one is published for another day\n";
  return kOk;
}

int verify_audit(AdminCommand& command) {
  if (!read_settings(command)) return kInvalid;
  const auto verdict = server::check_audit(command.settings);
  if (!verdict) {
    print_error(verdict.error());
    return kFailed;
  }
  if (verdict->broken) {
    std::cerr << "the audit log is broken at entry " << *verdict->broken << ": " << verdict->why
              << "\n";
    return kFailed;
  }
  std::cout << verdict->rows << " entries are as they were written; the last one's hash is "
            << (verdict->head.empty() ? "none" : verdict->head) << "\n";
  return kOk;
}

}  // namespace

CLI::App* add_admin_command(CLI::App& app, int& exit_code) {
  auto* admin = app.add_subcommand("admin", "look after a server on its own machine");
  admin->require_subcommand(1);
  auto* rotation = admin->add_subcommand(
      "rotate-key", "seal all secrets with a new key; the server must be stopped");
  const auto command = admin_command(*rotation);
  rotation->footer(
      "What is interrupted loses nothing: start the server, or the command once more.\n\n"
      "Example:\n  slipway admin rotate-key --data-dir /var/lib/slipway");
  rotation->callback([command, &exit_code] { exit_code = rotate(*command); });
  auto* signing = admin->add_subcommand(
      "rotate-id-token-key", "sign id_tokens with a new key; the server must be stopped");
  const auto of_tokens = admin_command(*signing);
  signing->footer(
      "The old key stays in the key set until its last token is over.\n\n"
      "Example:\n  slipway admin rotate-id-token-key --data-dir /var/lib/slipway");
  signing->callback([of_tokens, &exit_code] { exit_code = rotate_id_tokens(*of_tokens); });
  auto* audit = admin->add_subcommand(
      "verify-audit", "check that nobody changed the audit log; the server must be stopped");
  const auto check = admin_command(*audit);
  audit->footer(
      "A running server answers the same: GET /api/v4/audit_events/verification.\n\n"
      "Example:\n  slipway admin verify-audit --data-dir /var/lib/slipway");
  audit->callback([check, &exit_code] { exit_code = verify_audit(*check); });
  add_store_commands(*admin, exit_code);
  return admin;
}

}  // namespace slipway::cli
