#include "pipeline/variables.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "base/crypto.h"
#include "pipeline/work.h"

namespace slipway::pipeline {
namespace {

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// A reference in a text, or its absence: length 0.
struct Reference {
  std::string_view name;
  std::size_t length = 0;
};

// The server's forms at the beginning of `text`: $NAME, ${NAME}, %NAME%.
Reference reference_at(std::string_view text) {
  const bool braces = text.substr(0, 2) == "${";
  const bool percent = text.front() == '%';
  const std::size_t begin = braces ? 2 : 1;
  std::size_t end = begin;
  if (begin < text.size() && is_name_start(text[begin]))
    while (end < text.size() && is_name(text[end])) ++end;
  if (end == begin) return {};
  const char closing = braces ? '}' : percent ? '%' : '\0';
  if (closing != '\0' && (end == text.size() || text[end] != closing)) return {};
  return {text.substr(begin, end - begin), end + (closing == '\0' ? 0 : 1)};
}

// Calls `literal` for each stretch of plain text and `reference` for each reference.
void walk(std::string_view text, const std::function<void(std::string_view)>& literal,
          const std::function<void(std::string_view name, std::string_view written)>& reference) {
  while (!text.empty()) {
    const auto mark = std::min(text.find_first_of("$%"), text.size());
    literal(text.substr(0, mark));
    text.remove_prefix(mark);
    if (text.empty()) return;
    const std::string_view pair = text.substr(0, 2);
    if (pair == "$$" || pair == "%%") {
      literal(pair);
      text.remove_prefix(2);
      continue;
    }
    const Reference found = reference_at(text);
    if (found.length == 0) {
      literal(text.substr(0, 1));
      text.remove_prefix(1);
      continue;
    }
    reference(found.name, text.substr(0, found.length));
    text.remove_prefix(found.length);
  }
}

constexpr std::size_t kLongestValue = std::size_t{1} << 20U;
constexpr std::size_t kStepsOfOne = 200;                    // what the least value takes
constexpr std::size_t kMostOfAll = std::size_t{16} << 20U;  // values of a job's variables together

// What becomes, inside another value, of a reference to a raw or a file variable, and to one that
// there is not. What a runner expands further leaves them to it; a name is made here and is final.
// Source: GitLab's sort_and_expand_all with expand_raw_refs, expand_file_refs and keep_undefined.
enum class Inner : std::uint8_t { Left, Final, FinalUnknownEmpty };

class Expander {
 public:
  explicit Expander(const Scope& variables, Inner inner = Inner::Left)
      : variables_(variables), inner_(inner) {}

  Result<Variables> all() {
    const Variables written = variables_.flat();
    for (const Variable& variable : written) by_name_[variable.name] = &variable;
    Variables expanded = written;
    for (Variable& variable : expanded) {
      auto value = value_of(variable);
      if (!value) return std::move(value).error();
      variable.value = std::move(*value);
    }
    return expanded;
  }

  Result<std::string> value_of(const Variable& variable) {
    if (variable.raw || variable.file) return variable.value;
    if (Work::exhausted()) return fail(ErrorKind::TooLarge, Work::too_much());
    if (const auto done = done_.find(variable.name); done != done_.end()) {
      Work::spend(done->second.size());
      return done->second;
    }
    Work::spend(kStepsOfOne + variable.value.size());
    constexpr std::size_t kDeepest = 100;  // each level takes stack
    if (path_.size() == kDeepest)
      return fail(ErrorKind::InvalidInput,
                  "variable " + path_.front() + " refers to others more than 100 levels deep");
    path_.push_back(variable.name);
    std::string text;
    std::optional<Error> problem;
    walk(
        variable.value, [&](std::string_view literal) { text += literal; },
        [&](std::string_view name, std::string_view written) {
          if (problem) return;
          const Variable* other = find(name);
          if (other == nullptr && inner_ == Inner::FinalUnknownEmpty) return;
          const bool is_left = other == nullptr || other->name == variable.name ||
                               (inner_ == Inner::Left && (other->raw || other->file));
          if (is_left) {
            text += written;
            return;
          }
          if (std::find(path_.begin(), path_.end(), name) != path_.end()) {
            problem = circular(name);
            return;
          }
          auto value = value_of(*other);
          if (!value)
            problem = std::move(value).error();
          else if (text.size() + value->size() > kLongestValue)
            problem = fail(ErrorKind::TooLarge,
                           "variable " + variable.name + " expands to more than 1 MiB");
          else
            text += *value;
        });
    path_.pop_back();
    if (problem) return *problem;
    if ((all_ += text.size()) > kMostOfAll)
      return fail(ErrorKind::TooLarge, "the variables expand to more than 16 MiB together");
    Work::spend(text.size());
    done_[variable.name] = text;
    return text;
  }

