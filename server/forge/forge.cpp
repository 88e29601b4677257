#include "server/forge/forge.h"

#include <cctype>

#include "base/crypto.h"
#include "server/forge/hosts.h"

namespace slipway::server {

namespace {

struct Named {
  ForgeKind kind;
  std::string_view name;
  const char* event_header;
};

// The youngest first: Forgejo sends Gitea's headers as well, and both send GitHub's.
constexpr Named kForges[]{
    {ForgeKind::Forgejo, "forgejo", "X-Forgejo-Event"},
    {ForgeKind::Gitea, "gitea", "X-Gitea-Event"},
    {ForgeKind::GitLab, "gitlab", "X-Gitlab-Event"},
    {ForgeKind::Bitbucket, "bitbucket", "X-Event-Key"},
    {ForgeKind::GitHub, "github", "X-GitHub-Event"},
};

constexpr std::size_t kLongestEvent = 64;
constexpr std::size_t kLongestKey = 128;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Whose payloads an event word stands for, which is all that is left of the headers later on.
enum class Dialect : std::uint8_t { GitHub, GitLab, Bitbucket };

Dialect dialect_of(std::string_view event) {
  if (event.find(':') != std::string_view::npos) return Dialect::Bitbucket;
  return ends_with(event, " Hook") ? Dialect::GitLab : Dialect::GitHub;
}

Dialect dialect_of(ForgeKind kind) {
  switch (kind) {
    case ForgeKind::GitLab: return Dialect::GitLab;
    case ForgeKind::Bitbucket: return Dialect::Bitbucket;
    case ForgeKind::GitHub:
    case ForgeKind::Gitea:
    case ForgeKind::Forgejo: break;
  }
  return Dialect::GitHub;
}

Result<Delivery> verify_as(ForgeKind kind, const HeaderLookup& header, std::string_view body,
                           std::string_view secret, UnixMillis now) {
  switch (kind) {
    case ForgeKind::GitHub: return github::verify(header, body, secret);
    case ForgeKind::GitLab: return gitlab::verify(header, body, secret, now);
    case ForgeKind::Gitea: return gitea::verify(header, body, secret, false);
    case ForgeKind::Forgejo: return gitea::verify(header, body, secret, true);
    case ForgeKind::Bitbucket: return bitbucket::verify(header, body, secret);
  }
  return fail(ErrorKind::Internal, "a git host without a way to verify");
}

std::string_view word_of(MergeRequestEvent::Action action) {
  switch (action) {
    case MergeRequestEvent::Action::Opened: return "opened";
    case MergeRequestEvent::Action::Updated: return "updated";
    case MergeRequestEvent::Action::Closed: return "closed";
  }
  return "";
}

}  // namespace

std::string_view to_string(ForgeKind kind) {
  for (const Named& forge : kForges)
    if (forge.kind == kind) return forge.name;
  return "";
}

std::optional<ForgeKind> forge_named(std::string_view name) {
  for (const Named& forge : kForges)
    if (forge.name == name) return forge.kind;
  return std::nullopt;
}

std::optional<ForgeKind> forge_of(const HeaderLookup& header) {
  for (const Named& forge : kForges)
    if (header(forge.event_header)) return forge.kind;
  return std::nullopt;
}

Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret,
                        UnixMillis now) {
  const auto kind = forge_of(header);
  if (!kind)
    return fail(ErrorKind::Unauthenticated, "the call names no event of a git host that is known")
        .with_hint(
            "one of X-GitHub-Event, X-Gitlab-Event, X-Gitea-Event, X-Forgejo-Event and "
            "X-Event-Key must be there, once");
  auto delivery = verify_as(*kind, header, body, secret, now);
  if (delivery && dialect_of(delivery->event) != dialect_of(*kind))
    return fail(ErrorKind::InvalidInput,
                "'" + delivery->event + "' is no event of " + std::string{to_string(*kind)});
  return delivery;
}

Result<std::vector<ForgeEvent>> parse(std::string_view event, std::string_view body,
                                      const HookedProject& project) {
  const Dialect dialect = dialect_of(event);
  if (dialect == Dialect::Bitbucket) return bitbucket::parse(event, body, project);
  auto told = dialect == Dialect::GitLab ? gitlab::parse(event, body, project)
                                         : github::parse(event, body, project);
  if (!told) return std::move(told).error();
  return std::vector<ForgeEvent>{std::move(*told)};
}

std::string why_no_pipeline(const ForgeEvent& event) {
  if (const auto* ignored = std::get_if<IgnoredEvent>(&event)) return ignored->reason;
  const auto* request = std::get_if<MergeRequestEvent>(&event);
  if (request == nullptr || request->from_fork) return {};
  const std::string told = "merge request " + std::to_string(request->number) + " from '" +
                           request->source_branch + "' was " +
                           std::string{word_of(request->action)};
  if (request->action == MergeRequestEvent::Action::Closed)
    return told + ": nothing is to be built";
  return {};
}

Error unauthenticated(const std::string& why) {
  return fail(ErrorKind::Unauthenticated, "the webhook's signature is " + why);
}

Result<Delivery> delivery_of(std::string event, const char* event_header, std::string key,
                             const char* key_header) {
  if (event.empty() || event.size() > kLongestEvent)
    return fail(ErrorKind::InvalidInput, "the header " + std::string{event_header} + " is missing");
  if (key.empty() || key.size() > kLongestKey || key.find('/') != std::string::npos)
    return fail(ErrorKind::InvalidInput, "the header " + std::string{key_header} +
                                             " is missing or not the id of a delivery");
  return Delivery{std::move(key), std::move(event)};
}

Result<Delivery> verify_signed(const HeaderLookup& header, std::string_view body,
                               std::string_view secret, const SignedCalls& calls) {
  const auto refused = [&](const char* why) {
    return unauthenticated(why).with_hint(
        std::string{calls.signature_header} + " must be " + std::string{calls.prefix} +
        (calls.prefix.empty() ? "" : " and ") + "the HMAC of the body by the secret");
  };
  if (secret.empty()) return refused("refused: the project has no secret");
  const auto signature = header(calls.signature_header);
  if (!signature) return refused("missing");
  if (signature->substr(0, calls.prefix.size()) != calls.prefix) return refused("not a SHA-256");
  if (!constant_time_equal(signature->substr(calls.prefix.size()), hmac_sha256_hex(secret, body)))
    return refused("not the right one");
  return delivery_of(header(calls.event_header).value_or(""), calls.event_header,
                     header(calls.delivery_header).value_or(""), calls.delivery_header);
}

bool asks_to_skip(std::string_view message) {
  std::string text;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    text += c == '-' || c == '_' ? ' ' : static_cast<char>(std::tolower(byte));
  }
  return text.find("[skip ci]") != std::string::npos || text.find("[ci skip]") != std::string::npos;
}

}  // namespace slipway::server
