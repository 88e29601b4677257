#include "server/login/provider.h"

#include <algorithm>

#include "base/files.h"
#include "base/settings.h"

namespace slipway::server::login {

namespace {

namespace fs = std::filesystem;

// The word of a file: each with the issuer that it has when none is named.
struct Preset {
  const char* word;
  const char* title;
  ProviderKind kind;
  const char* issuer;
};

constexpr Preset kPresets[] = {
    {"oidc", "OpenID Connect", ProviderKind::Oidc, ""},
    {"gitlab", "GitLab", ProviderKind::Oidc, "https://gitlab.com"},
    {"gitea", "Gitea", ProviderKind::Oidc, ""},
    {"github", "GitHub", ProviderKind::GitHub, "https://github.com"},
};

struct Given {
  std::string kind = "oidc";
  std::string title;
  std::string issuer;
  std::string client_id;
  std::string secret_file;
  bool create_accounts = false;
};

SettingSetter text_row(std::string& target) {
  return [&target](const std::string& text) {
    target = text;
    return std::string{};
  };
}

std::vector<Setting> table_of(Given& given) {
  return {{"kind", "oidc, gitlab, gitea or github", "oidc",
           [&given](const std::string& text) {
             given.kind = text;
             const bool known = std::any_of(std::begin(kPresets), std::end(kPresets),
                                            [&](const Preset& one) { return one.word == text; });
             return known ? std::string{} : std::string{"oidc, gitlab, gitea or github"};
           }},
          {"title", "what the button says", "", text_row(given.title)},
          {"issuer", "address of the provider, as it spells it", "", text_row(given.issuer)},
          {"client_id", "what the provider calls this server", "", text_row(given.client_id)},
          {"client_secret_file", "file that holds the secret of the client", "",
           text_row(given.secret_file)},
          {"create_accounts", "whether whoever has no account here gets one", "false",
           [&given](const std::string& text) {
             given.create_accounts = text == "true";
             return text == "true" || text == "false" ? std::string{}
                                                      : std::string{"true or false"};
           }}};
}

bool is_loopback(const std::string& url) {
  return url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
}

Error missing(const fs::path& file, const char* what) {
  return fail(ErrorKind::InvalidInput, file.string() + ": '" + what + "' is missing");
}

}  // namespace

Result<Provider> read_provider(const std::string& id, const std::string& text,
                               const fs::path& file) {
  Given given;
  const auto table = table_of(given);
  // Only the file: several providers could not share one variable.
  const SettingSources sources{
      text, file.string(), [](const std::string&) { return std::optional<std::string>{}; }, {}};
  if (auto applied = apply_settings(table, sources); !applied) return applied.error();
  const auto* const preset =
      std::find_if(std::begin(kPresets), std::end(kPresets),
                   [&](const Preset& one) { return one.word == given.kind; });
  Provider provider;
  provider.id = id;
  provider.kind = preset->kind;
  provider.title = given.title.empty() ? preset->title : given.title;
  provider.issuer = given.issuer.empty() ? preset->issuer : given.issuer;
  provider.client_id = given.client_id;
  provider.create_accounts = given.create_accounts;
  if (provider.issuer.empty()) return missing(file, "issuer");
  if (provider.client_id.empty()) return missing(file, "client_id");
  if (given.secret_file.empty()) return missing(file, "client_secret_file");
  if (!provider.issuer.starts_with("https://") && !is_loopback(provider.issuer))
    return fail(ErrorKind::InvalidInput,
                file.string() + ": 'issuer' must begin with https://, as '" + provider.issuer +
                    "' would carry secrets in clear text");
  if (provider.kind == ProviderKind::GitHub)
    provider.api = provider.issuer == "https://github.com" ? "https://api.github.com"
                                                           : provider.issuer + "/api/v3";
  auto secret = read_file(file.parent_path() / given.secret_file);
  if (!secret) return std::move(secret).error().in(file.string());
  while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) secret->pop_back();
  if (secret->empty())
    return fail(ErrorKind::InvalidInput, file.string() + ": the file of the secret is empty");
  provider.client_secret = std::move(*secret);
  return provider;
}

Result<std::vector<Provider>> read_providers(const fs::path& directory) {
  std::vector<Provider> providers;
  if (directory.empty()) return providers;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{directory, failed}) {
    const auto& file = entry.path();
    if (file.extension() != ".yml") continue;
    const auto text = read_file(file);
    if (!text) return text.error();
    auto provider = read_provider(file.stem().string(), *text, file);
    if (!provider) return provider.error();
    providers.push_back(std::move(*provider));
  }
  if (failed)
    return fail(ErrorKind::InvalidInput, "cannot read the directory '" + directory.string() +
                                             "' of login_dir: " + failed.message());
  std::sort(providers.begin(), providers.end(),
            [](const Provider& left, const Provider& right) { return left.id < right.id; });
  return providers;
}

}  // namespace slipway::server::login
