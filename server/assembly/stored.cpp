#include "server/assembly/stored.h"

namespace slipway::server {

DatabasePlace database_place(const ServerSettings& settings) {
  if (settings.database.empty()) return DatabasePlace::at_file(settings.data_dir / "slipway.db");
  return {{}, settings.database, settings.database_password};
}

Result<void> check_exists(const DatabasePlace& place) {
  std::error_code failed;
  if (place.is_file() && !std::filesystem::exists(place.file, failed))
    return fail(ErrorKind::NotFound, "there is no database '" + place.name() + "'")
        .with_hint("name the server's directory with --data-dir or SLIPWAY_DATA_DIR");
  return {};
}

Result<std::unique_ptr<Database>> open_existing(const ServerSettings& settings) {
  const DatabasePlace place = database_place(settings);
  if (auto exists = check_exists(place); !exists) return exists.error();
  return Database::open(place);
}

}  // namespace slipway::server
