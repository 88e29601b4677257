// Calls as the five hosts make them, written after their documentation.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/crypto.h"
#include "server/forge/forge.h"

namespace slipway::server::test {

using Headers = std::multimap<std::string, std::string>;

// As the HTTP room gives them: a name that comes twice is no value at all.
inline HeaderLookup lookup(const Headers& headers) {
  return [headers](std::string_view name) -> std::optional<std::string> {
    if (headers.count(std::string{name}) != 1) return std::nullopt;
    return headers.find(std::string{name})->second;
  };
}

struct Call {
  Headers headers;
  std::string body;
};

inline const std::string kBefore(40, '1');
inline const std::string kAfter(40, 'a');
inline const std::string kNothing(40, '0');

// Standard base64 of the HMAC, as Standard Webhooks has it.
inline std::string standard_signature(const std::string& key, const std::string& content) {
  const std::string hex = hmac_sha256_hex(key, content);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return "v1," + base64_encode(bytes);
}

// What GitHub, Gitea and Forgejo tell of a push to main of group/hooked.
inline nlohmann::json github_push(const std::string& after = kAfter) {
  return {{"ref", "refs/heads/main"},
          {"before", kBefore},
          {"after", after},
          {"created", false},
          {"deleted", false},
          {"forced", false},
          {"compare", "https://git.example/group/hooked/compare/1111111...aaaaaaa"},
          {"commits",
           {{{"id", after},
             {"message", "Speak louder"},
             {"timestamp", "2024-03-01T12:00:00+01:00"},
             {"added", {"loud.c"}},
             {"removed", nlohmann::json::array()},
             {"modified", {"Makefile"}}}}},
          {"head_commit", {{"id", after}, {"message", "Speak louder"}}},
          {"repository",
           {{"id", 140},
            {"full_name", "group/hooked"},
            {"html_url", "https://git.example/group/hooked"},
            {"ssh_url", "git@git.example:group/hooked.git"},
            {"clone_url", "https://git.example/group/hooked.git"},
            {"default_branch", "main"}}},
          {"pusher", {{"name", "ada"}, {"email", "ada@example.org"}}},
          {"sender", {{"login", "ada"}}}};
}

inline nlohmann::json gitlab_push(const std::string& after = kAfter) {
  return {
      {"object_kind", "push"},
      {"event_name", "push"},
      {"before", kBefore},
      {"after", after},
      {"ref", "refs/heads/main"},
      {"ref_protected", true},
      {"checkout_sha", after},
      {"user_id", 4},
      {"user_name", "Ada L."},
      {"user_username", "ada"},
      {"project_id", 15},
      {"project",
       {{"id", 15},
        {"name", "hooked"},
        {"web_url", "https://gitlab.example/group/hooked"},
        {"git_ssh_url", "git@gitlab.example:group/hooked.git"},
        {"git_http_url", "https://gitlab.example/group/hooked.git"},
        {"path_with_namespace", "group/hooked"},
        {"default_branch", "main"}}},
      {"commits",
       {{{"id", kBefore}, {"message", "Earlier"}}, {{"id", after}, {"message", "Speak louder"}}}},
      {"total_commits_count", 2},
      {"push_options", nlohmann::json::object()}};
}

inline nlohmann::json bitbucket_ref(const std::string& type, const std::string& name,
                                    const std::string& hash) {
  return {{"type", type},
          {"name", name},
          {"target", {{"type", "commit"}, {"hash", hash}, {"message", "Speak louder"}}}};
}

// A branch that moved, a tag that was made and a branch that was deleted.
inline nlohmann::json bitbucket_push(const std::string& after = kAfter) {
  return {{"actor", {{"display_name", "Ada L."}, {"nickname", "ada"}, {"type", "user"}}},
          {"repository",
           {{"type", "repository"},
            {"full_name", "group/hooked"},
            {"links", {{"html", {{"href", "https://bitbucket.org/group/hooked"}}}}}}},
          {"push",
           {{"changes",
             {{{"old", bitbucket_ref("branch", "main", kBefore)},
               {"new", bitbucket_ref("branch", "main", after)},
               {"created", false},
               {"closed", false},
               {"forced", false},
               {"truncated", false}},
              {{"old", nullptr}, {"new", bitbucket_ref("tag", "v1", after)}, {"created", true}},
              {{"old", bitbucket_ref("branch", "gone", kBefore)},
               {"new", nullptr},
               {"closed", true}}}}}}};
}

// Signed calls of each host. The headers that it shares with others are there as well.
inline Call github_call(const std::string& body, const std::string& secret,
                        const std::string& key = "72d3162e-cc78-11e3-81ab-4c9367dc0958",
                        const std::string& event = "push") {
  return {{{"X-GitHub-Event", event},
           {"X-GitHub-Delivery", key},
           {"X-Hub-Signature", "sha1=" + sha1_hex(body)},
           {"X-Hub-Signature-256", "sha256=" + hmac_sha256_hex(secret, body)}},
          body};
}

inline Call gitea_call(const std::string& body, const std::string& secret,
                       const std::string& key = "f6266f16-1bf3-46a5-9ea4-602e06ead473",
                       const std::string& event = "push") {
  Call call = github_call(body, secret, key, event);
  call.headers.insert({{"X-Gogs-Event", event},
                       {"X-Gogs-Delivery", key},
                       {"X-Gitea-Event", event},
                       {"X-Gitea-Event-Type", event},
                       {"X-Gitea-Delivery", key},
                       {"X-Gitea-Signature", hmac_sha256_hex(secret, body)}});
  return call;
}

inline Call forgejo_call(const std::string& body, const std::string& secret,
                         const std::string& key = "0c6a0e1e-4f2d-4f6b-8a39-5f1b6a3b7c5d",
                         const std::string& event = "push") {
  Call call = gitea_call(body, secret, key, event);
  call.headers.insert({{"X-Forgejo-Event", event},
                       {"X-Forgejo-Delivery", key},
                       {"X-Forgejo-Signature", hmac_sha256_hex(secret, body)}});
  return call;
}

inline Call gitlab_call(const std::string& body, const std::string& secret,
                        const std::string& key = "13792a34-cac6-4fda-95a8-c58e00a3954e",
                        const std::string& event = "Push Hook") {
  return {{{"X-Gitlab-Event", event},
           {"X-Gitlab-Event-UUID", key},
           {"Idempotency-Key", key},
           {"X-Gitlab-Instance", "https://gitlab.example"},
           {"X-Gitlab-Token", secret}},
          body};
}

// With a signing token, at `seconds`.
inline Call gitlab_signed_call(const std::string& body, const std::string& key_bytes,
                               long long seconds,
                               const std::string& id = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
                               const std::string& event = "Push Hook") {
  const std::string stamp = std::to_string(seconds);
  return {{{"X-Gitlab-Event", event},
           {"X-Gitlab-Event-UUID", "not-" + id},
           {"Idempotency-Key", id},
           {"webhook-id", id},
           {"webhook-timestamp", stamp},
           {"webhook-signature", standard_signature(key_bytes, id + "." + stamp + "." + body)}},
          body};
}

inline Call bitbucket_call(const std::string& body, const std::string& secret,
                           const std::string& key = "8f2d3a2c-7a1e-4f0e-9a5b-3b4f6f1c2d3e",
                           const std::string& event = "repo:push") {
  return {{{"X-Event-Key", event},
           {"X-Request-UUID", key},
           {"X-Hook-UUID", "1b2c"},
           {"X-Attempt-Number", "1"},
           {"X-Hub-Signature", "sha256=" + hmac_sha256_hex(secret, body)}},
          body};
}

}  // namespace slipway::server::test
