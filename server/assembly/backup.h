// A server's state as a directory, made while it runs, and back.
//
// In the directory: `slipway.db` (one moment of the database, SQLite's form whatever the server
// uses), `artifacts/` (those that it names), `traces/` (logs), `secret.key` when asked for, and
// last `backup.json`, which says what there should be. Not in it: mirrors, which are fetched again.
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/error.h"
#include "server/settings/server_settings.h"
#include "server/store/copy.h"

namespace slipway::server {

struct BackupReport {
  long long rows = 0;
  std::size_t artifacts = 0;
  std::size_t missing = 0;  // artifacts that went while the backup was made
  std::size_t logs = 0;
  bool key = false;
};

enum class KeyFile : bool { Left, Included };

// Conflict when the directory holds something.
Result<BackupReport> back_up(const ServerSettings& settings, const std::filesystem::path& directory,
                             KeyFile key);

// Into what `settings` name, where no row may be yet. Interrupted, it is called again. InvalidInput
// for a directory that is no finished backup, Conflict for rows or another key in the way.
Result<BackupReport> restore(const ServerSettings& settings,
                             const std::filesystem::path& directory);

// From one database to an empty one, each an SQLite file or PostgreSQL's URL; the settings'
// password is for both. What was moved.
Result<std::vector<CopiedTable>> move_store(const ServerSettings& settings, const std::string& from,
                                            const std::string& to);

}  // namespace slipway::server
