// Browser sessions: a random cookie, of which the database keeps only the hash. Thread-safe.
//
// A session ends 12 hours after it was last seen, 7 days after it was made, at logout, and when its
// user is disabled or had all sessions ended.
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

// Where a login came from, for the user's own list.
struct ClientInfo {
  std::string address;
  std::string user_agent;
};

class Sessions {
 public:
  Sessions(Database& database, Writer& writer, const Clock& clock)
      : database_(database), writer_(writer), clock_(clock) {}

  // Inside a transaction: the cookie's value.
  static std::string create(Stores& stores, UnixMillis now, const UserRow& user,
                            const ClientInfo& client);
  // Who this cookie is; nullopt: nobody, any more.
  [[nodiscard]] std::optional<Principal> find(const std::string& cookie);
  // The same without the user being there: does not count against the idle limit.
  [[nodiscard]] std::optional<Principal> peek(const std::string& cookie);
  Result<void> end(const std::string& cookie);
  // Those of the user that have not ended, the newest first. Their cookies are nowhere.
  [[nodiscard]] std::vector<SessionRow> of_user(UserId user);
  // Ends the one of that name. NotFound when it is not one of the user's.
  Result<void> end(const Principal& by, std::string_view id, const std::string& address);
  // What a session is called where it is listed; nobody gets in with it.
  static std::string id_of(const SessionRow& row);

  // What every changing request of the session must carry in X-CSRF-Token.
  static std::string csrf_token(std::string_view cookie);

 private:
  std::optional<Principal> find(const std::string& cookie, bool present);
  Database& database_;
  Writer& writer_;
  const Clock& clock_;
};

// The principal that a user is, without saying how it was shown.
Principal principal_of(const UserRow& user);

}  // namespace slipway::server::auth