 private:
  // By an index when all are expanded.
  const Variable* find(std::string_view name) const {
    if (by_name_.empty()) return variables_.find(name);
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : at->second;
  }

  Error circular(std::string_view name) const {
    std::string names;
    for (auto at = std::find(path_.begin(), path_.end(), name); at != path_.end(); ++at)
      names += (names.empty() ? "\"" : ", \"") + *at + "\"";
    return fail(ErrorKind::InvalidInput, "circular variable reference detected: [" + names + "]");
  }

  const Scope& variables_;
  const Inner inner_;
  std::unordered_map<std::string_view, const Variable*> by_name_;
  std::map<std::string, std::string> done_;
  std::vector<std::string> path_;
  std::size_t all_ = 0;
};

std::string last_segment(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}
std::string without_last_segment(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(0, slash);
}

struct UrlParts {
  std::string protocol;
  std::string host;
  std::string port;
};

UrlParts split_url(const std::string& url) {
  UrlParts parts;
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return parts;
  parts.protocol = url.substr(0, scheme);
  std::string rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string::npos && rest.find(']', colon) == std::string::npos;
  parts.host = rest.substr(0, has_port ? colon : rest.size());
  parts.port = has_port ? rest.substr(colon + 1) : parts.protocol == "https" ? "443" : "80";
  return parts;
}

// "1.2.3-dev" to its three numbers; what is missing is 0.
std::array<std::string, 3> version_parts(std::string_view version) {
  std::array<std::string, 3> parts;
  for (std::string& part : parts) {
    const auto end = std::min(version.find_first_not_of("0123456789"), version.size());
    part = end == 0 ? "0" : std::string{version.substr(0, end)};
    version.remove_prefix(end);
    if (!version.empty() && version.front() == '.') version.remove_prefix(1);
  }
  return parts;
}

void add_commit(const Trigger& trigger, Variables& out) {
  const auto add = [&](const char* name, std::string value) {
    out.push_back(Variable{.name = name, .value = std::move(value), .raw = true});
  };
  const std::string& message = trigger.commit_message;
  const auto line_end = std::min(message.find('\n'), message.size());
  // A title of that length is shown cut off, so the description repeats it.
  constexpr std::size_t kLongTitle = 100;
  auto body = message.substr(line_end >= kLongTitle ? 0 : line_end);
  body.erase(0, std::min(body.find_first_not_of("\r\n"), body.size()));
  add("CI_COMMIT_SHA", trigger.sha);
  add("CI_COMMIT_SHORT_SHA", trigger.sha.substr(0, 8));
  add("CI_COMMIT_BEFORE_SHA",
      trigger.before_sha.empty() ? std::string(40, '0') : trigger.before_sha);
  add("CI_COMMIT_REF_NAME", trigger.ref());
  add("CI_COMMIT_REF_SLUG", slug(trigger.ref()));
  add("CI_COMMIT_REF_PROTECTED", trigger.ref_protected ? "true" : "false");
  if (trigger.deploy_freeze) add("CI_DEPLOY_FREEZE", "true");
  if (!trigger.tag.empty())
    add("CI_COMMIT_TAG", trigger.tag);
  else if (trigger.source != Source::MergeRequestEvent)
    add("CI_COMMIT_BRANCH", trigger.branch);
  add("CI_COMMIT_MESSAGE", message);
  add("CI_COMMIT_TITLE", message.substr(0, line_end));
  add("CI_COMMIT_DESCRIPTION", body);
  add("CI_COMMIT_AUTHOR", trigger.commit_author);
  add("CI_COMMIT_TIMESTAMP", trigger.commit_timestamp);
}

void add_project(const ProjectFacts& project, const ServerFacts& server, Variables& out) {
  const auto add = [&](const char* name, std::string value) {
    out.push_back(Variable{.name = name, .value = std::move(value), .raw = true});
  };
  add("CI_DEFAULT_BRANCH", project.default_branch);
  add("CI_CONFIG_PATH", project.config_path);
  add("CI_PROJECT_ID", std::to_string(project.id));
  add("CI_PROJECT_NAME", last_segment(project.path));
  add("CI_PROJECT_TITLE", last_segment(project.path));
  add("CI_PROJECT_PATH", project.path);
  add("CI_PROJECT_PATH_SLUG", slug(project.path));
  add("CI_PROJECT_NAMESPACE", without_last_segment(project.path));
  add("CI_PROJECT_ROOT_NAMESPACE", project.path.substr(0, project.path.find('/')));
  add("CI_PROJECT_URL", server.url + "/" + project.path);
  add("CI_PROJECT_VISIBILITY", project.visibility);
  if (server.registry.empty()) return;
  std::string image = project.path;
  std::transform(image.begin(), image.end(), image.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  add("CI_REGISTRY", server.registry.substr(0, server.registry.find('/')));
  add("CI_REGISTRY_IMAGE", server.registry + "/" + image);
}

void add_server(const ServerFacts& server, Variables& out) {
  const auto add = [&](const char* name, std::string value) {
    out.push_back(Variable{.name = name, .value = std::move(value), .raw = true});
  };
  const UrlParts parts = split_url(server.url);
  const bool standard = (parts.protocol == "https" && parts.port == "443") ||
                        (parts.protocol == "http" && parts.port == "80");
  add("CI", "true");
  add("GITLAB_CI", "true");
  add("CI_SERVER_NAME", "Slipway");
  add("CI_SERVER_VERSION", server.version);
  const auto parts_of_version = version_parts(server.version);
  add("CI_SERVER_VERSION_MAJOR", parts_of_version[0]);
  add("CI_SERVER_VERSION_MINOR", parts_of_version[1]);
  add("CI_SERVER_VERSION_PATCH", parts_of_version[2]);
  add("CI_SERVER_URL", server.url);
  add("CI_SERVER_HOST", parts.host);
  add("CI_SERVER_PORT", parts.port);
  add("CI_SERVER_PROTOCOL", parts.protocol);
  add("CI_SERVER_FQDN", standard ? parts.host : parts.host + ":" + parts.port);
  add("CI_API_V4_URL", server.url + "/api/v4");
}

}  // namespace

std::string slug(std::string_view text) {
  std::string result;
  for (const char raw : text.substr(0, 63)) {
    const auto c = static_cast<unsigned char>(std::tolower(static_cast<unsigned char>(raw)));
    result += std::isalnum(c) != 0 && c < 0x80 ? static_cast<char>(c) : '-';
  }
  const auto begin = result.find_first_not_of('-');
  if (begin == std::string::npos) return {};
  return result.substr(begin, result.find_last_not_of('-') - begin + 1);
}

namespace {

// The last six digits of the name's SHA-256 to the base 36, as GitLab takes them: addresses made of
// a slug stay what they were.
std::string slug_suffix(std::string_view name) {
  constexpr std::uint64_t kSixDigits = 2'176'782'336;  // 36^6
  std::uint64_t rest = 0;
  for (const char digit : sha256_hex(name))
    rest = (rest * 16 + static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10)) %
           kSixDigits;
  std::string suffix(6, '0');
  for (auto at = suffix.rbegin(); at != suffix.rend(); ++at, rest /= 36)
    *at = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
  return suffix;
}

}  // namespace

std::string environment_slug(std::string_view name) {
  const bool begins_well = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0;
  std::string text{begins_well ? "" : "env-"};
  for (const char raw : name) {
    const auto c = static_cast<unsigned char>(std::tolower(static_cast<unsigned char>(raw)));
    const char kept = std::isalnum(c) != 0 && c < 0x80 ? static_cast<char>(c) : '-';
    if (kept != '-' || text.empty() || text.back() != '-') text += kept;
  }
  if (text.size() > 24 || text != name) {
    text.resize(std::min<std::size_t>(text.size(), 17));
    if (text.back() != '-') text += '-';
    text += slug_suffix(name);
  }
  while (!text.empty() && text.back() == '-') text.pop_back();
  return text;
}

bool is_environment_name(std::string_view name) {
  static constexpr std::string_view kMarks = "-_/${}. ";
  return !name.empty() && name.front() != '/' && name.back() != '/' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return (c < 0x80 && std::isalnum(c) != 0) ||
                  kMarks.find(static_cast<char>(c)) != std::string_view::npos;
         });
}

