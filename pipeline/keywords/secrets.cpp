#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr const char* kExactlyOne =
    "config must use exactly one of these keys: vault, gcp_secret_manager, azure_key_vault, "
    "aws_secrets_manager, akeyless, gitlab_secrets_manager";
constexpr const char* kProviders[] = {"vault",           "gcp_secret_manager",
                                      "azure_key_vault", "aws_secrets_manager",
                                      "akeyless",        "gitlab_secrets_manager"};

std::optional<Secret> read_secret(const Entry& entry, const Place& place) {
  const Node& node = *entry.value;
  if (!check_family(node, "secret", place)) return std::nullopt;
  Secret secret;
  secret.name = entry.key;
  for (const char* provider : kProviders) {
    const Node* where = value_of(node, provider);
    if (where == nullptr) continue;
    if (!secret.provider.empty()) {
      place.error(node.find_entry(provider)->at, kExactlyOne,
                  "there is `" + secret.provider + "` already", "exclusive_keywords");
      return std::nullopt;
    }
    secret.provider = provider;
    secret.where = read::as_json(*where);
    if (where->kind != Kind::Mapping && !where->is_scalar())
      place.below(provider).error(where->at, "config should be a hash or a string");
  }
  if (secret.provider.empty()) {
    place.error(node.at, kExactlyOne);
    return std::nullopt;
  }
  if (const Node* file = value_of(node, "file"))
    secret.file = bool_in(*file, place.attribute("file")).value_or(true);
  secret.token = text_under(node, "token", place);
  return secret;
}

}  // namespace

std::optional<std::vector<Secret>> read_secrets(const Node& node, const Place& place) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash");
    return std::nullopt;
  }
  std::vector<Secret> secrets;
  for (const Entry& entry : node.entries)
    if (auto secret = read_secret(entry, place.below(entry.key)))
      secrets.push_back(std::move(*secret));
  return secrets;
}

std::optional<std::vector<IdToken>> read_id_tokens(const Node& node, const Place& place) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash");
    return std::nullopt;
  }
  std::vector<IdToken> tokens;
  for (const Entry& entry : node.entries) {
    const Place at = place.below(entry.key);
    if (!check_family(*entry.value, "id_token", at)) continue;
    const Node* audience = value_of(*entry.value, "aud");
    if (audience == nullptr) {
      at.error(entry.value->at, "config missing required keys: aud");
      continue;
    }
    if (auto audiences = strings_in(*audience, at.attribute("aud"), Single::accepted))
      tokens.push_back({entry.key, std::move(*audiences)});
  }
  return tokens;
}

}  // namespace slipway::pipeline::keywords
