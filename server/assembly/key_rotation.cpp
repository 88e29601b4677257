#include "server/assembly/key_rotation.h"

#include "server/store/database.h"

namespace slipway::server {

Result<Rotation> rotate_key(const ServerSettings& settings) {
  const auto file = settings.data_dir / "slipway.db";
  std::error_code failed;
  if (!std::filesystem::exists(file, failed))
    return fail(ErrorKind::NotFound, "there is no database '" + file.string() + "'")
        .with_hint("name the server's directory with --data-dir or SLIPWAY_DATA_DIR");
  auto database = Database::open(file);
  if (!database) return std::move(database).error();
  return rotate_keys(key_file(settings), **database);
}

}  // namespace slipway::server
