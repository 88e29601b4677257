// Sites where people may log in: one settings file each, NAME.yml in the directory `login_dir`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::server::login {

enum class ProviderKind : std::uint8_t {
  Oidc,    // found by discovery from the issuer: also GitLab, Gitea and Forgejo
  GitHub,  // OAuth 2 with an address of its own for who somebody is
};

struct Provider {
  std::string id;     // the file's name without .yml
  std::string title;  // on the button
  ProviderKind kind = ProviderKind::Oidc;
  std::string issuer;  // without a trailing slash, as the provider spells it
  std::string api;     // GitHub's; "" for the others
  std::string client_id;
  std::string client_secret;
  bool create_accounts = false;  // for whoever has none here
};

// All *.yml of the directory, by name; none for "". The first error names file and line.
Result<std::vector<Provider>> read_providers(const std::filesystem::path& directory);
// The text of one file. `secret_base` is where a relative client_secret_file begins.
Result<Provider> read_provider(const std::string& id, const std::string& text,
                               const std::filesystem::path& file);

}  // namespace slipway::server::login
