#include "server/login/id_token.h"

#include <cjose/cjose.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/crypto.h"

namespace slipway::server::login {

using nlohmann::json;

namespace {

constexpr std::size_t kLongestToken = std::size_t{64} << 10U;
constexpr UnixMillis kSkew = 60'000;  // between two honest clocks

struct Release {
  void operator()(cjose_jws_t* signature) const { cjose_jws_release(signature); }
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
};
using Signature = std::unique_ptr<cjose_jws_t, Release>;
using Key = std::unique_ptr<cjose_jwk_t, Release>;

Error refused(const std::string& why) {
  return fail(ErrorKind::Denied, "the ID token " + why);
}

// The key type of an algorithm that is taken; "" for all others: none, and those with a shared
// secret, which a public key could be mistaken for.
std::string_view key_type(std::string_view algorithm) {
  constexpr std::array<std::string_view, 6> kRsa{"RS256", "RS384", "RS512",
                                                 "PS256", "PS384", "PS512"};
  constexpr std::array<std::string_view, 3> kCurve{"ES256", "ES384", "ES512"};
  if (std::find(kRsa.begin(), kRsa.end(), algorithm) != kRsa.end()) return "RSA";
  return std::find(kCurve.begin(), kCurve.end(), algorithm) != kCurve.end() ? "EC" : "";
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

struct Header {
  std::string algorithm;
  std::string key_id;
};

Result<Header> read_header(cjose_jws_t* signature) {
  cjose_err error{};
  auto* header = cjose_jws_get_protected(signature);
  const auto text = [&](const char* name) {
    const char* value = cjose_header_get(header, name, &error);
    return std::string{value != nullptr ? value : ""};
  };
  Header read{text(CJOSE_HDR_ALG), text(CJOSE_HDR_KID)};
  // An extension that must be understood is not.
  char* critical = cjose_header_get_raw(header, "crit", &error);
  const bool has_critical = critical != nullptr;
  std::free(critical);  // NOLINT(cppcoreguidelines-no-malloc): the library's own
  if (has_critical) return refused("has a 'crit' header");
  if (key_type(read.algorithm).empty())
    return refused("is signed by '" + read.algorithm + "', which is not accepted");
  return read;
}

bool fits(const json& key, const Header& header) {
  if (!key.is_object() || text_of(key, "kty") != key_type(header.algorithm)) return false;
  const auto use = text_of(key, "use");
  const auto algorithm = text_of(key, "alg");
  if (!use.empty() && use != "sig") return false;
  if (!algorithm.empty() && algorithm != header.algorithm) return false;
  return header.key_id.empty() || text_of(key, "kid") == header.key_id;
}

bool verifies(cjose_jws_t* signature, const json& key) {
  cjose_err error{};
  const auto text = key.dump();
  const Key imported{cjose_jwk_import(text.data(), text.size(), &error)};
  return imported && cjose_jws_verify(signature, imported.get(), &error);
}

Result<json> verified_claims(const std::string& token, const std::string& key_set) {
  cjose_err error{};
  if (token.size() > kLongestToken) return refused("is too long");
  const Signature signature{cjose_jws_import(token.data(), token.size(), &error)};
  if (!signature) return refused("is not a signed JSON web token");
  const auto header = read_header(signature.get());
  if (!header) return header.error();
  const auto keys = json::parse(key_set, nullptr, false);
  if (!keys.is_object() || !keys.contains("keys") || !keys["keys"].is_array())
    return refused("cannot be checked: the provider's keys are no JWK set");
  const bool genuine = std::any_of(keys["keys"].begin(), keys["keys"].end(), [&](const json& key) {
    return fits(key, *header) && verifies(signature.get(), key);
  });
  if (!genuine) return refused("is not signed by a key of the provider");
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (!cjose_jws_get_plaintext(signature.get(), &bytes, &size, &error))
    return refused("has no claims");
  auto claims = json::parse(bytes, bytes + size, nullptr, false);
  if (!claims.is_object()) return refused("has no claims");
  return claims;
}

bool is_for(const json& claims, const std::string& client) {
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return false;
  const bool several = audience->is_array() && audience->size() > 1;
  const auto azp = text_of(claims, "azp");
  if ((several || !azp.empty()) && azp != client) return false;
  if (audience->is_string()) return audience->get<std::string>() == client;
  return audience->is_array() &&
         std::find(audience->begin(), audience->end(), json(client)) != audience->end();
}

// Seconds since 1970, as a time of ours; nullopt when absent or none.
std::optional<UnixMillis> time_of(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(seconds >= 0 && seconds < 1e11)) return std::nullopt;
  return static_cast<UnixMillis>(seconds * 1000);
}

Result<void> check_times(const json& claims, UnixMillis now) {
  const auto expires = time_of(claims, "exp");
  const auto issued = time_of(claims, "iat");
  if (!expires || *expires + kSkew <= now) return refused("has expired");
  if (!issued || *issued - kSkew > now) return refused("is from the future");
  if (claims.contains("nbf")) {
    const auto begins = time_of(claims, "nbf");
    if (!begins || *begins - kSkew > now) return refused("is not good yet");
  }
  return {};
}

}  // namespace

Result<TokenClaims> read_id_token(const std::string& token, const std::string& key_set,
                                  const ExpectedToken& expected) {
  const auto claims = verified_claims(token, key_set);
  if (!claims) return claims.error();
  if (text_of(*claims, "iss") != expected.issuer) return refused("is of another issuer");
  if (!is_for(*claims, expected.client_id)) return refused("is for another client");
  if (auto fine = check_times(*claims, expected.now); !fine) return fine.error();
  if (expected.nonce.empty() || !constant_time_equal(text_of(*claims, "nonce"), expected.nonce))
    return refused("belongs to another login");
  TokenClaims read;
  read.subject = text_of(*claims, "sub");
  if (read.subject.empty() || read.subject.size() > 255) return refused("names nobody");
  read.username = text_of(*claims, "preferred_username");
  if (read.username.empty()) read.username = text_of(*claims, "nickname");
  read.name = text_of(*claims, "name").substr(0, 255);
  return read;
}

}  // namespace slipway::server::login
