#include "server/login/remote_login.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/http_client.h"
#include "server/auth/audit.h"
#include "server/store/database.h"

namespace slipway::server::login {

namespace {

constexpr std::size_t kLongestName = 64;

// RFC 7636: BASE64URL(SHA256(verifier)), without padding.
std::string challenge_of(const std::string& verifier) {
  const auto hex = sha256_hex(verifier);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  auto text = base64_encode(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

// A path of ours: "//host" and "/\host" are taken for another site by browsers.
std::string own_path(std::string_view next) {
  const bool plain = next.starts_with('/') && next.size() <= 1024 &&
                     (next.size() < 2 || (next[1] != '/' && next[1] != '\\')) &&
                     std::all_of(next.begin(), next.end(),
                                 [](unsigned char c) { return c > ' ' && c < 0x7F && c != '\\'; });
  return plain ? std::string{next} : "/";
}

Error not_begun() {
  return fail(ErrorKind::Denied, "this login was not begun here, or took too long")
      .with_hint("begin again");
}

// What the provider calls them, made into a name that is free here.
std::string free_name(const Stores& stores, const TokenClaims& claims) {
  std::string wanted;
  for (const char c : claims.username.substr(0, kLongestName - 8)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (plain) wanted += c;
  }
  wanted.erase(0, wanted.find_first_not_of(".-"));
  if (wanted.empty()) wanted = "user";
  std::string name = wanted;
  for (int number = 2; stores.users.find_by_name(name); ++number)
    name = wanted + "-" + std::to_string(number);
  return name;
}

}  // namespace

RemoteLogin::RemoteLogin(auth::Writer& writer, const Clock& clock, std::vector<Provider> providers,
                         std::string external_url)
    : writer_(writer),
      providers_(std::move(providers)),
      url_(std::move(external_url)),
      pending_(clock),
      client_(clock) {}

const Provider* RemoteLogin::find(std::string_view id) const {
  const auto found = std::find_if(providers_.begin(), providers_.end(),
                                  [&](const Provider& one) { return one.id == id; });
  return found == providers_.end() ? nullptr : &*found;
}

std::string RemoteLogin::redirect_uri(const Provider& provider) const {
  return url_ + "/api/v4/login/" + provider.id + "/callback";
}

Result<BegunLogin> RemoteLogin::begin(std::string_view id, std::string_view next, UserId link) {
  const auto* provider = find(id);
  if (provider == nullptr) return fail(ErrorKind::NotFound, "404 Provider Not Found");
  const auto where = client_.endpoints(*provider);
  if (!where) return where.error();
  BegunLogin begun;
  begun.cookie = random_token("");
  const auto state = random_token("");
  PendingLogin pending;
  pending.provider = provider->id;
  pending.verifier = random_token("");
  pending.nonce = random_token("");
  pending.cookie_hash = token_hash(begun.cookie);
  pending.next = own_path(next);
  pending.link = link;
  const auto add = [&](const char* name, const std::string& value) {
    begun.url += (begun.url.find('?') == std::string::npos ? "?" : "&") + std::string{name} + "=" +
                 url_encode(value);
  };
  begun.url = where->authorize;
  add("response_type", "code");
  add("client_id", provider->client_id);
  add("redirect_uri", redirect_uri(*provider));
  add("state", state);
  add("code_challenge", challenge_of(pending.verifier));
  add("code_challenge_method", "S256");
  if (provider->kind == ProviderKind::Oidc) {
    add("scope", "openid profile");
    add("nonce", pending.nonce);
  }
  if (!pending_.put(state, std::move(pending)))
    return fail(ErrorKind::Unavailable, "too many people are logging in, try again soon");
  return begun;
}

Result<TokenClaims> RemoteLogin::redeem(const ReturnedLogin& returned, const PendingLogin& begun,
                                        const Provider& provider) {
  if (!constant_time_equal(token_hash(returned.cookie), begun.cookie_hash)) return not_begun();
  // Another provider's answer must not be redeemed at this one.
  if (returned.provider != provider.id ||
      (!returned.issuer.empty() && returned.issuer != provider.issuer))
    return fail(ErrorKind::Denied, "the answer is of another provider than the login");
  // Connecting is for whoever began it, and is still here.
  if (begun.link && begun.link != returned.user) return not_begun();
  if (returned.code.empty() || returned.code.size() > 4096)
    return fail(ErrorKind::Denied, "'" + provider.title + "' did not let you in");
  return client_.redeem(provider, returned.code, begun.verifier, begun.nonce,
                        redirect_uri(provider));
}

Result<UserRow> RemoteLogin::account(Stores& stores, UnixMillis now, const Provider& provider,
                                     const TokenClaims& claims, UserId link) const {
  const auto known = stores.identities.find(provider.issuer, claims.subject);
  UserId id = known ? known->user_id : link;
  if (known && link && known->user_id != link)
    return fail(ErrorKind::Conflict, "that login is connected with another account");
  if (!id && !provider.create_accounts)
    return fail(ErrorKind::Unauthenticated, "no account here is connected with that login")
        .with_hint("log in with your password once and connect it, or ask an administrator");
  if (!id) {
    UserRow made;
    made.username = free_name(stores, claims);
    made.name = claims.name;
    made.created_at = now;
    id = stores.users.insert(made);
    auth::audit(stores, now,
                {"anonymous", "user.created", "user/" + std::to_string(id.value), false, ""});
  }
  if (!known) {
    stores.identities.insert({provider.issuer, claims.subject, id, now});
    auth::audit(stores, now,
                {"user/" + std::to_string(id.value), "identity.connected", provider.id, false, ""});
  }
  const auto user = stores.users.find(id);
  if (!user || user->disabled) return fail(ErrorKind::Unauthenticated, "the account is blocked");
  return *user;
}

Result<FinishedLogin> RemoteLogin::finish(const ReturnedLogin& returned,
                                          const auth::ClientInfo& client) {
  const auto begun = pending_.take(returned.state);
  const auto* provider = begun ? find(begun->provider) : nullptr;
  const auto claims =
      provider != nullptr ? redeem(returned, *begun, *provider) : Result<TokenClaims>{not_begun()};
  if (!claims) {
    auth::audit({"anonymous", "session.created", "", true, client.address});
    return claims.error();
  }
  FinishedLogin finished;
  finished.next = begun->next;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    auto user = account(stores, now, *provider, *claims, begun->link);
    if (!user) return user.error();
    finished.login.user = *user;
    finished.login.session = auth::Sessions::create(stores, now, *user, client);
    auth::audit(stores, now,
                {auth::principal_of(*user).name(), "session.created", "login/" + provider->id,
                 false, client.address});
    return {};
  });
  if (!written) {
    auth::audit({"anonymous", "session.created", "login/" + provider->id, true, client.address});
    return written.error();
  }
  return finished;
}

}  // namespace slipway::server::login
