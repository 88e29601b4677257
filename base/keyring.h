// The keys that seal what is secret at rest. They stand in a file of their own, never in the
// database, one in base64 on each line. The first one seals; the others open what was sealed before
// it came, until that is sealed anew.
//
// A sealed value begins with the name of its key. Immutable, so thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway {

class Keyring {
 public:
  static constexpr std::size_t kKeyBytes = 32;

  // At least one key of 32 bytes; anything else is a broken invariant and thrown.
  explicit Keyring(std::vector<std::string> keys);
  // One new key.
  static Keyring make();
  // NotFound when there is no such file; InvalidInput when others may read it or when it does not
  // hold keys.
  static Result<Keyring> load(const std::filesystem::path& file);
  // Durable when it returns; only the owner may read it.
  [[nodiscard]] Result<void> save(const std::filesystem::path& file) const;

  // A new key in front, which seals from now on.
  [[nodiscard]] Keyring with_new_key() const;
  // Without the keys that only open.
  [[nodiscard]] Keyring newest_alone() const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

  // As seal() and unseal() of base/crypto.h, by these keys.
  [[nodiscard]] std::string seal(std::string_view plain, std::string_view context) const;
  [[nodiscard]] Result<std::string> open(std::string_view sealed, std::string_view context) const;
  // Whether the key that seals now has sealed it.
  [[nodiscard]] bool is_current(std::string_view sealed) const;

 private:
  struct Key {
    std::string name;  // follows from the key; says nothing of it
    std::string bytes;
  };
  std::vector<Key> keys_;
};

}  // namespace slipway