// The first tier one of whose words is anywhere in the name, as Environment#guess_tier has it.
std::string environment_tier(std::string_view name) {
  struct Tier {
    const char* name;
    std::vector<std::string_view> words;
  };
  static const std::array kTiers{
      Tier{"development", {"dev", "review", "trunk"}},
      Tier{"testing", {"test", "tst", "int", "accept", "acpt", "qa", "qc", "control", "quality"}},
      Tier{"staging", {"stg", "stag", "model", "modl", "pre", "demo", "non"}},
      Tier{"production", {"prod", "prd", "live"}},
  };
  std::string lower{name};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Tier& tier : kTiers)
    for (const std::string_view word : tier.words)
      if (lower.find(word) != std::string::npos) return tier.name;
  return "other";
}

Variables event_variables(const Trigger& trigger) {
  Variables variables;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) variables.push_back(Variable{.name = name, .value = value, .raw = true});
  };
  add("CI_COMMIT_TAG_MESSAGE", trigger.tag_message);
  if (!trigger.merge_request) return variables;
  const MergeRequestFacts& merge = *trigger.merge_request;
  const ProjectFacts& project = trigger.project;
  const std::string& source_path =
      merge.source_project_path.empty() ? project.path : merge.source_project_path;
  add("CI_MERGE_REQUEST_ID", merge.iid);
  add("CI_MERGE_REQUEST_IID", merge.iid);
  add("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/" + merge.iid + "/head");
  add("CI_MERGE_REQUEST_EVENT_TYPE", "detached");
  add("CI_MERGE_REQUEST_TITLE", merge.title);
  add("CI_MERGE_REQUEST_DESCRIPTION", merge.description);
  add("CI_MERGE_REQUEST_DRAFT", merge.draft ? "true" : "false");
  add("CI_MERGE_REQUEST_LABELS", merge.labels);
  add("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", merge.source_branch);
  add("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", merge.target_branch);
  add("CI_MERGE_REQUEST_DIFF_BASE_SHA", merge.diff_base_sha);
  add("CI_MERGE_REQUEST_PROJECT_ID", std::to_string(project.id));
  add("CI_MERGE_REQUEST_PROJECT_PATH", project.path);
  add("CI_MERGE_REQUEST_PROJECT_URL", trigger.server.url + "/" + project.path);
  add("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", source_path);
  add("CI_MERGE_REQUEST_SOURCE_PROJECT_URL", trigger.server.url + "/" + source_path);
  if (source_path == project.path)
    add("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", std::to_string(project.id));
  add("CI_OPEN_MERGE_REQUESTS", project.path + "!" + merge.iid);
  return variables;
}

