#include "server/auth/accounts.h"

#include <algorithm>
#include <system_error>

#include "base/crypto.h"
#include "base/files.h"
#include "server/auth/access_tokens.h"
#include "server/auth/audit.h"
#include "server/store/database.h"

namespace slipway::server::auth {

namespace {

// Of a password that nobody knows, made as hash_password() makes them: an unknown name costs the
// same work as a known one. Made beforehand, since making it takes a tenth of a second.
const std::string kDummyHash =
    "$argon2id$v=19$m=65536,t=2,p=1$RnHrWiaZL8RBV+9YeO5TUg$"
    "vYvi0PKeUCXG3ErenxrLR6T0Hz2JFktTT0RPG9SsW6I";

constexpr UnixMillis kSetupTokenLife = 3'600'000;  // an hour
constexpr const char* kSetupAccount = "\n setup";  // a key of the limiter that no user can have

Error wrong_setup_token() {
  return fail(ErrorKind::Unauthenticated, "the setup token is wrong or has expired")
      .with_hint("it stands in <data_dir>/setup-token; restart the server for a new one");
}

Error wrong_credentials() {
  return fail(ErrorKind::Unauthenticated, "wrong user name or password");
}

bool setup_open(Stores& stores) {
  return !stores.settings.get("setup_done") && stores.users.count() == 0;
}

bool token_fits(Stores& stores, std::string_view token, UnixMillis now) {
  const auto hash = stores.settings.get("setup_token_hash");
  const auto expires = stores.settings.get("setup_token_expires");
  return hash && expires && constant_time_equal(*hash, token_hash(token)) &&
         now < std::stoll(*expires);
}

}  // namespace

Result<void> check_username(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 64 &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) {
                                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                         (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                                }) &&
                    name.front() != '-' && name.front() != '.';
  if (good) return {};
  return fail(ErrorKind::InvalidInput,
              "field 'username' must be 1 to 64 letters, digits, '.', '_' or '-'");
}

Result<void> check_password(std::string_view password, std::string_view username) {
  if (password.size() < 10 || password.size() > 128)
    return fail(ErrorKind::InvalidInput, "field 'password' must have 10 to 128 characters");
  if (password == username)
    return fail(ErrorKind::InvalidInput, "field 'password' must not be the user name");
  return {};
}

Accounts::Accounts(Database& database, Writer& writer, const Clock& clock,
                   std::filesystem::path data_dir)
    : database_(database),
      writer_(writer),
      clock_(clock),
      data_dir_(std::move(data_dir)),
      limiter_(clock) {}

void Accounts::note(AuditEntry entry) {
  writer_.note([entry = std::move(entry)](Stores& stores, UnixMillis now) -> Result<void> {
    audit(stores, now, entry);
    return {};
  });
}

std::filesystem::path Accounts::token_file() const {
  return data_dir_ / "setup-token";
}

bool Accounts::setup_needed() {
  auto read = database_.read();
  return setup_open(*read);
}

Result<std::string> Accounts::prepare_setup() {
  if (!setup_needed()) {
    std::error_code ignored;
    std::filesystem::remove(token_file(), ignored);
    return std::string{};
  }
  const auto token = random_token("slst-");
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    stores.settings.put("setup_token_hash", token_hash(token));
    stores.settings.put("setup_token_expires", std::to_string(now + kSetupTokenLife));
    return {};
  });
  if (!written) return written.error();
  if (auto done = replace_file(token_file(), token + "\n", 0600, Durable::yes); !done)
    return done.error();
  return token_file().string();
}

std::chrono::milliseconds Accounts::admit(std::string_view account, std::string_view address) {
  return limiter_.admit(account.empty() ? std::string_view{kSetupAccount} : account, address);
}

Result<LoggedIn> Accounts::setup(std::string_view token, const Credentials& wanted,
                                 const ClientInfo& client) {
  {
    auto read = database_.read();
    if (!setup_open(*read) || !token_fits(*read, token, clock_.now())) {
      limiter_.failed(kSetupAccount);
      note({"anonymous", "setup.done", "", true, client.address});
      return wrong_setup_token();
    }
  }
  if (auto fine = check_username(wanted.username); !fine) return fine.error();
  if (auto fine = check_password(wanted.password, wanted.username); !fine) return fine.error();
  LoggedIn result;
  result.user.username = wanted.username;
  result.user.password_hash = hash_password(wanted.password);
  result.user.is_admin = true;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    // Asked again: of many at once, one may win.
    if (!setup_open(stores) || !token_fits(stores, token, now)) return wrong_setup_token();
    result.user.created_at = now;
    result.user.id = stores.users.insert(result.user);
    stores.settings.put("setup_done", "1");
    stores.settings.remove("setup_token_hash");
    stores.settings.remove("setup_token_expires");
    result.session = Sessions::create(stores, now, result.user, client);
    result.personal_token =
        AccessTokens::create(stores, now, result.user.id, "setup", {"api"}, 365).token;
    audit(stores, now, {principal_of(result.user).name(), "setup.done", "", false, client.address});
    return {};
  });
  if (!written) return written.error();
  std::error_code ignored;
  std::filesystem::remove(token_file(), ignored);
  return result;
}

