#include <algorithm>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostCaches = 4;
constexpr std::size_t kMostFallbackKeys = 5;
constexpr std::size_t kMostKeyFiles = 2;

// GitLab unescapes a key as in an address before it looks at it.
std::string unescaped(std::string text) {
  for (const auto& [escape, character] :
       {std::pair{"%2f", '/'}, {"%2F", '/'}, {"%2e", '.'}, {"%2E", '.'}})
    for (auto at = text.find(escape); at != std::string::npos; at = text.find(escape))
      text.replace(at, 3, 1, character);
  return text;
}

// A key becomes part of a path.
std::string key_in(const Node& node, const Place& place) {
  const std::string key = unescaped(node.text);
  if (node.kind != Kind::String)
    place.error(node.at, "should be a string or symbol", "put it in quotes");
  else if (key.find('/') != std::string::npos)
    place.error(node.at, "cannot contain the \"/\" character");
  else if (key == "." || key == "..")
    place.error(node.at, "cannot be \".\" or \"..\"");
  return node.text;
}

void read_key_files(const Node& node, const Place& place, Cache& cache) {
  auto files = strings_in(node, place);
  if (!files) return;
  if (files->empty()) place.error(node.at, "requires at least 1 item");
  if (files->size() > kMostKeyFiles) place.error(node.at, "has too many items (maximum is 2)");
  for (std::string& file : *files) file.erase(0, file.find_first_not_of('/'));
  cache.key_files = std::move(*files);
}

void read_key(const Node& node, const Place& place, Cache& cache) {
  if (node.kind == Kind::String) {
    cache.key = key_in(node, place.attribute("config"));
    return;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "should be a hash, a string or a symbol");
    return;
  }
  check_family(node, "cache_key", place);
  check_exclusive(node, "files", "files_commits", place);
  if (const Node* prefix = value_of(node, "prefix"))
    cache.key_prefix = key_in(*prefix, place.entry("prefix"));
  const Node* files = value_of(node, "files");
  const Node* commits = value_of(node, "files_commits");
  cache.key_by_commits = files == nullptr && commits != nullptr;
  if (files != nullptr)
    read_key_files(*files, place.entry("files"), cache);
  else if (commits != nullptr)
    read_key_files(*commits, place.entry("files_commits"), cache);
  else
    place.error(node.at, "config missing required keys: files");
}

void read_policy(const Node& node, const Place& place, Cache& cache) {
  const bool variable = node.is_scalar() && node.text.size() > 1 && node.text.front() == '$';
  const bool word =
      node.is_scalar() && (node.text == "pull-push" || node.text == "push" || node.text == "pull");
  if (variable || word)
    cache.policy = node.text;
  else
    place.error(node.at, "should be a variable or one of: pull-push, push, pull");
}

std::optional<Cache> read_cache(const Node& node, const Place& place) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash or an array of hashes");
    return std::nullopt;
  }
  check_family(node, "cache", place);
  Cache cache;
  if (const Node* key = value_of(node, "key")) read_key(*key, place.below("key"), cache);
  if (const Node* paths = value_of(node, "paths"))
    cache.paths = strings_in(*paths, place.entry("paths")).value_or(std::vector<std::string>{});
  if (const Node* keys = value_of(node, "fallback_keys")) {
    cache.fallback_keys =
        strings_in(*keys, place.entry("fallback_keys")).value_or(std::vector<std::string>{});
    if (cache.fallback_keys.size() > kMostFallbackKeys)
      // The slip of the pen is GitLab's.
      place.attribute("fallback_keys").error(keys->at, "has to many entries (maximum 5)");
  }
  if (const Node* untracked = value_of(node, "untracked"))
    cache.untracked = bool_in(*untracked, place.entry("untracked")).value_or(false);
  if (const Node* unprotect = value_of(node, "unprotect"))
    cache.unprotect = bool_in(*unprotect, place.entry("unprotect")).value_or(false);
  if (const Node* when = value_of(node, "when"))
    cache.when = upload_when_in(*when, place.attribute("when"));
  if (const Node* policy = value_of(node, "policy"))
    read_policy(*policy, place.attribute("policy"), cache);
  return cache;
}

}  // namespace

std::optional<std::vector<Cache>> read_caches(const Node& node, const Place& place) {
  std::vector<Cache> caches;
  if (node.kind == Kind::Mapping && node.entries.empty()) return caches;
  if (node.kind != Kind::Sequence) {
    auto cache = read_cache(node, place);
    if (!cache) return std::nullopt;
    caches.push_back(std::move(*cache));
    return caches;
  }
  if (node.items.size() > kMostCaches)
    place.error(node.at, "config no more than 4 caches can be created");
  for (const NodePtr& item : node.items)
    if (auto cache = read_cache(*item, place)) caches.push_back(std::move(*cache));
  return caches;
}

}  // namespace slipway::pipeline::keywords
