// The tokens by which jobs show other services who they are (`id_tokens`): signed with a key that
// is made after the first start and sealed at rest, checked with the key set that anybody may read.
//
// After a rotation the key set has the old keys as well, until the last token of theirs is over.
// Thread-safe but for moving; copies share their keys.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
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

  // The keys of the database, which may have none yet. Internal when they cannot be opened.
  static Result<TokenSigner> open(Database& database, const Keyring& keys);
  [[nodiscard]] bool has_key() const;
  // Makes the first one, which takes some tenths of a second, and hands it over as it is to be
  // stored: kSigningKeys. Whoever signs or asks for the key set meanwhile waits for it.
  Result<void> make_first_key(const Keyring& keys,
                              const std::function<Result<void>(const std::string& sealed)>& store);
  // As open(), with a new key that signs from now on. The database is the caller's alone.
  static Result<TokenSigner> rotate(Database& database, const Keyring& keys, UnixMillis now);

  // A JSON web token, by RS256. Unavailable when there is no key, and none comes within half a
  // minute.
  [[nodiscard]] Result<std::string> sign(const nlohmann::json& claims) const;
  // A JWK set: public keys alone.
  [[nodiscard]] nlohmann::json key_set(UnixMillis now) const;

 private:
  struct Key {
    std::string id;
    std::string secret;         // a JWK with its private part
    UnixMillis retired_at = 0;  // 0: it signs
  };
  struct Shared;  // the keys: the first one signs
  explicit TokenSigner(std::vector<Key> keys);

  static Result<std::vector<Key>> load(Database& database, const Keyring& keys);
  static std::string sealed(const Keyring& keys, const std::vector<Key>& all);
  static Result<Key> make_key();
  // Those that are there, once there are any.
  [[nodiscard]] std::vector<Key> wait_for_keys() const;

  std::shared_ptr<Shared> shared_;
};

}  // namespace slipway::server
