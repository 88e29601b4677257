#include "server/assembly/key_rotation.h"

#include "server/assembly/stored.h"

namespace slipway::server {

Result<Rotation> rotate_key(const ServerSettings& settings) {
  auto database = open_existing(settings);
  if (!database) return std::move(database).error();
  return rotate_keys(key_file(settings), **database);
}

}  // namespace slipway::server
