// People: accounts, browser sessions and personal tokens. Only hashes of secrets stand here.
//
// As all repositories: views on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

struct UserRow {
  UserId id;
  std::string username;       // compared without regard to case
  std::string name;           // as people call each other; "" for the user name
  std::string password_hash;  // "" for an account that has no password (yet)
  bool is_admin = false;
  bool disabled = false;
  std::int64_t auth_epoch = 0;  // raised to end every session at once
  std::string invitation_hash;  // of the token that lets its holder set the password; "" for none
  std::optional<UnixMillis> invitation_expires_at;
  std::optional<ProjectId> bot_of;  // nobody: what a project's token acts as
  UnixMillis created_at = 0;
};

class UserStore {
 public:
  explicit UserStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<UserRow> find(UserId id) const;
  [[nodiscard]] std::optional<UserRow> find_by_name(std::string_view username) const;
  [[nodiscard]] std::optional<UserRow> find_by_invitation(std::string_view hash) const;
  // People, no bots, by user name; `search` is a part of one of the names, "" for all.
  [[nodiscard]] Page<UserRow> list(std::string_view search, PageRequest page) const;
  [[nodiscard]] long long count() const;
  // Administrators who are not blocked.
  [[nodiscard]] long long count_admins() const;
  // A name that is taken is StoreFailure with ErrorKind::Conflict.
  UserId insert(const UserRow& row);
  void update(const UserRow& row);
  // Takes sessions, tokens and memberships along.
  void remove(UserId id);

 private:
  Session& session_;
};

struct SessionRow {
  std::string token_hash;
  UserId user_id;
  std::int64_t auth_epoch = 0;  // of the user when it was made; older than the user's: dead
  UnixMillis created_at = 0;
  UnixMillis seen_at = 0;
  UnixMillis expires_at = 0;
  std::string ip_address;
  std::string user_agent;
};

class SessionStore {
 public:
  explicit SessionStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<SessionRow> find(std::string_view token_hash) const;
  void insert(const SessionRow& row);
  void touch(std::string_view token_hash, UnixMillis seen_at);
  void remove(std::string_view token_hash);
  [[nodiscard]] std::vector<SessionRow> of_user(UserId id) const;  // the newest first
  void remove_of_user(UserId id);
  void remove_expired(UnixMillis now);

 private:
  Session& session_;
};

// Whom another site calls by a subject. Found by nothing else.
struct IdentityRow {
  std::string issuer;
  std::string subject;
  UserId user_id;
  UnixMillis created_at = 0;
};

class IdentityStore {
 public:
  explicit IdentityStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<IdentityRow> find(std::string_view issuer,
                                                std::string_view subject) const;
  [[nodiscard]] std::vector<IdentityRow> of_user(UserId user) const;
  void insert(const IdentityRow& row);

 private:
  Session& session_;
};

struct TokenRow {
  TokenId id;
  std::string token_hash;
  UserId user_id;
  std::string name;
  std::vector<std::string> scopes;
  UnixMillis created_at = 0;
  std::optional<UnixMillis> expires_at;
  std::optional<UnixMillis> last_used_at;  // minute grain
  std::optional<UnixMillis> revoked_at;
};

class TokenStore {
 public:
  explicit TokenStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<TokenRow> find(TokenId id) const;
  [[nodiscard]] std::optional<TokenRow> find_by_hash(std::string_view token_hash) const;
  [[nodiscard]] std::vector<TokenRow> of_user(UserId id) const;
  // Those of the project's bots, by id.
  [[nodiscard]] std::vector<TokenRow> of_project(ProjectId id) const;
  TokenId insert(const TokenRow& row);
  void used(TokenId id, UnixMillis at);
  void revoke(TokenId id, UnixMillis at);

 private:
  Session& session_;
};

}  // namespace slipway::server
