#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/admin_command.h"
#include "cli/commands.h"
#include "server/assembly/backup.h"

namespace slipway::cli {
namespace {

// Where from and where to, as far as a command names them.
struct Places {
  std::string first;
  std::string second;
  bool with_key = false;
};

void tell(const server::BackupReport& report) {
  std::cout << report.rows << " rows, " << report.artifacts << " artifacts, " << report.logs
            << " logs" << (report.key ? ", and the key file" : "") << "\n";
  if (report.missing > 0)
    std::cout << report.missing << " artifacts had been removed in the meantime\n";
}

int back_up(AdminCommand& command, const Places& places) {
  if (!read_settings(command)) return kInvalid;
  const auto report =
      server::back_up(command.settings, places.first,
                      places.with_key ? server::KeyFile::Included : server::KeyFile::Left);
  if (!report) {
    print_error(report.error());
    return kFailed;
  }
  tell(*report);
  if (!report->key)
    std::cout << "without its key file, '" << server::key_file(command.settings).string()
              << "', nobody opens what is sealed in it: keep that elsewhere\n";
  return kOk;
}

int restore(AdminCommand& command, const Places& places) {
  if (!read_settings(command)) return kInvalid;
  const auto report = server::restore(command.settings, places.first);
  if (!report) {
    print_error(report.error());
    return kFailed;
  }
  tell(*report);
  if (!report->key)
    std::cout << "put the key file back before the server starts: '"
              << server::key_file(command.settings).string() << "'\n";
  return kOk;
}

int migrate_store(AdminCommand& command, const Places& places) {
  if (!read_settings(command)) return kInvalid;
  const auto tables = server::move_store(command.settings, places.first, places.second);
  if (!tables) {
    print_error(tables.error());
    return kFailed;
  }
  long long rows = 0;
  for (const auto& table : *tables) {
    if (table.rows > 0)
      std::cout << table.name << ": " << table.rows << " rows, sha256 " << table.sha256 << "\n";
    rows += table.rows;
  }
  std::cout << rows << " rows were written, read again and found the same\n";
  return kOk;
}

}  // namespace

void add_store_commands(CLI::App& admin, int& exit_code) {
  auto* backup = admin.add_subcommand(
      "backup", "copy database, artifacts and logs into a directory; the server may run");
  const auto saved = admin_command(*backup);
  const auto target = std::make_shared<Places>();
  backup->add_option("directory", target->first, "a new directory")->required();
  backup->add_flag("--with-key", target->with_key, "also the key file, which opens all secrets");
  backup->footer("Example:\n  slipway admin backup --data-dir /var/lib/slipway /backup/monday");
  backup->callback([=, &exit_code] { exit_code = back_up(*saved, *target); });

  auto* restored = admin.add_subcommand(
      "restore", "put a backup where no database is yet; the server must be stopped");
  const auto into = admin_command(*restored);
  const auto source = std::make_shared<Places>();
  restored->add_option("directory", source->first, "what `admin backup` made")->required();
  restored->footer("Example:\n  slipway admin restore --data-dir /var/lib/slipway /backup/monday");
  restored->callback([=, &exit_code] { exit_code = restore(*into, *source); });

  auto* migration = admin.add_subcommand(
      "migrate-store",
      "copy all rows from one database to an empty one; the server must be stopped");
  const auto settings = admin_command(*migration);
  const auto both = std::make_shared<Places>();
  migration->add_option("from", both->first, "an SQLite file, or PostgreSQL's URL")->required();
  migration->add_option("to", both->second, "the other one")->required();
  migration->footer(
      "The password of a URL is read from SLIPWAY_DATABASE_PASSWORD_FILE or PGPASSWORD.\n\n"
      "Example:\n"
      "  slipway admin migrate-store /var/lib/slipway/slipway.db postgresql://slipway@db/slipway");
  migration->callback([=, &exit_code] { exit_code = migrate_store(*settings, *both); });
}

}  // namespace slipway::cli