Variables predefined_variables(const Trigger& trigger) {
  Variables variables;
  add_server(trigger.server, variables);
  add_project(trigger.project, trigger.server, variables);
  add_commit(trigger, variables);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) variables.push_back(Variable{.name = name, .value = value, .raw = true});
  };
  add("CI_PIPELINE_SOURCE", std::string{to_string(trigger.source)});
  if (trigger.source == Source::Trigger) add("CI_PIPELINE_TRIGGERED", "true");
  add("GITLAB_USER_LOGIN", trigger.user_login);
  add("GITLAB_USER_NAME", trigger.user_name);
  add("GITLAB_USER_EMAIL", trigger.user_email);
  for (Variable& variable : event_variables(trigger)) variables.push_back(std::move(variable));
  return variables;
}

Variables include_variables(const Trigger& trigger) {
  Variables variables = predefined_variables(trigger);
  set_variables(variables, variables_for(trigger.project_variables, ""));
  set_variables(variables, trigger.pipeline_variables);
  return variables;
}

namespace {

// Numbered jobs and the instances of a parallel one are shown as one: "test 1/3" and
// "test: [linux]" belong to "test".
std::string group_name(const std::string& name) {
  static const re2::RE2 number{R"((?s)(?:[\x08\s:]+(?:\[.*\]|\d+[\s:/\\]+\d+)){1,3}\s*\z)"};
  std::string group = name;
  re2::RE2::Replace(&group, number, "");
  constexpr const char* kBlank = " \t\r\n\f\v";
  const auto begin = group.find_first_not_of(kBlank);
  if (begin == std::string::npos) return {};
  return group.substr(begin, group.find_last_not_of(kBlank) + 1 - begin);
}

}  // namespace

