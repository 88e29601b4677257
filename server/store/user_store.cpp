#include "server/store/user_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<UserRow> {
  template <typename F>
  static void each(UserRow& row, F&& f) {
    f("id", row.id);
    f("username", row.username);
    f("name", row.name);
    f("password_hash", row.password_hash);
    f("is_admin", row.is_admin);
    f("disabled", row.disabled);
    f("auth_epoch", row.auth_epoch);
    f("invitation_hash", row.invitation_hash);
    f("invitation_expires_at", row.invitation_expires_at);
    f("bot_of", row.bot_of);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<SessionRow> {
  template <typename F>
  static void each(SessionRow& row, F&& f) {
    f("token_hash", row.token_hash);
    f("user_id", row.user_id);
    f("auth_epoch", row.auth_epoch);
    f("created_at", row.created_at);
    f("seen_at", row.seen_at);
    f("expires_at", row.expires_at);
    f("ip_address", row.ip_address);
    f("user_agent", row.user_agent);
  }
};

template <>
struct Columns<IdentityRow> {
  template <typename F>
  static void each(IdentityRow& row, F&& f) {
    f("issuer", row.issuer);
    f("subject", row.subject);
    f("user_id", row.user_id);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<TokenRow> {
  template <typename F>
  static void each(TokenRow& row, F&& f) {
    f("id", row.id);
    f("token_hash", row.token_hash);
    f("user_id", row.user_id);
    f("name", row.name);
    f("scopes", row.scopes);
    f("created_at", row.created_at);
    f("expires_at", row.expires_at);
    f("last_used_at", row.last_used_at);
    f("revoked_at", row.revoked_at);
  }
};

std::optional<UserRow> UserStore::find(UserId id) const {
  static const std::string sql = "SELECT " + column_names<UserRow>() + " FROM users WHERE id = ?";
  return select_one<UserRow>(session_, sql, id);
}

std::optional<UserRow> UserStore::find_by_name(std::string_view username) const {
  static const std::string sql =
      "SELECT " + column_names<UserRow>() + " FROM users WHERE lower(username) = lower(?)";
  return select_one<UserRow>(session_, sql, username);
}

std::optional<UserRow> UserStore::find_by_invitation(std::string_view hash) const {
  static const std::string sql =
      "SELECT " + column_names<UserRow>() + " FROM users WHERE invitation_hash = ?1 AND ?1 <> ''";
  return select_one<UserRow>(session_, sql, hash);
}

Page<UserRow> UserStore::list(std::string_view search, PageRequest page) const {
  static const std::string where =
      " FROM users WHERE bot_of IS NULL AND (?1 = '' OR instr(lower(username), lower(?1)) > 0"
      " OR instr(lower(name), lower(?1)) > 0)";
  static const std::string rows =
      "SELECT " + column_names<UserRow>() + where + " ORDER BY lower(username) LIMIT ?2 OFFSET ?3";
  static const std::string total = "SELECT COUNT(*)" + where;
  return {select<UserRow>(session_, rows, search, page.per_page, (page.page - 1) * page.per_page),
          select_value<long long>(session_, total, search)};
}

long long UserStore::count_admins() const {
  return select_value<long long>(session_,
                                 "SELECT COUNT(*) FROM users WHERE is_admin = 1 AND disabled = 0");
}

long long UserStore::count() const {
  return select_value<long long>(session_, "SELECT COUNT(*) FROM users");
}

UserId UserStore::insert(const UserRow& row) {
  return {insert_row(session_, "users", row)};
}

void UserStore::update(const UserRow& row) {
  execute(session_, R"sql(
UPDATE users SET username = ?, name = ?, password_hash = ?, is_admin = ?, disabled = ?,
       auth_epoch = ?, invitation_hash = ?, invitation_expires_at = ?
 WHERE id = ?)sql",
          row.username, row.name, row.password_hash, row.is_admin, row.disabled, row.auth_epoch,
          row.invitation_hash, row.invitation_expires_at, row.id);
}

void UserStore::remove(UserId id) {
  execute(session_, "DELETE FROM users WHERE id = ?", id);
}

std::optional<SessionRow> SessionStore::find(std::string_view token_hash) const {
  static const std::string sql =
      "SELECT " + column_names<SessionRow>() + " FROM sessions WHERE token_hash = ?";
  return select_one<SessionRow>(session_, sql, token_hash);
}

void SessionStore::insert(const SessionRow& row) {
  execute(session_, R"sql(
INSERT INTO sessions
  (token_hash, user_id, auth_epoch, created_at, seen_at, expires_at, ip_address, user_agent)
VALUES (?, ?, ?, ?, ?, ?, ?, ?))sql",
          row.token_hash, row.user_id, row.auth_epoch, row.created_at, row.seen_at, row.expires_at,
          row.ip_address, row.user_agent);
}

void SessionStore::touch(std::string_view token_hash, UnixMillis seen_at) {
  execute(session_, "UPDATE sessions SET seen_at = ? WHERE token_hash = ?", seen_at, token_hash);
}

void SessionStore::remove(std::string_view token_hash) {
  execute(session_, "DELETE FROM sessions WHERE token_hash = ?", token_hash);
}

std::vector<SessionRow> SessionStore::of_user(UserId id) const {
  static const std::string sql = "SELECT " + column_names<SessionRow>() +
                                 " FROM sessions WHERE user_id = ? ORDER BY created_at DESC";
  return select<SessionRow>(session_, sql, id);
}

void SessionStore::remove_of_user(UserId id) {
  execute(session_, "DELETE FROM sessions WHERE user_id = ?", id);
}

void SessionStore::remove_expired(UnixMillis now) {
  execute(session_, "DELETE FROM sessions WHERE expires_at <= ?", now);
}

std::optional<IdentityRow> IdentityStore::find(std::string_view issuer,
                                               std::string_view subject) const {
  static const std::string sql =
      "SELECT " + column_names<IdentityRow>() + " FROM identities WHERE issuer = ? AND subject = ?";
  return select_one<IdentityRow>(session_, sql, issuer, subject);
}

std::vector<IdentityRow> IdentityStore::of_user(UserId user) const {
  static const std::string sql = "SELECT " + column_names<IdentityRow>() +
                                 " FROM identities WHERE user_id = ? ORDER BY issuer, subject";
  return select<IdentityRow>(session_, sql, user);
}

void IdentityStore::insert(const IdentityRow& row) {
  execute(session_,
          "INSERT INTO identities (issuer, subject, user_id, created_at) VALUES (?, ?, ?, ?)",
          row.issuer, row.subject, row.user_id, row.created_at);
}

std::optional<TokenRow> TokenStore::find(TokenId id) const {
  static const std::string sql = "SELECT " + column_names<TokenRow>() + " FROM tokens WHERE id = ?";
  return select_one<TokenRow>(session_, sql, id);
}

std::optional<TokenRow> TokenStore::find_by_hash(std::string_view token_hash) const {
  static const std::string sql =
      "SELECT " + column_names<TokenRow>() + " FROM tokens WHERE token_hash = ?";
  return select_one<TokenRow>(session_, sql, token_hash);
}

std::vector<TokenRow> TokenStore::of_user(UserId id) const {
  static const std::string sql =
      "SELECT " + column_names<TokenRow>() + " FROM tokens WHERE user_id = ? ORDER BY id";
  return select<TokenRow>(session_, sql, id);
}

std::vector<TokenRow> TokenStore::of_project(ProjectId id) const {
  static const std::string sql =
      "SELECT " + column_names<TokenRow>() +
      " FROM tokens WHERE user_id IN (SELECT id FROM users WHERE bot_of = ?) ORDER BY id";
  return select<TokenRow>(session_, sql, id);
}

TokenId TokenStore::insert(const TokenRow& row) {
  return {insert_row(session_, "tokens", row)};
}

void TokenStore::used(TokenId id, UnixMillis at) {
  execute(session_, "UPDATE tokens SET last_used_at = ? WHERE id = ?", at, id);
}

void TokenStore::revoke(TokenId id, UnixMillis at) {
  execute(session_, "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", at, id);
}

}  // namespace slipway::server
