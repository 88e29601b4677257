// Webhooks of git hosts: their signature, and what they tell, in one shape for all.
//
// Pure: headers and raw body in, values out. The signature is verified over the bytes as they came,
// before anything is parsed; every text in a payload is data and nothing more. Each host has a file
// of its own; hosts.h is what they have in common with this one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::server {

enum class ForgeKind : std::uint8_t { GitHub, GitLab, Gitea, Forgejo, Bitbucket };

// "github", …; also how a project's settings name it.
std::string_view to_string(ForgeKind kind);
std::optional<ForgeKind> forge_named(std::string_view name);

// The value of a header by its name (any case), or nullopt. Several of one name: nullopt as well,
// since a sender has no reason for that.
using HeaderLookup = std::function<std::optional<std::string>(std::string_view name)>;

struct PushEvent {
  std::string ref;  // short name
  bool is_tag = false;
  std::string before;  // "" for a new ref
  std::string after;   // the commit, also for an annotated tag
  std::string head_message;
  std::string pusher;
  // Push options, in GitLab's words: `git push -o ci.skip -o ci.variable="NAME=value"`.
  bool skip = false;
  std::vector<std::pair<std::string, std::string>> variables;
};

// Somebody on the git host.
struct ForgePerson {
  std::string login;  // may be taken over by somebody else after a renaming
  std::string id;     // is nobody else's, ever; "" when the host does not tell

  bool operator==(const ForgePerson&) const = default;
};

// Where the commits of a merge request from a fork are.
struct ForkHead {
  std::string ref;         // "refs/pull/7/head", "refs/heads/topic"
  std::string repository;  // "eve/app", for people
  // In the fork itself, and not in the repository that the request is for.
  bool in_fork = false;
  std::string target_repository;  // as the host names the one that the request is for
};

// A merge request, or a pull request as others call it.
struct MergeRequestEvent {
  enum class Action : std::uint8_t { Opened, Updated, Closed };
  Action action = Action::Opened;
  std::int64_t number = 0;
  std::string source_branch;
  std::string target_branch;
  std::string sha;         // of the source branch; "" when the host does not give it in full
  std::string sha_digits;  // as much of it as the host gives
  bool from_fork = false;
  ForkHead fork;  // of one from a fork
  std::string title;
  std::string description;
  std::string labels;  // separated by commas
  std::string author;  // who did what the event tells of
  ForgePerson actor;   // the same; pushed the commits, if there are new ones
  ForgePerson opener;  // whose request it is; GitLab does not tell the login
  bool draft = false;
};

// A signed event that makes no pipeline, and why.
struct IgnoredEvent {
  std::string reason;
  std::string deleted_ref;  // the branch or tag that is gone; "" for anything else
  bool deleted_tag = false;
};

using ForgeEvent = std::variant<PushEvent, MergeRequestEvent, IgnoredEvent>;

// Why nothing follows from an event; "" for a push, for a merge request that may be built, and for
// whatever happens to one from a fork.
std::string why_no_pipeline(const ForgeEvent& event);

struct Delivery {
  std::string key;    // the sender's id of this delivery; holds no '/'
  std::string event;  // the sender's word: "push", "Push Hook", "repo:push"
};

// What a payload must name to be about this project.
struct HookedProject {
  std::string path;
  std::string repository_url;
};

// Whose call it is, by the header that names the event. Forgejo and Gitea also send the headers of
// those that they descend from, so the youngest name decides.
std::optional<ForgeKind> forge_of(const HeaderLookup& header);

// By the scheme of the host that sent it and no other. Unauthenticated: no signature, or not the
// right one. InvalidInput: signed, but not one of the host's calls. `now` is for dated signatures.
Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret,
                        UnixMillis now);

// The body of a verified delivery; its event word tells whose it is. One event, but for hosts that
// tell several pushes at once. Denied when it is about another repository, InvalidInput when it is
// not what the host sends.
Result<std::vector<ForgeEvent>> parse(std::string_view event, std::string_view body,
                                      const HookedProject& project);

// Whether a commit message asks for no pipeline: [skip ci] or [ci skip], in any case.
bool asks_to_skip(std::string_view message);

}  // namespace slipway::server