Variables job_variables(const PlannedJob& planned) {
  const Job& job = planned.job;
  Variables variables;
  const auto add = [&](const char* name, std::string value) {
    variables.push_back(Variable{.name = name, .value = std::move(value), .raw = true});
  };
  add("CI_JOB_NAME", job.name);
  add("CI_JOB_NAME_SLUG", slug(job.name));
  add("CI_JOB_GROUP_NAME", group_name(job.name));
  add("CI_JOB_STAGE", job.stage);
  add("CI_NODE_TOTAL", std::to_string(job.node_total));
  if (job.node_index > 0) add("CI_NODE_INDEX", std::to_string(job.node_index));
  if (planned.when == When::Manual) add("CI_JOB_MANUAL", "true");
  if (job.environment) {
    add("CI_ENVIRONMENT_NAME", job.environment->name);
    add("CI_ENVIRONMENT_SLUG", environment_slug(job.environment->name));
    add("CI_ENVIRONMENT_ACTION", job.environment->action);
    const std::string& tier = job.environment->deployment_tier;
    add("CI_ENVIRONMENT_TIER", tier.empty() ? environment_tier(job.environment->name) : tier);
    // Not raw: it is mostly made of the others.
    if (!job.environment->url.empty())
      variables.push_back(Variable{.name = "CI_ENVIRONMENT_URL", .value = job.environment->url});
  }
  return variables;
}

Result<Variables> expand_variables(const Scope& variables) {
  return Expander{variables}.all();
}

namespace {

// `value_of` gives what stands for a variable.
template <typename ValueOf>
std::string with_values(std::string_view text, const Scope& variables, bool unknown_is_empty,
                        const ValueOf& value_of) {
  std::string expanded;
  Work::spend(text.size());
  walk(
      text, [&](std::string_view literal) { expanded += literal; },
      [&](std::string_view name, std::string_view written) {
        const Variable* variable = Work::exhausted() ? nullptr : variables.find(name);
        if (variable == nullptr) {
          if (!unknown_is_empty) expanded += written;
          return;
        }
        const std::string& value = value_of(*variable);
        Work::spend(value.size());
        if (expanded.size() + value.size() <= kLongestValue)
          expanded += value;
        else
          expanded += written;
      });
  return expanded;
}

}  // namespace

