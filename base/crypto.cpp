#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <zlib.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace slipway {
namespace {

void ensure_sodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error{"libsodium cannot be initialised"};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view bytes, int variant) {
  ensure_sodium();
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(), variant);
  text.pop_back();  // the terminating NUL that the length includes
  return text;
}

std::string random_bytes(std::size_t count) {
  ensure_sodium();
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string digest_hex(const EVP_MD* algorithm, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(data.data(), data.size(), digest.data(), &length, algorithm, nullptr) != 1)
    throw std::runtime_error{"OpenSSL cannot hash"};
  return hex_encode({reinterpret_cast<const char*>(digest.data()), length});
}

constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

}  // namespace

std::string random_token(std::string_view prefix, std::size_t bytes) {
  return std::string{prefix} +
         base64(random_bytes(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::string random_hex(std::size_t bytes) {
  return hex_encode(random_bytes(bytes));
}

std::string sha256_hex(std::string_view data) {
  return digest_hex(EVP_sha256(), data);
}
std::string sha1_hex(std::string_view data) {
  return digest_hex(EVP_sha1(), data);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(data), data.size(),
           digest.data(), &length) == nullptr)
    throw std::runtime_error{"OpenSSL cannot compute an HMAC"};
  return hex_encode({reinterpret_cast<const char*>(digest.data()), length});
}

std::string token_hash(std::string_view token) {
  ensure_sodium();
  std::array<unsigned char, crypto_generichash_BYTES> hash{};
  static constexpr std::string_view kContext = "slipway token";
  crypto_generichash(hash.data(), hash.size(), bytes_of(token), token.size(), bytes_of(kContext),
                     kContext.size());
  return hex_encode({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

bool constant_time_equal(std::string_view left, std::string_view right) {
  ensure_sodium();
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string hex_encode(std::string_view bytes) {
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), bytes_of(bytes), bytes.size());
  hex.pop_back();
  return hex;
}

std::string base64_encode(std::string_view bytes) {
  return base64(bytes, sodium_base64_VARIANT_ORIGINAL);
}

std::optional<std::string> base64_decode(std::string_view text) {
  ensure_sodium();
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size())
    return std::nullopt;
  bytes.resize(length);
  return bytes;
}

std::uint32_t crc32_update(std::uint32_t crc, std::string_view data) {
  return static_cast<std::uint32_t>(::crc32_z(crc, bytes_of(data), data.size()));
}

std::string hash_password(std::string_view password) {
  ensure_sodium();
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str(hash.data(), password.data(), password.size(),
                        crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
    throw std::runtime_error{"not enough memory to hash a password"};
  return hash.data();
}

bool verify_password(std::string_view hash, std::string_view password) {
  ensure_sodium();
  const std::string terminated{hash};
  return crypto_pwhash_str_verify(terminated.c_str(), password.data(), password.size()) == 0;
}

std::string random_key() {
  return random_bytes(kKeyBytes);
}

std::string seal(std::string_view key, std::string_view plain, std::string_view context) {
  if (key.size() != kKeyBytes) throw std::invalid_argument{"a sealing key has 32 bytes"};
  const std::string nonce = random_bytes(kNonceBytes);
  std::string cipher(plain.size() + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      reinterpret_cast<unsigned char*>(cipher.data()), nullptr, bytes_of(plain), plain.size(),
      bytes_of(context), context.size(), nullptr, bytes_of(nonce), bytes_of(key));
  return base64_encode(nonce + cipher);
}

Result<std::string> unseal(std::string_view key, std::string_view sealed,
                           std::string_view context) {
  const auto denied = [] {
    return fail(ErrorKind::Denied, "a sealed value cannot be opened with this key");
  };
  const auto bytes = base64_decode(sealed);
  if (key.size() != kKeyBytes || !bytes || bytes->size() < kNonceBytes + kTagBytes) return denied();
  const std::string_view nonce{bytes->data(), kNonceBytes};
  const std::string_view cipher{bytes->data() + kNonceBytes, bytes->size() - kNonceBytes};
  std::string plain(cipher.size() - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr, bytes_of(cipher),
          cipher.size(), bytes_of(context), context.size(), bytes_of(nonce), bytes_of(key)) != 0)
    return denied();
  return plain;
}

}  // namespace slipway
