// Random tokens, hashes, signatures and passwords. Thin over libsodium and OpenSSL, so that nobody
// else picks an algorithm. Thread-safe; initialises libsodium on first use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

// `bytes` of randomness as URL-safe base64 without padding, behind `prefix` ("glrt-").
std::string random_token(std::string_view prefix, std::size_t bytes = 32);
std::string random_hex(std::size_t bytes);

std::string sha256_hex(std::string_view data);
std::string sha1_hex(std::string_view data);
// Lower-case hex, as webhook signatures carry it.
std::string hmac_sha256_hex(std::string_view key, std::string_view data);
// For looking up tokens: a fast keyed hash is right, since a token holds 256 random bits.
std::string token_hash(std::string_view token);

// Compares without telling by time where the first difference is. Different lengths: false.
bool constant_time_equal(std::string_view left, std::string_view right);

std::string hex_encode(std::string_view bytes);
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// CRC-32 IEEE (zlib's), resumable: feed the previous value back in. Starts at 0.
std::uint32_t crc32_update(std::uint32_t crc, std::string_view data);

// Argon2id at libsodium's INTERACTIVE limits: about 100 ms and 64 MiB a call.
std::string hash_password(std::string_view password);
bool verify_password(std::string_view hash, std::string_view password);

// A new key for seal().
std::string random_key();
// XChaCha20-Poly1305 with a random nonce, bound to `context` (what the value is and whose), so that
// sealed values cannot be swapped between rows. `key` is 32 bytes. Output is base64.
std::string seal(std::string_view key, std::string_view plain, std::string_view context);
// Denied when the key, the context or the text is not the one it was sealed with.
Result<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view context);

}  // namespace slipway
