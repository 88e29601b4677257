// Bitbucket Cloud: support.atlassian.com/bitbucket-cloud/docs/event-payloads.
#include "server/forge/hosts.h"
#include "server/forge/payload.h"

namespace slipway::server::bitbucket {

using nlohmann::json;

namespace {

constexpr std::string_view kHost = "Bitbucket";
constexpr std::string_view kPullRequest = "pullrequest:";
// Bitbucket tells of five refs at most in one call; this leaves room.
constexpr std::size_t kMostChanges = 100;

ForgePerson person(const json& who) {
  const std::string nickname = text_at(who, "nickname");
  return {nickname.empty() ? text_at(who, "display_name") : nickname, text_at(who, "uuid")};
}

std::string actor(const json& payload) {
  return person(object_at(payload, "actor")).login;
}

std::string hash_of(const json& ref) {
  return text_at(object_at(ref, "target"), "hash");
}

Result<ForgeEvent> change(const json& told, const std::string& pusher) {
  const json& now = object_at(told, "new");
  const json& old = object_at(told, "old");
  const json& ref = now.empty() ? old : now;
  PushEvent push;
  push.ref = text_at(ref, "name");
  if (push.ref.empty()) return malformed(kHost, "a change names no branch or tag");
  const std::string type = text_at(ref, "type");
  if (type != "branch" && type != "tag")
    return ForgeEvent{IgnoredEvent{"'" + push.ref + "' is neither a branch nor a tag"}};
  push.is_tag = type == "tag";
  if (now.empty()) return deleted(push.ref, push.is_tag);
  push.after = hash_of(now);
  push.before = hash_of(old);
  if (!is_commit_hash(push.after) || is_zero_hash(push.after))
    return malformed(kHost, "'new' must have a commit id");
  if (!push.before.empty() && !is_commit_hash(push.before))
    return malformed(kHost, "'old' must have a commit id");
  push.head_message = text_at(object_at(now, "target"), "message");
  push.pusher = pusher;
  return ForgeEvent{std::move(push)};
}

Result<std::vector<ForgeEvent>> pushes(const json& payload) {
  const json& push = object_at(payload, "push");
  const auto changes = push.find("changes");
  if (changes == push.end() || !changes->is_array() || changes->empty())
    return malformed(kHost, "'push' has no changes");
  if (changes->size() > kMostChanges) return malformed(kHost, "'push' has too many changes");
  std::vector<ForgeEvent> events;
  for (const json& told : *changes) {
    auto event = change(told, actor(payload));
    if (!event) return event.error();
    events.push_back(std::move(*event));
  }
  return events;
}

Result<ForgeEvent> pull_request(std::string_view word, const json& payload) {
  const json& request = object_at(payload, "pullrequest");
  MergeRequestEvent event;
  if (word == "created")
    event.action = MergeRequestEvent::Action::Opened;
  else if (word == "updated")
    event.action = MergeRequestEvent::Action::Updated;
  else if (word == "fulfilled" || word == "rejected")
    event.action = MergeRequestEvent::Action::Closed;
  else
    return other_event(std::string{kPullRequest} + std::string{word});
  const json& source = object_at(request, "source");
  const json& target = object_at(request, "destination");
  event.number = number_at(request, "id");
  event.source_branch = text_at(object_at(source, "branch"), "name");
  event.target_branch = text_at(object_at(target, "branch"), "name");
  if (event.number <= 0 || event.source_branch.empty())
    return fail(ErrorKind::InvalidInput,
                "the payload is not a pull request as Bitbucket sends it: id or branch is missing");
  event.title = text_at(request, "title");
  event.description = text_at(request, "description");
  event.actor = person(object_at(payload, "actor"));
  event.opener = person(object_at(request, "author"));
  event.author = event.actor.login;
  event.draft = flag_at(request, "draft");
  // Bitbucket gives twelve digits of it.
  event.sha_digits = text_at(object_at(source, "commit"), "hash");
  if (is_commit_hash(event.sha_digits)) event.sha = event.sha_digits;
  const auto from = text_at(object_at(source, "repository"), "full_name");
  const auto into = text_at(object_at(target, "repository"), "full_name");
  event.from_fork = from.empty() || from != into;
  // Of pull requests it keeps no refs beside the branches.
  event.fork = {"refs/heads/" + event.source_branch, from, true, into};
  return ForgeEvent{std::move(event)};
}

// It names no addresses to clone from.
bool is_about_project(const json& repository, const HookedProject& project) {
  const std::string path = text_at(repository, "full_name");
  const std::string page = text_at(object_at(repository, {"links", "html"}), "href");
  static constexpr std::string_view kHttps = "https://";
  if (path.empty() || page.substr(0, kHttps.size()) != kHttps)
    return is_about(project, path, {page});
  const std::string host =
      page.substr(kHttps.size(), page.find('/', kHttps.size()) - kHttps.size());
  return is_about(project, path,
                  {page, "git@" + host + ":" + path, "ssh://git@" + host + "/" + path});
}

}  // namespace

Result<Delivery> verify(const HeaderLookup& header, std::string_view body,
                        std::string_view secret) {
  return verify_signed(header, body, secret,
                       {"X-Hub-Signature", "sha256=", "X-Event-Key", "X-Request-UUID"});
}

Result<std::vector<ForgeEvent>> parse(std::string_view event, std::string_view body,
                                      const HookedProject& project) {
  const json payload = parse_bounded(body);
  if (!payload.is_object()) return malformed(kHost, "it is not a JSON object");
  if (!is_about_project(object_at(payload, "repository"), project)) return about_another(project);
  if (event == "repo:push") return pushes(payload);
  if (event.substr(0, kPullRequest.size()) != kPullRequest)
    return std::vector<ForgeEvent>{other_event(event)};
  auto told = pull_request(event.substr(kPullRequest.size()), payload);
  if (!told) return told.error();
  return std::vector<ForgeEvent>{std::move(*told)};
}

}  // namespace slipway::server::bitbucket
