// The key file of a server beside its database: opened at start, replaced by a rotation.
//
// Who has one of the two without the other can read no secret, and a server does not start with a
// file that is not that of its database.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/keyring.h"
#include "server/store/database.h"

namespace slipway::server {

// The setting that holds the keys of id_tokens, sealed, and what it is bound to.
inline constexpr std::string_view kSigningKeys = "id_token_keys";
inline constexpr std::string_view kSigningKeysContext = "id token keys";

// The keys, made when the database is new. InvalidInput when the file is missing or another one
// than the database's values were sealed with. Writes: call it before the coordinator is there.
Result<Keyring> open_keys(const std::filesystem::path& file, Database& database);

struct Rotation {
  std::size_t resealed = 0;  // values
  bool was_begun = false;    // by a rotation that had been interrupted
};

// Seals every value with a new key and forgets the old ones. Whatever interrupts it, the file opens
// every value, and calling it again ends what was begun. The database is the caller's alone.
Result<Rotation> rotate_keys(const std::filesystem::path& file, Database& database);

// The steps of a rotation. The first one puts a new key in front of the file, unless one that was
// interrupted has done so; the second seals some values anew, a transaction each time, and answers
// how many (0: all are); the last one leaves the newest key alone in the file.
Result<Keyring> begin_rotation(const std::filesystem::path& file);
Result<std::size_t> reseal_some(Database& database, const Keyring& keys, int most);
Result<void> end_rotation(const std::filesystem::path& file, const Keyring& keys);

}  // namespace slipway::server
