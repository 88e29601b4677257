#include "server/auth/sessions.h"

#include "base/crypto.h"
#include "server/store/database.h"

namespace slipway::server::auth {

namespace {

constexpr UnixMillis kMinute = 60'000;
constexpr UnixMillis kIdleLimit = kMinute * 60 * 12;
constexpr UnixMillis kAbsoluteLimit = kMinute * 60 * 24 * 7;

}  // namespace

Principal principal_of(const UserRow& user) {
  Principal principal;
  principal.kind = PrincipalKind::User;
  principal.user = user.id;
  principal.username = user.username;
  principal.is_admin = user.is_admin;
  principal.is_bot = user.bot_of.has_value();
  return principal;
}

std::string Sessions::create(Stores& stores, UnixMillis now, const UserRow& user,
                             const ClientInfo& client) {
  auto cookie = random_token("");
  SessionRow row;
  row.token_hash = token_hash(cookie);
  row.user_id = user.id;
  row.auth_epoch = user.auth_epoch;
  row.created_at = now;
  row.seen_at = now;
  row.expires_at = now + kAbsoluteLimit;
  row.ip_address = client.address;
  row.user_agent = client.user_agent.substr(0, 200);
  stores.sessions.remove_expired(now);
  stores.sessions.insert(row);
  return cookie;
}

std::optional<Principal> Sessions::find(const std::string& cookie) {
  return find(cookie, true);
}

std::optional<Principal> Sessions::peek(const std::string& cookie) {
  return find(cookie, false);
}

std::optional<Principal> Sessions::find(const std::string& cookie, bool present) {
  const auto hash = token_hash(cookie);
  const auto now = clock_.now();
  auto read = database_.read();
  const auto session = read->sessions.find(hash);
  if (!session || session->expires_at <= now || session->seen_at + kIdleLimit <= now)
    return std::nullopt;
  const auto user = read->users.find(session->user_id);
  if (!user || user->disabled || user->auth_epoch != session->auth_epoch) return std::nullopt;
  if (present && session->seen_at + kMinute <= now)
    writer_.note([hash](Stores& stores, UnixMillis at) -> Result<void> {
      stores.sessions.touch(hash, at);
      return {};
    });
  auto principal = principal_of(*user);
  principal.session = cookie;
  return principal;
}

Result<void> Sessions::end(const std::string& cookie) {
  return writer_.write([hash = token_hash(cookie)](Stores& stores, UnixMillis) -> Result<void> {
    stores.sessions.remove(hash);
    return {};
  });
}

std::string Sessions::csrf_token(std::string_view cookie) {
  return hmac_sha256_hex(cookie, "csrf");
}

}  // namespace slipway::server::auth
