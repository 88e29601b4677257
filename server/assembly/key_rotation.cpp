#include "server/assembly/key_rotation.h"

#include "base/clock.h"
#include "server/assembly/stored.h"
#include "server/identity/token_signer.h"

namespace slipway::server {

Result<Rotation> rotate_key(const ServerSettings& settings) {
  auto database = open_existing(settings);
  if (!database) return std::move(database).error();
  return rotate_keys(key_file(settings), **database);
}

Result<void> rotate_id_token_key(const ServerSettings& settings) {
  auto database = open_existing(settings);
  if (!database) return std::move(database).error();
  const auto keys = open_keys(key_file(settings), **database);
  if (!keys) return keys.error();
  const auto rotated = TokenSigner::rotate(**database, *keys, SystemClock{}.now());
  if (!rotated) return rotated.error();
  return {};
}

}  // namespace slipway::server
