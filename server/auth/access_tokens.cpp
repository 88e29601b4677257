#include "server/auth/access_tokens.h"

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "server/auth/audit.h"
#include "server/auth/policy.h"
#include "server/auth/sessions.h"
#include "server/store/database.h"

namespace slipway::server::auth {

namespace {

constexpr UnixMillis kMinute = 60'000;
constexpr UnixMillis kDay = kMinute * 60 * 24;

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

Result<void> check_scopes(const Principal& by, const std::vector<std::string>& scopes) {
  if (scopes.empty()) return fail(ErrorKind::InvalidInput, "a token needs at least one scope");
  for (const auto& scope : scopes) {
    constexpr std::array kAll{Scope::Api, Scope::ReadApi, Scope::ReadUser, Scope::ReadRepository,
                              Scope::CreateRunner};
    const bool known =
        std::any_of(kAll.begin(), kAll.end(), [&](Scope one) { return scope == to_string(one); });
    if (!known)
      return fail(ErrorKind::InvalidInput, "'" + scope +
                                               "' is no scope, use api, read_api, read_user, "
                                               "read_repository or create_runner");
    if (by.token && !contains(by.scopes, to_string(Scope::Api)) && !contains(by.scopes, scope))
      return fail(ErrorKind::Denied, "a token cannot make one that may do more than itself");
  }
  return {};
}

}  // namespace

NewToken AccessTokens::create(Stores& stores, UnixMillis now, UserId user, std::string name,
                              std::vector<std::string> scopes, std::optional<int> days) {
  NewToken made;
  made.token = random_token("glpat-");
  made.row.token_hash = token_hash(made.token);
  made.row.user_id = user;
  made.row.name = std::move(name);
  made.row.scopes = std::move(scopes);
  made.row.created_at = now;
  if (days) made.row.expires_at = now + *days * kDay;
  made.row.id = stores.tokens.insert(made.row);
  return made;
}

Result<NewToken> AccessTokens::create(const Principal& by, std::string name,
                                      std::vector<std::string> scopes, std::optional<int> days,
                                      const std::string& address) {
  if (name.empty() || name.size() > 255)
    return fail(ErrorKind::InvalidInput, "field 'name' must have 1 to 255 characters");
  if (auto fine = check_scopes(by, scopes); !fine) return fine.error();
  NewToken made;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    made = create(stores, now, by.user, name, scopes, days);
    audit(
        stores, now,
        {by.name(), "token.created", "token/" + std::to_string(made.row.id.value), false, address});
    return {};
  });
  if (!written) return written.error();
  return made;
}

Result<NewToken> AccessTokens::create(const Principal& by, Level by_level,
                                      const ProjectRow& project, const NewProjectToken& wanted,
                                      const std::string& address) {
  if (wanted.name.empty() || wanted.name.size() > 255)
    return fail(ErrorKind::InvalidInput, "field 'name' must have 1 to 255 characters");
  if (auto fine = check_scopes(by, wanted.scopes); !fine) return fine.error();
  if (wanted.level > by_level)
    return fail(ErrorKind::Denied, "a token cannot have a higher role than who makes it");
  NewToken made;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    UserRow bot;
    bot.username = "project_" + std::to_string(project.id.value) + "_bot_" + random_hex(8);
    bot.name = wanted.name;
    bot.bot_of = project.id;
    bot.created_at = now;
    bot.id = stores.users.insert(bot);
    MemberRow member;
    member.user_id = bot.id;
    member.project_id = project.id;
    member.level = wanted.level;
    member.created_by = by.user;
    member.created_at = now;
    stores.members.put(member);
    made = create(stores, now, bot.id, wanted.name, wanted.scopes, wanted.days);
    audit(stores, now,
          {by.name(), "project_token.created", "token/" + std::to_string(made.row.id.value), false,
           address});
    return {};
  });
  if (!written) return written.error();
  return made;
}

std::vector<TokenRow> AccessTokens::of_project(ProjectId project) {
  return database_.read()->tokens.of_project(project);
}

Result<void> AccessTokens::revoke(const Principal& by, ProjectId project, TokenId id,
                                  const std::string& address) {
  return writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    const auto row = stores.tokens.find(id);
    const auto bot = row ? stores.users.find(row->user_id) : std::nullopt;
    if (!bot || bot->bot_of != project)
      return fail(ErrorKind::NotFound, "404 Access Token Not Found");
    stores.tokens.revoke(id, now);
    auto blocked = *bot;
    blocked.disabled = true;
    stores.users.update(blocked);
    stores.members.remove({project, "", ""}, bot->id);
    audit(
        stores, now,
        {by.name(), "project_token.revoked", "token/" + std::to_string(id.value), false, address});
    return {};
  });
}

std::optional<Principal> AccessTokens::principal_for(Stores& stores,
                                                     const std::optional<TokenRow>& row) const {
  if (!row || row->revoked_at || (row->expires_at && *row->expires_at <= clock_.now()))
    return std::nullopt;
  const auto user = stores.users.find(row->user_id);
  if (!user || user->disabled) return std::nullopt;
  auto principal = principal_of(*user);
  principal.token = row->id;
  principal.scopes = row->scopes;
  return principal;
}

std::optional<Principal> AccessTokens::find(std::string_view token) {
  auto read = database_.read();
  const auto row = read->tokens.find_by_hash(token_hash(token));
  auto principal = principal_for(*read, row);
  if (principal && row->last_used_at.value_or(0) + kMinute <= clock_.now())
    writer_.note([id = row->id](Stores& stores, UnixMillis at) -> Result<void> {
      stores.tokens.used(id, at);
      return {};
    });
  return principal;
}

std::optional<Principal> AccessTokens::find_again(TokenId token) {
  auto read = database_.read();
  return principal_for(*read, read->tokens.find(token));
}

std::vector<TokenRow> AccessTokens::of_user(UserId user) {
  return database_.read()->tokens.of_user(user);
}

Result<NewToken> AccessTokens::rotate(const Principal& by, TokenId id, int days,
                                      const std::string& address) {
  NewToken made;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    const auto row = stores.tokens.find(id);
    const bool usable = row && row->user_id == by.user && !row->revoked_at &&
                        (!row->expires_at || *row->expires_at > now);
    if (!usable) return fail(ErrorKind::NotFound, "404 Token Not Found");
    // A token that may less must not turn into one that may more.
    if (auto fine = check_scopes(by, row->scopes); !fine) return fine;
    stores.tokens.revoke(id, now);
    made = create(stores, now, row->user_id, row->name, row->scopes, days);
    audit(
        stores, now,
        {by.name(), "token.rotated", "token/" + std::to_string(made.row.id.value), false, address});
    return {};
  });
  if (!written) return written.error();
  return made;
}

Result<void> AccessTokens::revoke(const Principal& by, TokenId id, const std::string& address) {
  return writer_.write([&, id](Stores& stores, UnixMillis now) -> Result<void> {
    const auto row = stores.tokens.find(id);
    const bool own = row && row->user_id == by.user;
    // An administrator revokes what leaked, whosever it is.
    if (!row || (!own && !by.is_admin)) return fail(ErrorKind::NotFound, "404 Token Not Found");
    if (!row->revoked_at) stores.tokens.revoke(id, now);
    audit(stores, now,
          {by.name(), "token.revoked", "token/" + std::to_string(id.value), false, address});
    return {};
  });
}

}  // namespace slipway::server::auth
