// Tokens of people and of projects ("glpat-…"): made once, shown once, kept as a hash. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "server/auth/principal.h"
#include "server/auth/writer.h"
#include "server/store/member_store.h"
#include "server/store/user_store.h"

namespace slipway::server {
class Database;
}

namespace slipway::server::auth {

struct NewToken {
  TokenRow row;
  std::string token;  // nowhere else
};

// A token that belongs to a project and not to a person.
struct NewProjectToken {
  std::string name;
  std::vector<std::string> scopes;
  Level level = Level::Maintainer;  // what it may do in the project, and nowhere else
  int days = 90;
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
  // The same for a token that was found before. Does not count as use.
  [[nodiscard]] std::optional<Principal> find_again(TokenId token);
  [[nodiscard]] std::vector<TokenRow> of_user(UserId user);
  // Acts as a bot that is a member of the project. `by_level` is the caller's own there: Denied for
  // a token that could do more.
  Result<NewToken> create(const Principal& by, Level by_level, const ProjectRow& project,
                          const NewProjectToken& wanted, const std::string& address);
  [[nodiscard]] std::vector<TokenRow> of_project(ProjectId project);
  // NotFound when it is not one of the project's.
  Result<void> revoke(const Principal& by, ProjectId project, TokenId id,
                      const std::string& address);
  // A new one in place of one of the user's, which is revoked. NotFound when that is of no use any
  // more.
  Result<NewToken> rotate(const Principal& by, TokenId id, int days, const std::string& address);
  // NotFound when it is not one of the user's, but for administrators.
  Result<void> revoke(const Principal& by, TokenId id, const std::string& address);

 private:
  [[nodiscard]] std::optional<Principal> principal_for(Stores& stores,
                                                       const std::optional<TokenRow>& row) const;
  Database& database_;
  Writer& writer_;
  const Clock& clock_;
};

}  // namespace slipway::server::auth