Result<LoggedIn> Accounts::set_password(
    UserId id, const std::string& hash, const char* action, const ClientInfo& client,
    const std::function<Result<void>(const UserRow&, UnixMillis)>& check) {
  LoggedIn result;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    auto row = stores.users.find(id);
    if (!row || row->disabled) return wrong_credentials();
    if (auto fine = check(*row, now); !fine) return fine;
    row->password_hash = hash;
    row->invitation_hash.clear();
    row->invitation_expires_at.reset();
    ++row->auth_epoch;
    stores.users.update(*row);
    stores.sessions.remove_of_user(id);
    result.user = *row;
    result.session = Sessions::create(stores, now, *row, client);
    audit(stores, now, {principal_of(*row).name(), action, "", false, client.address});
    return {};
  });
  if (!written) return written.error();
  return result;
}

Result<LoggedIn> Accounts::accept(std::string_view invitation, const std::string& password,
                                  const ClientInfo& client) {
  const auto hash = token_hash(invitation);
  const auto fits = [&](const UserRow& row, UnixMillis now) -> Result<void> {
    const bool good = !row.disabled && row.invitation_hash == hash && row.invitation_expires_at &&
                      *row.invitation_expires_at > now;
    if (good) return {};
    return fail(ErrorKind::Unauthenticated, "the invitation is wrong, used or expired")
        .with_hint("an administrator can make a new one");
  };
  const auto user = database_.read()->users.find_by_invitation(hash);
  if (auto fine = fits(user.value_or(UserRow{}), clock_.now()); !fine) {
    note({"anonymous", "invitation.used", "", true, client.address});
    return fine.error();
  }
  if (auto fine = check_password(password, user->username); !fine) return fine.error();
  return set_password(user->id, hash_password(password), "invitation.used", client, fits);
}

Result<LoggedIn> Accounts::change_password(const Principal& who, const std::string& current,
                                           const std::string& wanted, const ClientInfo& client) {
  const auto user = database_.read()->users.find(who.user);
  const auto& known = user && !user->password_hash.empty() ? user->password_hash : kDummyHash;
  if (!verify_password(known, current) || !user || user->password_hash.empty()) {
    limiter_.failed(who.username);
    note({who.name(), "password.changed", "", true, client.address});
    return fail(ErrorKind::Unauthenticated, "the current password is wrong");
  }
  limiter_.succeeded(who.username);
  if (auto fine = check_password(wanted, user->username); !fine) return fine.error();
  // What was verified is what is replaced.
  return set_password(user->id, hash_password(wanted), "password.changed", client,
                      [&](const UserRow& row, UnixMillis) -> Result<void> {
                        if (row.password_hash == user->password_hash) return {};
                        return fail(ErrorKind::Conflict, "the password was changed meanwhile");
                      });
}

Result<LoggedIn> Accounts::login(const Credentials& given, const ClientInfo& client) {
  const auto user = database_.read()->users.find_by_name(given.username);
  const bool has_password = user && !user->password_hash.empty();
  const bool right =
      verify_password(has_password ? user->password_hash : kDummyHash, given.password) &&
      has_password;
  if (!right || user->disabled) {
    limiter_.failed(given.username);
    note({user ? principal_of(*user).name() : "anonymous", "session.created", "", true,
          client.address});
    return wrong_credentials();
  }
  limiter_.succeeded(given.username);
  LoggedIn result;
  result.user = *user;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    // Blocked, or given another password, while this one was hashed.
    const auto now_stored = stores.users.find(result.user.id);
    if (!now_stored || now_stored->disabled || now_stored->auth_epoch != result.user.auth_epoch)
      return wrong_credentials();
    result.session = Sessions::create(stores, now, result.user, client);
    audit(stores, now,
          {principal_of(result.user).name(), "session.created", "", false, client.address});
    return {};
  });
  if (!written) return written.error();
  return result;
}

}  // namespace slipway::server::auth
