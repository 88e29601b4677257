#include "base/keyring.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "base/crypto.h"
#include "base/files.h"

namespace slipway {
namespace {

constexpr std::size_t kNameLength = 8;
constexpr char kNameEnd = ':';  // not in base64
constexpr std::size_t kLongestFile = 4096;

std::string name_of(std::string_view key) {
  return token_hash(key).substr(0, kNameLength);
}

// What stands before the colon; "" for what was sealed before keys had names.
std::string_view key_name(std::string_view sealed) {
  const auto end = sealed.find(kNameEnd);
  return end == std::string_view::npos ? std::string_view{} : sealed.substr(0, end);
}

}  // namespace

Keyring::Keyring(std::vector<std::string> keys) {
  if (keys.empty()) throw std::invalid_argument{"a keyring has a key"};
  for (std::string& bytes : keys) {
    if (bytes.size() != kKeyBytes) throw std::invalid_argument{"a sealing key has 32 bytes"};
    keys_.push_back({name_of(bytes), std::move(bytes)});
  }
}

Keyring Keyring::make() {
  return Keyring{{random_key()}};
}

Result<Keyring> Keyring::load(const std::filesystem::path& file) {
  const auto text = read_file(file, kLongestFile);
  if (!text) return text.error();
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return errno_error("cannot look at '" + file.string() + "'", errno);
  if ((info.st_mode & 077U) != 0)
    return fail(ErrorKind::InvalidInput, "'" + file.string() + "' may be read by others")
        .with_hint("chmod 600 " + file.string());
  std::vector<std::string> keys;
  for (std::size_t at = 0; at < text->size();) {
    const auto end = std::min(text->find('\n', at), text->size());
    const auto key = base64_decode(std::string_view{*text}.substr(at, end - at));
    if (!key || key->size() != kKeyBytes)
      return fail(ErrorKind::InvalidInput, "'" + file.string() + "', line " +
                                               std::to_string(keys.size() + 1) +
                                               " is no key: 32 bytes in base64 were expected")
          .with_hint("put the file back from your backup");
    keys.push_back(*key);
    at = end + 1;
  }
  if (keys.empty())
    return fail(ErrorKind::InvalidInput, "'" + file.string() + "' does not hold a key")
        .with_hint("put the file back from your backup");
  return Keyring{std::move(keys)};
}

Result<void> Keyring::save(const std::filesystem::path& file) const {
  std::string text;
  for (const Key& key : keys_) text += base64_encode(key.bytes) + "\n";
  return replace_file(file, text, 0600, Durable::yes);
}

Keyring Keyring::with_new_key() const {
  Keyring more = make();
  more.keys_.insert(more.keys_.end(), keys_.begin(), keys_.end());
  return more;
}

Keyring Keyring::newest_alone() const {
  return Keyring{{keys_.front().bytes}};
}

std::string Keyring::seal(std::string_view plain, std::string_view context) const {
  const Key& key = keys_.front();
  return key.name + kNameEnd + slipway::seal(key.bytes, plain, context);
}

Result<std::string> Keyring::open(std::string_view sealed, std::string_view context) const {
  const std::string_view name = key_name(sealed);
  const std::string_view text = name.empty() ? sealed : sealed.substr(name.size() + 1);
  for (const Key& key : keys_) {
    if (!name.empty() && key.name != name) continue;
    auto plain = unseal(key.bytes, text, context);
    if (plain) return plain;
  }
  return fail(ErrorKind::Denied, "a sealed value cannot be opened with the server's keys");
}

bool Keyring::is_current(std::string_view sealed) const {
  return key_name(sealed) == keys_.front().name;
}

}  // namespace slipway
