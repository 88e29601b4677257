#include "server/forge/payload.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace slipway::server {

using nlohmann::json;

namespace {

// Hosts nest a dozen levels deep. Destroying what is parsed recurses, so depth must end somewhere.
constexpr int kDeepest = 64;

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

}  // namespace

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

bool flag_at(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::int64_t number_at(const json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

std::string id_at(const json& object, const char* key) {
  if (const std::int64_t number = number_at(object, key)) return std::to_string(number);
  return text_at(object, key);
}

const json& object_at(const json& object, const char* key) {
  static const json none = json::object();
  if (!object.is_object()) return none;
  const auto at = object.find(key);
  return at != object.end() && at->is_object() ? *at : none;
}

const json& object_at(const json& object, std::initializer_list<const char*> keys) {
  const json* at = &object;
  for (const char* key : keys) at = &object_at(*at, key);
  return *at;
}

std::string joined_texts(const json& list, const char* key) {
  constexpr std::size_t kMost = 100;
  std::string joined;
  if (!list.is_array()) return joined;
  for (std::size_t i = 0; i < list.size() && i < kMost; ++i) {
    const std::string text = text_at(list[i], key);
    if (text.empty()) continue;
    if (!joined.empty()) joined += ',';
    joined += text;
  }
  return joined;
}

bool is_commit_hash(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_zero_hash(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

bool is_about(const HookedProject& project, const std::string& path,
              std::initializer_list<std::string> addresses) {
  if (!path.empty() && lower(path) == lower(project.path)) return true;
  const std::string wanted = without_git_suffix(project.repository_url);
  return !wanted.empty() && std::any_of(addresses.begin(), addresses.end(), [&](const auto& url) {
    return without_git_suffix(url) == wanted;
  });
}

Error about_another(const HookedProject& project) {
  return fail(ErrorKind::Denied,
              "the payload is about another repository than '" + project.path + "'");
}

Error malformed(std::string_view host, const std::string& why) {
  return fail(ErrorKind::InvalidInput,
              "the payload is not a push as " + std::string{host} + " sends it: " + why);
}

namespace {

constexpr std::size_t kMostOptions = 100;

bool is_variable_name(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

void read_option(const std::string& option, PushEvent& push) {
  static constexpr std::string_view kVariable = "ci.variable=";
  if (option == "ci.skip") push.skip = true;
  if (!option.starts_with(kVariable)) return;
  std::string given = option.substr(kVariable.size());
  if (given.size() >= 2 && given.front() == '"' && given.back() == '"')
    given = given.substr(1, given.size() - 2);
  const auto equals = given.find('=');
  if (equals != std::string::npos && is_variable_name(given.substr(0, equals)))
    push.variables.emplace_back(given.substr(0, equals), given.substr(equals + 1));
}

// A list, as our hook script sends it; or GitLab's object, whose keys are the values of
// `ci.variable`.
void read_options(const json& payload, PushEvent& push) {
  const auto options = payload.find("push_options");
  if (options == payload.end()) return;
  if (options->is_array()) {
    for (std::size_t i = 0; i < options->size() && i < kMostOptions; ++i)
      if ((*options)[i].is_string()) read_option((*options)[i].get<std::string>(), push);
    return;
  }
  const json& ci = object_at(*options, "ci");
  push.skip = ci.contains("skip");
  for (const auto& [given, count] : object_at(ci, "variable").items()) {
    if (push.variables.size() >= kMostOptions) return;
    read_option("ci.variable=" + given, push);
  }
}

}  // namespace

Result<ForgeEvent> push_of(const json& payload, std::string_view host) {
  static constexpr std::string_view kHeads = "refs/heads/";
  static constexpr std::string_view kTags = "refs/tags/";
  PushEvent push;
  const std::string ref = text_at(payload, "ref");
  if (ref.substr(0, kHeads.size()) == kHeads)
    push.ref = ref.substr(kHeads.size());
  else if (ref.substr(0, kTags.size()) == kTags)
    push.ref = ref.substr(kTags.size());
  else
    return malformed(host, "'ref' must begin with refs/heads/ or refs/tags/");
  if (push.ref.empty()) return malformed(host, "'ref' names no branch or tag");
  push.is_tag = ref.substr(0, kTags.size()) == kTags;
  push.before = text_at(payload, "before");
  push.after = text_at(payload, "after");
  if (!is_commit_hash(push.after)) return malformed(host, "'after' must be a commit id");
  if (!push.before.empty() && !is_commit_hash(push.before))
    return malformed(host, "'before' must be a commit id");
  if (is_zero_hash(push.before)) push.before.clear();
  if (is_zero_hash(push.after)) return deleted(push.ref, push.is_tag);
  read_options(payload, push);
  return ForgeEvent{std::move(push)};
}

ForgeEvent deleted(const std::string& ref, bool is_tag) {
  return IgnoredEvent{"'" + ref + "' was deleted", ref, is_tag};
}

ForgeEvent other_event(std::string_view event) {
  return IgnoredEvent{"the event '" + std::string{event} + "' makes no pipeline"};
}

}  // namespace slipway::server
