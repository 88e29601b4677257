// People's accounts: the first administrator, made with the setup token, logging in, and passwords.
//
// While there is no user and setup was never done, prepare_setup() keeps a one-time token in
// <data_dir>/setup-token, readable by the server's own user only, good for an hour. setup_done is
// never taken back: losing users must not open the door again.
//
// Thread-safe. setup(), login(), accept() and change_password() hash passwords: call them on the
// PasswordPool.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "server/auth/audit.h"
#include "server/auth/login_limiter.h"
#include "server/auth/sessions.h"
#include "server/auth/writer.h"
#include "server/store/user_store.h"

namespace slipway::server {
class Database;
}

namespace slipway::server::auth {

struct Credentials {
  std::string username;
  std::string password;
};

struct LoggedIn {
  UserRow user;
  std::string session;         // the cookie's value
  std::string personal_token;  // of setup only
};

class Accounts {
 public:
  Accounts(Database& database, Writer& writer, const Clock& clock, std::filesystem::path data_dir);

  // At start: makes a new setup token when one is needed; answers where it stands, or "".
  Result<std::string> prepare_setup();
  [[nodiscard]] bool setup_needed();
  // Zero, or how long this caller has to wait before the next try.
  std::chrono::milliseconds admit(std::string_view account, std::string_view address);
  // Unauthenticated for a wrong or expired token and once setup is done; InvalidInput for a name or
  // a password that will not do.
  Result<LoggedIn> setup(std::string_view token, const Credentials& wanted,
                         const ClientInfo& client);
  // Unauthenticated, with the same words and the same work for a wrong name and a wrong password.
  Result<LoggedIn> login(const Credentials& given, const ClientInfo& client);
  // Sets the first or a new password with an invitation, once; all earlier sessions end.
  // Unauthenticated for one that is wrong, used, expired or of somebody who is blocked.
  Result<LoggedIn> accept(std::string_view invitation, const std::string& password,
                          const ClientInfo& client);
  // Unauthenticated when `current` is wrong. All sessions end; the answer has a new one.
  Result<LoggedIn> change_password(const Principal& who, const std::string& current,
                                   const std::string& wanted, const ClientInfo& client);

 private:
  // What was refused; nobody waits for it.
  void note(AuditEntry entry);
  [[nodiscard]] std::filesystem::path token_file() const;
  // In `change` the row is as it is stored by then.
  Result<LoggedIn> set_password(
      UserId id, const std::string& hash, const char* action, const ClientInfo& client,
      const std::function<Result<void>(const UserRow&, UnixMillis)>& check);

  Database& database_;
  Writer& writer_;
  const Clock& clock_;
  std::filesystem::path data_dir_;
  LoginLimiter limiter_;
};

// InvalidInput that says what would do.
Result<void> check_username(std::string_view name);
Result<void> check_password(std::string_view password, std::string_view username);

}  // namespace slipway::server::auth
