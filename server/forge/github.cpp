// Source: GitHub's documentation of webhook events (push, ping) and of validating deliveries.

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/forge/forge.h"

namespace slipway::server {
namespace {

using nlohmann::json;

constexpr int kDeepest = 64;

// nlohmann parses any depth and then overflows the stack on the way out, so depth is bounded here.
json parse_bounded(std::string_view body) {
  const json::parser_callback_t bounded = [](int depth, json::parse_event_t, json&) {
    if (depth > kDeepest) throw std::length_error{"too deep"};
    return true;
  };
  try {
    return json::parse(body, bounded, false);
  } catch (const std::length_error&) {
    return json(json::value_t::discarded);
  }
}

std::string text_at(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

const json& object_at(const json& object, const char* key) {
  static const json none = json::object();
  const auto at = object.find(key);
  return at != object.end() && at->is_object() ? *at : none;
}

Error malformed(const std::string& why) {
  return fail(ErrorKind::InvalidInput, "the payload is not a push as GitHub sends it: " + why);
}

bool is_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_zero(std::string_view id) {
  return id.find_first_not_of('0') == std::string_view::npos;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string without_git_suffix(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  if (url.size() > 4 && url.substr(url.size() - 4) == ".git") url.resize(url.size() - 4);
  return url;
}

bool is_about(const json& repository, const HookedProject& project) {
  if (lower(text_at(repository, "full_name")) == lower(project.path)) return true;
  const std::string wanted = without_git_suffix(project.repository_url);
  for (const char* key : {"clone_url", "ssh_url", "git_url", "html_url"})
    if (!wanted.empty() && without_git_suffix(text_at(repository, key)) == wanted) return true;
  return false;
}

}  // namespace

namespace github {

Result<Delivery> verify(const HeaderLookup& header, std::string_view body,
                        std::string_view secret) {
  const auto unauthenticated = [](const char* why) {
    return fail(ErrorKind::Unauthenticated, std::string{"the webhook's signature is "} + why)
        .with_hint("X-Hub-Signature-256 must be sha256= and the HMAC of the body by the secret");
  };
  if (secret.empty()) return unauthenticated("refused: the project has no secret");
  const auto signature = header("X-Hub-Signature-256");
  if (!signature) return unauthenticated("missing");
  static constexpr std::string_view kPrefix = "sha256=";
  if (signature->substr(0, kPrefix.size()) != kPrefix) return unauthenticated("not a SHA-256");
  if (!constant_time_equal(signature->substr(kPrefix.size()), hmac_sha256_hex(secret, body)))
    return unauthenticated("not the right one");

  Delivery delivery{header("X-GitHub-Delivery").value_or(""),
                    header("X-GitHub-Event").value_or("")};
  if (delivery.event.empty() || delivery.event.size() > 64)
    return fail(ErrorKind::InvalidInput, "the header X-GitHub-Event is missing");
  if (delivery.key.empty() || delivery.key.size() > 128)
    return fail(ErrorKind::InvalidInput, "the header X-GitHub-Delivery is missing");
  return delivery;
}

Result<ForgeEvent> parse(std::string_view event, std::string_view body,
                         const HookedProject& project) {
  const json payload = parse_bounded(body);
  if (!payload.is_object()) return malformed("it is not a JSON object");
  if (!is_about(object_at(payload, "repository"), project))
    return fail(ErrorKind::Denied,
                "the payload is about another repository than '" + project.path + "'");
  if (event == "ping") return ForgeEvent{IgnoredEvent{"a ping is answered and makes no pipeline"}};
  if (event != "push")
    return ForgeEvent{IgnoredEvent{"the event '" + std::string{event} + "' makes no pipeline"}};

  PushEvent push;
  const std::string ref = text_at(payload, "ref");
  static constexpr std::string_view kHeads = "refs/heads/";
  static constexpr std::string_view kTags = "refs/tags/";
  if (ref.substr(0, kHeads.size()) == kHeads)
    push.ref = ref.substr(kHeads.size());
  else if (ref.substr(0, kTags.size()) == kTags)
    push.ref = ref.substr(kTags.size());
  else
    return malformed("'ref' must begin with refs/heads/ or refs/tags/");
  if (push.ref.empty()) return malformed("'ref' names no branch or tag");
  push.is_tag = ref.substr(0, kTags.size()) == kTags;
  push.before = text_at(payload, "before");
  push.after = text_at(payload, "after");
  if (!is_id(push.after)) return malformed("'after' must be a commit id");
  if (!push.before.empty() && !is_id(push.before)) return malformed("'before' must be a commit id");
  push.deleted = is_zero(push.after);
  if (is_zero(push.before)) push.before.clear();
  push.head_message = text_at(object_at(payload, "head_commit"), "message");
  push.pusher = text_at(object_at(payload, "pusher"), "name");
  if (push.deleted) return ForgeEvent{IgnoredEvent{"'" + push.ref + "' was deleted"}};
  return ForgeEvent{std::move(push)};
}

}  // namespace github

bool asks_to_skip(std::string_view message) {
  std::string text;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    text += c == '-' || c == '_' ? ' ' : static_cast<char>(std::tolower(byte));
  }
  return text.find("[skip ci]") != std::string::npos || text.find("[ci skip]") != std::string::npos;
}

}  // namespace slipway::server
