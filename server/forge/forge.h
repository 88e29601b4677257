// Webhooks of git hosts: their signature, and what they tell, in one shape for all.
//
// Pure: headers and raw body in, values out. The signature is verified over the bytes as they came,
// before anything is parsed; every text in a payload is data and nothing more.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace slipway::server {

// The value of a header by its name (any case), or nullopt. Several of one name: nullopt as well,
// since a sender has no reason for that.
using HeaderLookup = std::function<std::optional<std::string>(std::string_view name)>;

struct PushEvent {
  std::string ref;  // short name
  bool is_tag = false;
  std::string before;  // "" for a new ref
  std::string after;
  bool deleted = false;
  std::string head_message;
  std::string pusher;
};

// A signed event that makes no pipeline, and why.
struct IgnoredEvent {
  std::string reason;
};

using ForgeEvent = std::variant<PushEvent, IgnoredEvent>;

struct Delivery {
  std::string key;    // the sender's id of this delivery
  std::string event;  // the sender's word: "push"
};

// What a payload must name to be about this project.
struct HookedProject {
  std::string path;
  std::string repository_url;
};

// GitHub's form; plain git servers send the same through deploy/hooks/post-receive.
namespace github {

// Unauthenticated: no signature, or not the right one. InvalidInput: not one of GitHub's calls.
Result<Delivery> verify(const HeaderLookup& header, std::string_view body, std::string_view secret);

// The body of a verified delivery. Denied when it is about another repository, InvalidInput when it
// is not what GitHub sends.
Result<ForgeEvent> parse(std::string_view event, std::string_view body,
                         const HookedProject& project);

}  // namespace github

// Whether a commit message asks for no pipeline: [skip ci] or [ci skip], in any case.
bool asks_to_skip(std::string_view message);

}  // namespace slipway::server
