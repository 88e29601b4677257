// The tokens by which jobs show other services who they are (`id_tokens`): signed with a key that
// is made at the first start and sealed at rest, checked with the key set that anybody may read.
//
// After a rotation the key set has the old keys as well, until the last token of theirs is over.
// Const members are thread-safe.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/keyring.h"
#include "server/store/database.h"

namespace slipway::server {

class TokenSigner {
 public:
  // No token is good for longer.
  static constexpr std::chrono::hours kLongestLife{24};

  // The keys of the database, which gets one when it has none. Internal when they cannot be opened.
  // Writes: call it before the coordinator is there.
  static Result<TokenSigner> open(Database& database, const Keyring& keys);
  // As open(), with a new key that signs from now on. The database is the caller's alone.
  static Result<TokenSigner> rotate(Database& database, const Keyring& keys, UnixMillis now);

  // A JSON web token, by RS256.
  [[nodiscard]] Result<std::string> sign(const nlohmann::json& claims) const;
  // A JWK set: public keys alone.
  [[nodiscard]] nlohmann::json key_set(UnixMillis now) const;

 private:
  struct Key {
    std::string id;
    std::string secret;         // a JWK with its private part
    UnixMillis retired_at = 0;  // 0: it signs
  };
  explicit TokenSigner(std::vector<Key> keys) : keys_(std::move(keys)) {}

  static Result<std::vector<Key>> load(Database& database, const Keyring& keys);
  static void save(Database& database, const Keyring& keys, const std::vector<Key>& all);
  static Result<Key> make_key();

  std::vector<Key> keys_;  // the first one signs
};

}  // namespace slipway::server
