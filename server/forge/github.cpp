// GitHub: docs.github.com/webhooks/webhook-events-and-payloads.
#include "server/forge/hosts.h"
#include "server/forge/payload.h"

namespace slipway::server::github {

using nlohmann::json;

namespace {

constexpr std::string_view kHost = "GitHub";

ForgePerson person(const json& user) {
  return {text_at(user, "login"), id_at(user, "id")};
}

Result<ForgeEvent> pull_request(const json& payload) {
  MergeRequestEvent event;
  const std::string action = text_at(payload, "action");
  if (action == "opened" || action == "reopened")
    event.action = MergeRequestEvent::Action::Opened;
  else if (action == "synchronize" || action == "synchronized")  // the second is Gitea's
    event.action = MergeRequestEvent::Action::Updated;
  else if (action == "closed")
    event.action = MergeRequestEvent::Action::Closed;
  else
    return ForgeEvent{IgnoredEvent{"the pull request's '" + action + "' makes no pipeline"}};
  const json& request = object_at(payload, "pull_request");
  const json& head = object_at(request, "head");
  const json& base = object_at(request, "base");
  event.number = number_at(payload, "number");
  event.source_branch = text_at(head, "ref");
  event.target_branch = text_at(base, "ref");
  event.sha = event.sha_digits = text_at(head, "sha");
  if (event.number <= 0 || !is_commit_hash(event.sha))
    return fail(
        ErrorKind::InvalidInput,
        "the payload is not a pull request as GitHub sends it: number or commit is missing");
  event.title = text_at(request, "title");
  event.description = text_at(request, "body");
  event.actor = person(object_at(payload, "sender"));
  event.opener = person(object_at(request, "user"));
  event.author = event.actor.login;
  event.draft = flag_at(request, "draft");
  if (const auto labels = request.find("labels"); labels != request.end())
    event.labels = joined_texts(*labels, "name");
  // A head whose repository is gone was a fork.
  const json& source = object_at(head, "repo");
  const json& target = object_at(base, "repo");
  const std::string name = text_at(source, "full_name");
  event.from_fork = name.empty() || name != text_at(target, "full_name") ||
                    number_at(source, "id") != number_at(target, "id");
  event.fork = {"refs/pull/" + std::to_string(event.number) + "/head", name, false, {}};
  return ForgeEvent{std::move(event)};
}

}  // namespace

Result<Delivery> verify(const HeaderLookup& header, std::string_view body,
                        std::string_view secret) {
  return verify_signed(header, body, secret,
                       {"X-Hub-Signature-256", "sha256=", "X-GitHub-Event", "X-GitHub-Delivery"});
}

Result<ForgeEvent> parse(std::string_view event, std::string_view body,
                         const HookedProject& project) {
  const json payload = parse_bounded(body);
  if (!payload.is_object()) return malformed(kHost, "it is not a JSON object");
  const json& repository = object_at(payload, "repository");
  if (!is_about(project, text_at(repository, "full_name"),
                {text_at(repository, "clone_url"), text_at(repository, "ssh_url"),
                 text_at(repository, "git_url"), text_at(repository, "html_url")}))
    return about_another(project);
  if (event == "ping") return ForgeEvent{IgnoredEvent{"a ping is answered and makes no pipeline"}};
  if (event == "pull_request") return pull_request(payload);
  if (event != "push") return other_event(event);

  auto told = push_of(payload, kHost);
  if (!told) return told;
  if (auto* push = std::get_if<PushEvent>(&*told)) {
    const json& head = object_at(payload, "head_commit");
    push->head_message = text_at(head, "message");
    // `after` of an annotated tag is the tag's own id.
    if (const auto commit = text_at(head, "id"); push->is_tag && is_commit_hash(commit))
      push->after = commit;
    push->pusher = text_at(object_at(payload, "pusher"), "name");
    if (push->pusher.empty()) push->pusher = text_at(object_at(payload, "pusher"), "login");
  }
  return told;
}

}  // namespace slipway::server::github