std::string expand_text(std::string_view text, const Scope& variables, bool unknown_is_empty) {
  return with_values(text, variables, unknown_is_empty,
                     [](const Variable& variable) -> const std::string& { return variable.value; });
}

std::string expand_nested(std::string_view text, const Scope& variables, bool unknown_is_empty) {
  if (text.find_first_of("$%") == std::string_view::npos) return std::string{text};
  Expander expander{variables, unknown_is_empty ? Inner::FinalUnknownEmpty : Inner::Final};
  // A long value that is named often is not copied each time.
  std::unordered_map<const Variable*, std::string> values;
  return with_values(text, variables, unknown_is_empty,
                     [&](const Variable& variable) -> const std::string& {
                       const auto [at, is_new] = values.try_emplace(&variable);
                       if (is_new)
                         at->second = expander.value_of(variable).value_or(variable.value);
                       return at->second;
                     });
}

std::string expand_on_runner(std::string_view text,
                             const std::map<std::string, std::string>& values) {
  static constexpr std::string_view kSpecial = "*#$@!?-0123456789";
  std::string expanded;
  const auto put = [&](std::string_view name) {
    if (const auto at = values.find(std::string{name}); at != values.end()) expanded += at->second;
  };
  while (!text.empty()) {
    const auto mark = std::min(text.find('$'), text.size());
    expanded += text.substr(0, mark);
    text.remove_prefix(mark);
    if (text.size() < 2) {
      expanded += text;
      return expanded;
    }
    if (text[1] == '{') {
      const auto close = text.find('}', 2);
      // Go drops a broken "${" and goes on behind it.
      const std::size_t end = close == std::string_view::npos ? 2 : close + 1;
      if (close != std::string_view::npos) put(text.substr(2, close - 2));
      text.remove_prefix(end);
    } else if (is_name_start(text[1])) {
      std::size_t end = 1;
      while (end < text.size() && is_name(text[end])) ++end;
      put(text.substr(1, end - 1));
      text.remove_prefix(end);
    } else if (kSpecial.find(text[1]) != std::string_view::npos) {
      if (text[1] == '$') expanded += '$';
      text.remove_prefix(2);
    } else {
      expanded += '$';
      text.remove_prefix(1);
    }
  }
  return expanded;
}

Result<Variables> parse_dotenv(std::string_view text) {
  constexpr std::size_t kLongest = std::size_t{5} * 1024;
  // GitLab's own limit is 20, and up to 150 where it is rented.
  constexpr std::size_t kMost = 150;
  const auto invalid = [](int line, const std::string& why) {
    return fail(ErrorKind::InvalidInput, "dotenv line " + std::to_string(line) + ": " + why);
  };
  const auto strip = [](std::string_view part) {
    const auto begin = part.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return std::string_view{};
    return part.substr(begin, part.find_last_not_of(" \t\r") - begin + 1);
  };
  if (text.size() > kLongest)
    return fail(ErrorKind::TooLarge, "a dotenv report may have 5 KiB at the most");
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  Variables variables;
  for (int line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = row.find('=');
    if (equals == std::string_view::npos) return invalid(line, "expected KEY=value");
    const std::string key{strip(row.substr(0, equals))};
    if (key.empty() || !std::all_of(key.begin(), key.end(), is_name))
      return invalid(line, "'" + key + "' is no name of a variable");
    set_variable(
        variables,
        Variable{.name = key, .value = std::string{strip(row.substr(equals + 1))}, .raw = true});
  }
  if (variables.size() > kMost)
    return fail(ErrorKind::TooLarge, "a dotenv report may hold 150 variables at the most");
  return variables;
}

}  // namespace slipway::pipeline
