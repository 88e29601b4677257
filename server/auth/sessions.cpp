#include "server/auth/sessions.h"

#include "base/crypto.h"
#include "server/auth/audit.h"
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

std::vector<SessionRow> Sessions::of_user(UserId user) {
  const auto now = clock_.now();
  auto read = database_.read();
  const auto row = read->users.find(user);
  auto all = read->sessions.of_user(user);
  std::erase_if(all, [&](const SessionRow& one) {
    return one.expires_at <= now || one.seen_at + kIdleLimit <= now || !row ||
           one.auth_epoch != row->auth_epoch;
  });
  return all;
}

Result<void> Sessions::end(const Principal& by, std::string_view id, const std::string& address) {
  return writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    for (const auto& row : stores.sessions.of_user(by.user)) {
      if (id_of(row) != id) continue;
      stores.sessions.remove(row.token_hash);
      audit(stores, now,
            {by.name(), "session.ended", "session/" + std::string{id}, false, address});
      return {};
    }
    return fail(ErrorKind::NotFound, "404 Session Not Found");
  });
}

std::string Sessions::id_of(const SessionRow& row) {
  return row.token_hash.substr(0, 16);
}

std::string Sessions::csrf_token(std::string_view cookie) {
  return hmac_sha256_hex(cookie, "csrf");
}

}  // namespace slipway::server::auth
