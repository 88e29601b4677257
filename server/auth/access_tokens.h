// Personal tokens ("glpat-…"): made once, shown once, kept as a hash. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "server/auth/principal.h"
#include "server/auth/writer.h"
#include "server/store/user_store.h"

namespace slipway::server {
class Database;
}

namespace slipway::server::auth {

struct NewToken {
  TokenRow row;
  std::string token;  // nowhere else
};

class AccessTokens {
 public:
  AccessTokens(Database& database, Writer& writer, const Clock& clock)
      : database_(database), writer_(writer), clock_(clock) {}

  // Inside a transaction.
  static NewToken create(Stores& stores, UnixMillis now, UserId user, std::string name,
                         std::vector<std::string> scopes, std::optional<int> days);
  // InvalidInput for a scope that does not exist, Denied for one that `by` itself has not.
  Result<NewToken> create(const Principal& by, std::string name, std::vector<std::string> scopes,
                          std::optional<int> days, const std::string& address);
  // Who this token is; nullopt when unknown, expired, revoked, or its user is disabled.
  [[nodiscard]] std::optional<Principal> find(std::string_view token);
  [[nodiscard]] std::vector<TokenRow> of_user(UserId user);
  // NotFound when it is not one of the user's.
  Result<void> revoke(const Principal& by, TokenId id, const std::string& address);

 private:
  Database& database_;
  Writer& writer_;
  const Clock& clock_;
};

}  // namespace slipway::server::auth
