#include "server/identity/token_signer.h"

#include <cjose/cjose.h>

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/variables/keys.h"

namespace slipway::server {

using nlohmann::json;

namespace {

constexpr std::size_t kBits = 2048;
constexpr std::size_t kIdBytes = 16;
constexpr std::chrono::seconds kPatience{30};

struct Release {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
  void operator()(cjose_jws_t* signature) const { cjose_jws_release(signature); }
  void operator()(cjose_header_t* header) const { cjose_header_release(header); }
  void operator()(char* text) const { std::free(text); }  // NOLINT: the library's own
};
using JsonWebKey = std::unique_ptr<cjose_jwk_t, Release>;
using Signature = std::unique_ptr<cjose_jws_t, Release>;
using Header = std::unique_ptr<cjose_header_t, Release>;
using Text = std::unique_ptr<char, Release>;

Error broken(const std::string& what, const cjose_err& error) {
  return fail(ErrorKind::Internal,
              what + (error.message != nullptr ? ": " + std::string{error.message} : ""));
}

Error unreadable() {
  return fail(ErrorKind::Internal, "the keys that sign id_tokens cannot be opened")
      .with_hint("put the key file and the database of one backup back");
}

Result<std::string> compact(cjose_jws_t* signature) {
  cjose_err error{};
  const char* text = nullptr;  // the signature's own
  if (!cjose_jws_export(signature, &text, &error)) return broken("no id_token", error);
  return std::string{text};
}

}  // namespace

struct TokenSigner::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Key> keys;
};

TokenSigner::TokenSigner(std::vector<Key> keys) : shared_(std::make_shared<Shared>()) {
  shared_->keys = std::move(keys);
}

bool TokenSigner::has_key() const {
  const std::lock_guard lock{shared_->mutex};
  return !shared_->keys.empty();
}

std::vector<TokenSigner::Key> TokenSigner::wait_for_keys() const {
  std::unique_lock lock{shared_->mutex};
  shared_->changed.wait_for(lock, kPatience, [&] { return !shared_->keys.empty(); });
  return shared_->keys;
}

Result<TokenSigner::Key> TokenSigner::make_key() {
  cjose_err error{};
  const JsonWebKey key{cjose_jwk_create_RSA_random(kBits, nullptr, 0, &error)};
  if (!key) return broken("no key for id_tokens could be made", error);
  Key made;
  made.id = random_hex(kIdBytes);
  if (!cjose_jwk_set_kid(key.get(), made.id.data(), made.id.size(), &error))
    return broken("no key for id_tokens could be made", error);
  const Text text{cjose_jwk_to_json(key.get(), true, &error)};
  if (!text) return broken("no key for id_tokens could be made", error);
  made.secret = text.get();
  return made;
}

Result<std::vector<TokenSigner::Key>> TokenSigner::load(Database& database, const Keyring& keys) {
  std::vector<Key> found;
  const auto sealed = database.writer().settings.get(kSigningKeys);
  if (!sealed) return found;
  const auto text = keys.open(*sealed, kSigningKeysContext);
  if (!text) return unreadable();
  const auto list = json::parse(*text, nullptr, false);
  if (!list.is_array() || list.empty()) return unreadable();
  for (const json& one : list)
    found.push_back(
        {one.value("id", ""), one.value("secret", ""), one.value("retired_at", UnixMillis{0})});
  return found;
}

std::string TokenSigner::sealed(const Keyring& keys, const std::vector<Key>& all) {
  json list = json::array();
  for (const Key& key : all)
    list.push_back({{"id", key.id}, {"secret", key.secret}, {"retired_at", key.retired_at}});
  return keys.seal(list.dump(), kSigningKeysContext);
}

Result<TokenSigner> TokenSigner::open(Database& database, const Keyring& keys) {
  auto all = load(database, keys);
  if (!all) return std::move(all).error();
  return TokenSigner{std::move(*all)};
}

Result<void> TokenSigner::make_first_key(
    const Keyring& keys, const std::function<Result<void>(const std::string& sealed)>& store) {
  auto made = make_key();
  if (!made) return std::move(made).error();
  std::vector<Key> all{std::move(*made)};
  // Before any token is signed with it.
  if (auto stored = store(sealed(keys, all)); !stored) return stored;
  {
    const std::lock_guard lock{shared_->mutex};
    shared_->keys = std::move(all);
  }
  shared_->changed.notify_all();
  return {};
}

Result<TokenSigner> TokenSigner::rotate(Database& database, const Keyring& keys, UnixMillis now) {
  auto all = load(database, keys);
  if (!all) return std::move(all).error();
  auto made = make_key();
  if (!made) return std::move(made).error();
  std::vector<Key> kept{std::move(*made)};
  for (Key& old : *all) {
    if (old.retired_at == 0) old.retired_at = now;
    if (old.retired_at + std::chrono::milliseconds{kLongestLife}.count() > now)
      kept.push_back(std::move(old));
  }
  database.begin();
  try {
    database.writer().settings.put(kSigningKeys, sealed(keys, kept));
    database.commit();
  } catch (...) {
    database.rollback();
    throw;
  }
  return TokenSigner{std::move(kept)};
}

Result<std::string> TokenSigner::sign(const json& claims) const {
  const std::vector<Key> keys = wait_for_keys();
  if (keys.empty())
    return fail(ErrorKind::Unavailable, "there is no key yet to sign id_tokens with")
        .with_hint("the server's log says why it could not be made (id_tokens.no_key)");
  cjose_err error{};
  const Key& key = keys.front();
  // Made for each token: the library counts the users of a key without a lock.
  const JsonWebKey imported{cjose_jwk_import(key.secret.data(), key.secret.size(), &error)};
  const Header header{cjose_header_new(&error)};
  if (!imported || !header || !cjose_header_set(header.get(), CJOSE_HDR_ALG, "RS256", &error) ||
      !cjose_header_set(header.get(), CJOSE_HDR_KID, key.id.c_str(), &error) ||
      !cjose_header_set(header.get(), "typ", "JWT", &error))
    return broken("no id_token", error);
  const std::string text = claims.dump(-1, ' ', false, json::error_handler_t::replace);
  const Signature made{cjose_jws_sign(imported.get(), header.get(),
                                      reinterpret_cast<const std::uint8_t*>(text.data()),
                                      text.size(), &error)};
  if (!made) return broken("no id_token", error);
  return compact(made.get());
}

json TokenSigner::key_set(UnixMillis now) const {
  json list = json::array();
  for (const Key& key : wait_for_keys()) {
    const bool over = key.retired_at != 0 &&
                      key.retired_at + std::chrono::milliseconds{kLongestLife}.count() <= now;
    const json secret = json::parse(key.secret, nullptr, false);
    if (over || !secret.is_object()) continue;
    // Picked one by one, so that no private part slips through.
    list.push_back({{"kty", "RSA"},
                    {"use", "sig"},
                    {"alg", "RS256"},
                    {"kid", key.id},
                    {"n", secret.value("n", "")},
                    {"e", secret.value("e", "")}});
  }
  return {{"keys", std::move(list)}};
}

}  // namespace slipway::server
