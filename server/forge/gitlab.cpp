// GitLab: docs.gitlab.com/user/project/integrations/webhooks, and standardwebhooks.com for signing.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>

#include "base/crypto.h"
#include "server/forge/hosts.h"
#include "server/forge/payload.h"

namespace slipway::server::gitlab {

using nlohmann::json;

namespace {

constexpr std::string_view kHost = "GitLab";
constexpr std::string_view kKeyPrefix = "whsec_";
constexpr std::string_view kVersion = "v1,";
constexpr UnixMillis kTolerance = std::chrono::milliseconds{std::chrono::minutes{5}}.count();
// Two keys while one replaces the other; more has no use.
constexpr int kMostSignatures = 5;

Error refused(const char* why) {
  return unauthenticated(why).with_hint(
      "webhook-signature must be v1, and the base64 HMAC of id.timestamp.body by the signing "
      "token");
}

bool is_signing_key(std::string_view secret) {
  return secret.substr(0, kKeyPrefix.size()) == kKeyPrefix;
}

// Nothing that could stand for the dots and the body behind it.
bool is_message_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

bool is_recent(std::string_view seconds, UnixMillis now) {
  constexpr std::size_t kMostDigits = 12;
  UnixMillis at = 0;
  const auto [end, problem] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), at);
  if (problem != std::errc{} || end != seconds.data() + seconds.size()) return false;
  if (seconds.size() > kMostDigits || at < 0) return false;
  at *= 1000;
  return at >= now - kTolerance && at <= now + kTolerance;
}

bool is_one_of(std::string_view list, const std::string& right_hex) {
  for (int i = 0; i < kMostSignatures && !list.empty(); ++i) {
    const auto space = list.find(' ');
    const std::string_view one = list.substr(0, space);
    list.remove_prefix(space == std::string_view::npos ? list.size() : space + 1);
    if (one.substr(0, kVersion.size()) != kVersion) continue;
    const auto bytes = base64_decode(one.substr(kVersion.size()));
    if (bytes && constant_time_equal(hex_encode(*bytes), right_hex)) return true;
  }
  return false;
}

Result<void> verify_standard(const HeaderLookup& header, std::string_view body,
                             std::string_view secret, UnixMillis now) {
  const auto signature = header("webhook-signature");
  const auto id = header("webhook-id");
  const auto stamp = header("webhook-timestamp");
  if (!signature || !id || !stamp) return refused("missing");
  if (!is_message_id(*id)) return refused("not the right one");
  std::string key{secret};
  if (is_signing_key(secret)) {
    auto decoded = base64_decode(secret.substr(kKeyPrefix.size()));
    if (!decoded || decoded->empty())
      return refused("refused: the project's secret is no signing token");
    key = std::move(*decoded);
  }
  std::string content = *id + '.' + *stamp + '.';
  content += body;
  if (!is_one_of(*signature, hmac_sha256_hex(key, content))) return refused("not the right one");
  // Asked last, so that only who knows the secret learns of our clock.
  if (!is_recent(*stamp, now)) return refused("older or newer than five minutes");
  return {};
}

Result<void> verify_token(const HeaderLookup& header, std::string_view secret) {
  const auto token = header("X-Gitlab-Token");
  const char* hint = "X-Gitlab-Token must be the project's webhook secret";
  if (!token) return unauthenticated("missing").with_hint(hint);
  if (!constant_time_equal(*token, secret))
    return unauthenticated("not the right one").with_hint(hint);
  return {};
}

std::string first_of(const HeaderLookup& header, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = header(name); value && !value->empty()) return *value;
  return {};
}

Result<ForgeEvent> merge_request(const json& payload) {
  const json& request = object_at(payload, "object_attributes");
  MergeRequestEvent event;
  const std::string action = text_at(request, "action");
  if (action == "open" || action == "reopen")
    event.action = MergeRequestEvent::Action::Opened;
  else if (action == "update" && !text_at(request, "oldrev").empty())  // only with new commits
    event.action = MergeRequestEvent::Action::Updated;
  else if (action == "close" || action == "merge")
    event.action = MergeRequestEvent::Action::Closed;
  else
    return ForgeEvent{IgnoredEvent{"the merge request's '" + action + "' makes no pipeline"}};
  event.number = number_at(request, "iid");
  event.source_branch = text_at(request, "source_branch");
  event.target_branch = text_at(request, "target_branch");
  event.sha = event.sha_digits = text_at(object_at(request, "last_commit"), "id");
  if (event.number <= 0 || !is_commit_hash(event.sha))
    return fail(ErrorKind::InvalidInput,
                "the payload is not a merge request as GitLab sends it: iid or commit is missing");
  event.title = text_at(request, "title");
  event.description = text_at(request, "description");
  event.actor = {text_at(object_at(payload, "user"), "username"),
                 id_at(object_at(payload, "user"), "id")};
  event.opener.id = id_at(request, "author_id");
  if (event.opener.id == event.actor.id) event.opener.login = event.actor.login;
  event.author = event.actor.login;
  event.draft = flag_at(request, "draft") || flag_at(request, "work_in_progress");
  if (const auto labels = payload.find("labels"); labels != payload.end())
    event.labels = joined_texts(*labels, "title");
  const std::int64_t source = number_at(request, "source_project_id");
  event.from_fork = source <= 0 || source != number_at(request, "target_project_id");
  event.fork = {"refs/merge-requests/" + std::to_string(event.number) + "/head",
                text_at(object_at(request, "source"), "path_with_namespace"),
                false,
                {}};
  return ForgeEvent{std::move(event)};
}

}  // namespace

Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret,
                        UnixMillis now) {
  if (secret.empty()) return unauthenticated("refused: the project has no secret");
  const bool is_signed = header("webhook-signature").has_value() || is_signing_key(secret);
  const auto believed =
      is_signed ? verify_standard(header, body, secret, now) : verify_token(header, secret);
  if (!believed) return believed.error();
  // Of a signed call only the id that is signed counts: the others can be written anew.
  const std::string key =
      is_signed ? header("webhook-id").value_or("")
                : first_of(header, {"Idempotency-Key", "X-Gitlab-Event-UUID", "webhook-id"});
  return delivery_of(header("X-Gitlab-Event").value_or(""), "X-Gitlab-Event", key,
                     "X-Gitlab-Event-UUID");
}

Result<ForgeEvent> parse(std::string_view event, std::string_view body,
                         const HookedProject& project) {
  const json payload = parse_bounded(body);
  if (!payload.is_object()) return malformed(kHost, "it is not a JSON object");
  const json& about = object_at(payload, "project");
  if (!is_about(project, text_at(about, "path_with_namespace"),
                {text_at(about, "git_http_url"), text_at(about, "git_ssh_url"),
                 text_at(about, "web_url")}))
    return about_another(project);
  if (event == "Merge Request Hook") return merge_request(payload);
  if (event != "Push Hook" && event != "Tag Push Hook") return other_event(event);

  auto told = push_of(payload, kHost);
  if (!told) return told;
  if (auto* push = std::get_if<PushEvent>(&*told)) {
    // `after` of an annotated tag is the tag's own id.
    const std::string commit = text_at(payload, "checkout_sha");
    if (push->is_tag && is_commit_hash(commit)) push->after = commit;
    push->pusher = text_at(payload, "user_username");
    if (push->pusher.empty()) push->pusher = text_at(payload, "user_name");
    if (const auto commits = payload.find("commits");
        commits != payload.end() && commits->is_array())
      for (const json& one : *commits)
        if (text_at(one, "id") == push->after) push->head_message = text_at(one, "message");
  }
  return told;
}

}  // namespace slipway::server::gitlab
