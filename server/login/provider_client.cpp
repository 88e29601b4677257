#include "server/login/provider_client.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/http_client.h"

namespace slipway::server::login {

using nlohmann::json;

namespace {

constexpr std::chrono::minutes kEndpointsKept{10};

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

Error unusable(const Provider& provider, const std::string& why) {
  return fail(ErrorKind::Unavailable, "'" + provider.id + "' " + why);
}

// "https://host:1/a/b" → "https://host:1" and "/a/b".
std::pair<std::string, std::string> split_url(const std::string& url) {
  const auto host = url.find("://");
  const auto path = host == std::string::npos ? std::string::npos : url.find('/', host + 3);
  if (path == std::string::npos) return {url, "/"};
  return {url.substr(0, path), url.substr(path)};
}

Result<json> ask(const Provider& provider, const std::string& url, HttpRequest request) {
  HttpClientOptions options;
  options.connect_timeout = std::chrono::seconds{10};
  options.read_timeout = std::chrono::seconds{10};
  options.body_limit = std::size_t{1} << 20U;
  const auto [base, target] = split_url(url);
  auto client = HttpClient::create(base, options);
  if (!client) return client.error();
  request.target = target;
  request.headers["Accept"] = "application/json";
  const auto answer = client->send(request);
  if (!answer) return unusable(provider, "does not answer: " + answer.error().message);
  if (answer->status != 200)
    return unusable(provider, "answered with status " + std::to_string(answer->status));
  auto body = json::parse(answer->body, nullptr, false);
  if (!body.is_object()) return unusable(provider, "did not answer in JSON");
  return body;
}

std::string form_of(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string form;
  for (const auto& [name, value] : fields)
    form += (form.empty() ? "" : "&") + name + "=" + url_encode(value);
  return form;
}

}  // namespace

Result<Endpoints> ProviderClient::discover(const Provider& provider) const {
  if (provider.kind == ProviderKind::GitHub)
    return Endpoints{provider.issuer + "/login/oauth/authorize",
                     provider.issuer + "/login/oauth/access_token", "", true};
  const auto& issuer = provider.issuer;
  const auto base = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
  const auto document = ask(provider, base + "/.well-known/openid-configuration", {});
  if (!document) return document.error();
  if (text_of(*document, "issuer") != issuer)
    return fail(ErrorKind::Denied, "'" + provider.id + "' says that it is '" +
                                       text_of(*document, "issuer") + "', and not '" + issuer +
                                       "'");
  Endpoints found{text_of(*document, "authorization_endpoint"),
                  text_of(*document, "token_endpoint"), text_of(*document, "jwks_uri"), false};
  const std::string scheme = issuer.substr(0, issuer.find("://") + 3);
  for (const auto* url : {&found.authorize, &found.token, &found.keys})
    if (!url->starts_with(scheme))
      return fail(ErrorKind::Denied,
                  "'" + provider.id + "' names '" + *url + "', which is not " + scheme);
  const auto methods = document->find("token_endpoint_auth_methods_supported");
  if (methods != document->end() && methods->is_array())
    found.secret_in_body =
        std::find(methods->begin(), methods->end(), json("client_secret_basic")) == methods->end();
  return found;
}

Result<Endpoints> ProviderClient::endpoints(const Provider& provider) {
  const auto now = clock_.steady();
  {
    const std::lock_guard lock{mutex_};
    const auto known = known_.find(provider.id);
    if (known != known_.end() && known->second.until > now) return known->second.endpoints;
  }
  auto found = discover(provider);
  if (!found) return found;
  const std::lock_guard lock{mutex_};
  known_[provider.id] = {*found, now + kEndpointsKept};
  return found;
}

Result<TokenClaims> ProviderClient::redeem(const Provider& provider, const std::string& code,
                                           const std::string& verifier, const std::string& nonce,
                                           const std::string& redirect_uri) {
  const auto where = endpoints(provider);
  if (!where) return where.error();
  std::vector<std::pair<std::string, std::string>> fields{{"grant_type", "authorization_code"},
                                                          {"code", code},
                                                          {"redirect_uri", redirect_uri},
                                                          {"client_id", provider.client_id},
                                                          {"code_verifier", verifier}};
  HttpRequest request;
  request.method = "POST";
  request.content_type = "application/x-www-form-urlencoded";
  if (where->secret_in_body)
    fields.emplace_back("client_secret", provider.client_secret);
  else
    request.headers["Authorization"] =
        "Basic " +
        base64_encode(url_encode(provider.client_id) + ":" + url_encode(provider.client_secret));
  request.body = form_of(fields);
  const auto tokens = ask(provider, where->token, std::move(request));
  if (!tokens) return tokens.error();
  if (provider.kind == ProviderKind::Oidc) {
    const auto keys = ask(provider, where->keys, {});
    if (!keys) return keys.error();
    return read_id_token(text_of(*tokens, "id_token"), keys->dump(),
                         {provider.issuer, provider.client_id, nonce, clock_.now()});
  }
  HttpRequest who;
  who.headers["Authorization"] = "Bearer " + text_of(*tokens, "access_token");
  const auto user = ask(provider, provider.api + "/user", std::move(who));
  if (!user) return user.error();
  const auto id = user->find("id");
  if (id == user->end() || !id->is_number_integer())
    return unusable(provider, "did not say who it is");
  return TokenClaims{std::to_string(id->get<std::int64_t>()), text_of(*user, "login"),
                     text_of(*user, "name").substr(0, 255)};
}

}  // namespace slipway::server::login
