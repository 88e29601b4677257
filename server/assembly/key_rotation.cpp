#include "server/assembly/key_rotation.h"

#include "base/clock.h"
#include "server/identity/token_signer.h"
#include "server/store/database.h"

namespace slipway::server {
namespace {

Result<std::unique_ptr<Database>> open_database(const ServerSettings& settings) {
  const auto file = settings.data_dir / "slipway.db";
  std::error_code failed;
  if (!std::filesystem::exists(file, failed))
    return fail(ErrorKind::NotFound, "there is no database '" + file.string() + "'")
        .with_hint("name the server's directory with --data-dir or SLIPWAY_DATA_DIR");
  return Database::open(file);
}

}  // namespace

Result<Rotation> rotate_key(const ServerSettings& settings) {
  auto database = open_database(settings);
  if (!database) return std::move(database).error();
  return rotate_keys(key_file(settings), **database);
}

Result<void> rotate_id_token_key(const ServerSettings& settings) {
  auto database = open_database(settings);
  if (!database) return std::move(database).error();
  const auto keys = open_keys(key_file(settings), **database);
  if (!keys) return keys.error();
  const auto rotated = TokenSigner::rotate(**database, *keys, SystemClock{}.now());
  if (!rotated) return rotated.error();
  return {};
}

}  // namespace slipway::server
