// Keys of a provider, and tokens signed with them: good ones, and such as an attacker would make.
#pragma once

#include <cjose/cjose.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "base/crypto.h"

namespace slipway::test {

inline std::string base64_url(const std::string& bytes) {
  auto text = base64_encode(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

class Signer {
 public:
  enum class Kind { Rsa, Curve };

  explicit Signer(const std::string& id, Kind kind = Kind::Rsa) {
    cjose_err error{};
    key_.reset(kind == Kind::Rsa ? cjose_jwk_create_RSA_random(2048, nullptr, 0, &error)
                                 : cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error));
    if (!key_ || !cjose_jwk_set_kid(key_.get(), id.data(), id.size(), &error))
      throw std::runtime_error{"no key"};
  }

  // What stands in the provider's key set.
  [[nodiscard]] nlohmann::json public_key() const {
    cjose_err error{};
    char* text = cjose_jwk_to_json(key_.get(), false, &error);
    auto key = nlohmann::json::parse(text);
    std::free(text);  // NOLINT(cppcoreguidelines-no-malloc)
    return key;
  }
  [[nodiscard]] std::string key_set() const {
    return nlohmann::json{{"keys", {public_key()}}}.dump();
  }
  [[nodiscard]] std::string sign(const nlohmann::json& claims, const std::string& algorithm,
                                 const std::string& key_id) const {
    cjose_err error{};
    cjose_header_t* header = cjose_header_new(&error);
    cjose_header_set(header, CJOSE_HDR_ALG, algorithm.c_str(), &error);
    cjose_header_set(header, CJOSE_HDR_KID, key_id.c_str(), &error);
    const auto text = claims.dump();
    cjose_jws_t* made =
        cjose_jws_sign(key_.get(), header, reinterpret_cast<const std::uint8_t*>(text.data()),
                       text.size(), &error);
    if (made == nullptr) throw std::runtime_error{error.message};
    const char* compact = nullptr;
    cjose_jws_export(made, &compact, &error);
    std::string token{compact};
    cjose_jws_release(made);
    cjose_header_release(header);
    return token;
  }

 private:
  struct Release {
    void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
  };
  std::unique_ptr<cjose_jwk_t, Release> key_;
};

// Header and claims as they are, with any text as the signature.
inline std::string forged(const nlohmann::json& header, const nlohmann::json& claims,
                          const std::string& signature = "") {
  return base64_url(header.dump()) + "." + base64_url(claims.dump()) + "." + base64_url(signature);
}

}  // namespace slipway::test
