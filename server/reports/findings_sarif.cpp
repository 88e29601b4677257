#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

#include "server/reports/findings_formats.h"

namespace slipway::server {

using nlohmann::json;

namespace {

constexpr std::size_t kMostMessages = 50;  // of one rule

struct Rule {
  std::string id;
  std::string name;
  std::string description;
  std::string help;
  std::string level;
  std::string score;                            // security-severity
  std::vector<std::string> weaknesses;          // "CWE-79"
  std::map<std::string, std::string> messages;  // by id
};

// What the results of one run refer to.
struct Run {
  std::string tool;
  std::map<std::pair<std::size_t, std::size_t>, Rule> rules;  // by component and place; 0: driver
  std::unordered_map<std::string, const Rule*> by_id;         // the first of each
  std::map<std::size_t, std::string> files;
};

using Runs = std::map<std::size_t, Run>;

std::string first_of(std::initializer_list<std::string> texts) {
  const auto at = std::find_if(texts.begin(), texts.end(),
                               [](const std::string& text) { return !text.empty(); });
  return at == texts.end() ? "" : *at;
}

// Written as text by some and as a number by others.
std::string score_at(const json& properties) {
  const json& score = value_at(properties, {"security-severity"});
  if (score.is_string()) return score.get<std::string>();
  return score.is_number() ? score.dump() : "";
}

// "external/cwe/cwe-079" → "CWE-79".
std::string weakness_of(const std::string& tag) {
  constexpr std::string_view kBegin = "external/cwe/cwe-";
  if (!tag.starts_with(kBegin)) return "";
  const auto digits = std::string_view{tag}.substr(kBegin.size());
  const auto first = std::min(digits.find_first_not_of('0'), digits.size());
  return "CWE-" + std::string{digits.substr(first)};
}

// Cut here, since each of a million results may refer to one rule.
Rule rule_of(const json& value, const FindingsReportLimits& limits) {
  Rule rule;
  rule.id = clean_line(text_at(value, {"id"}), limits.name);
  rule.name =
      clean_line(first_of({text_at(value, {"shortDescription", "text"}), text_at(value, {"name"})}),
                 limits.name);
  rule.description = clean_text(text_at(value, {"fullDescription", "text"}), limits.text);
  rule.help = clean_text(text_at(value, {"help", "text"}), limits.text);
  rule.level = clean_line(text_at(value, {"defaultConfiguration", "level"}), limits.name);
  rule.score = clean_line(score_at(value_at(value, {"properties"})), limits.name);
  const json& tags = value_at(value, {"properties", "tags"});
  if (tags.is_array())
    for (const json& tag : tags)
      if (auto name = tag.is_string() ? weakness_of(tag) : "";
          !name.empty() && rule.weaknesses.size() < limits.identifiers)
        rule.weaknesses.push_back(clean_line(name, limits.name));
  const json& messages = value_at(value, {"messageStrings"});
  if (messages.is_object())
    for (const auto& [id, message] : messages.items())
      if (rule.messages.size() < kMostMessages)
        rule.messages[id] = clean_text(text_at(message, {"text"}), limits.path);
  return rule;
}

std::optional<std::size_t> index_at(const json& value,
                                    std::initializer_list<std::string_view> keys) {
  const json& found = value_at(value, keys);
  if (!found.is_number_unsigned()) return std::nullopt;
  return found.get<std::size_t>();
}

const Rule& rule_for(const json& result, const Run& run) {
  static const Rule nothing;
  const auto component = index_at(result, {"rule", "toolComponent", "index"});
  const std::size_t where = component ? *component + 1 : 0;
  auto place = index_at(result, {"ruleIndex"});
  if (!place) place = index_at(result, {"rule", "index"});
  if (place) {
    const auto at = run.rules.find({where, *place});
    return at == run.rules.end() ? nothing : at->second;
  }
  const auto id = first_of({text_at(result, {"ruleId"}), text_at(result, {"rule", "id"})});
  const auto at = run.by_id.find(id);
  return at == run.by_id.end() ? nothing : *at->second;
}

// The ranges are those that GitHub shows.
Severity severity_of_score(double score) {
  if (score >= 9) return Severity::Critical;
  if (score >= 7) return Severity::High;
  if (score >= 4) return Severity::Medium;
  return score > 0 ? Severity::Low : Severity::Info;
}

Severity severity_of(const json& result, const Rule& rule) {
  const auto score = first_of({score_at(value_at(result, {"properties"})), rule.score});
  double value = 0;
  const auto* end = score.data() + score.size();
  const auto read = std::from_chars(score.data(), end, value);
  if (!score.empty() && read.ec == std::errc{} && read.ptr == end) return severity_of_score(value);
  const auto level = first_of({text_at(result, {"level"}), rule.level, "warning"});
  if (level == "error") return Severity::High;
  if (level == "warning") return Severity::Medium;
  if (level == "note") return Severity::Low;
  return level == "none" ? Severity::Info : Severity::Unknown;
}

// "{0}" and so on become what the result has for them; "{{" stands for a brace.
std::string fill_in(const std::string& text, const json& arguments, std::size_t most) {
  std::string filled;
  for (std::size_t i = 0; i < text.size() && filled.size() <= most; ++i) {
    const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
    if ((text[i] == '{' || text[i] == '}') && doubled) {
      filled += text[i++];
      continue;
    }
    std::size_t place = 0;
    const auto* begin = text.data() + i + 1;
    const auto read = text[i] == '{' ? std::from_chars(begin, text.data() + text.size(), place)
                                     : std::from_chars_result{nullptr, std::errc::invalid_argument};
    const bool closed = read.ec == std::errc{} && read.ptr != text.data() + text.size() &&
                        *read.ptr == '}' && place < arguments.size() &&
                        arguments[place].is_string();
    if (!closed) {
      filled += text[i];
      continue;
    }
    const auto& argument = arguments[place].get_ref<const std::string&>();
    filled += argument.size() > most ? clean_text(argument, most) : argument;
    i = static_cast<std::size_t>(read.ptr - text.data());
  }
  return filled;
}

std::string message_of(const json& result, const Rule& rule, std::size_t most) {
  std::string text = text_at(result, {"message", "text"});
  if (text.empty())
    if (const auto known = rule.messages.find(text_at(result, {"message", "id"}));
        known != rule.messages.end())
      text = known->second;
  const json& arguments = value_at(result, {"message", "arguments"});
  return arguments.is_array() ? fill_in(text, arguments, most) : text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// "file:///builds/a%20b.c" → "/builds/a b.c". What is no UTF-8 then stays as it is written.
std::string path_of_uri(const std::string& uri) {
  std::string_view rest = uri;
  if (rest.starts_with("file://")) {
    rest.remove_prefix(7);
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));  // a host
  }
  std::string path;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const int high = rest[i] == '%' && i + 2 < rest.size() ? hex_digit(rest[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(rest[i + 2]) : -1;
    path += low >= 0 ? static_cast<char>(high * 16 + low) : rest[i];
    if (low >= 0) i += 2;
  }
  try {
    static_cast<void>(json(path).dump());
  } catch (const json::exception&) {
    return std::string{rest};
  }
  return path;
}

void set_place(const json& result, const Run& run, Finding& finding) {
  const json& locations = value_at(result, {"locations"});
  if (!locations.is_array() || locations.empty()) return;
  const json& physical = value_at(locations.front(), {"physicalLocation"});
  std::string uri = text_at(physical, {"artifactLocation", "uri"});
  if (uri.empty())
    if (const auto index = index_at(physical, {"artifactLocation", "index"}))
      if (const auto known = run.files.find(*index); known != run.files.end()) uri = known->second;
  finding.file = path_of_uri(uri);
  finding.line = number_at(physical, {"region", "startLine"});
  if (finding.file.empty())
    if (const json& logical = value_at(locations.front(), {"logicalLocations"});
        logical.is_array() && !logical.empty())
      finding.subject = text_at(logical.front(), {"fullyQualifiedName"});
}

// Of `fingerprints` each names the result; the last is the newest version. Partial ones count
// together with the rule and the file.
FindingIdentity identity_of(const json& result, const std::string& message) {
  FindingIdentity identity;
  const json& whole = value_at(result, {"fingerprints"});
  if (whole.is_object() && !whole.empty())
    if (const auto last = std::prev(whole.end()); last->is_string())
      identity.own = last->get<std::string>();
  const json& parts = value_at(result, {"partialFingerprints"});
  identity.detail = text_at(parts, {"primaryLocationLineHash"});
  if (identity.detail.empty() && parts.is_object())
    for (const json& part : parts)
      if (part.is_string()) identity.detail += part.get<std::string>() + "\n";
  // A message often has the line in it.
  if (identity.detail.empty())
    std::copy_if(message.begin(), message.end(), std::back_inserter(identity.detail),
                 [](char c) { return c < '0' || c > '9'; });
  return identity;
}

// What a person has dismissed in the code, and what is gone, is no finding; nor is what passed.
bool counts(const json& result) {
  const auto kind = text_at(result, {"kind"});
  if (kind == "pass" || kind == "notApplicable") return false;
  if (text_at(result, {"baselineState"}) == "absent") return false;
  const json& suppressions = value_at(result, {"suppressions"});
  if (!suppressions.is_array()) return true;
  return std::none_of(suppressions.begin(), suppressions.end(), [](const json& suppression) {
    const auto status = text_at(suppression, {"status"});
    return status.empty() || status == "accepted";
  });
}

bool add_result(const json& result, const Run& run, FindingSink& sink) {
  if (!result.is_object()) {
    sink.complain("a result that is no object is left out");
    return true;
  }
  if (!counts(result)) return true;
  const Rule& rule = rule_for(result, run);
  const std::string message = message_of(result, rule, sink.limits().text);
  const std::string id =
      first_of({text_at(result, {"ruleId"}), text_at(result, {"rule", "id"}), rule.id});
  Finding finding;
  finding.severity = severity_of(result, rule);
  finding.name = first_of({rule.name, id, message});
  finding.description = first_of({message, rule.description});
  finding.solution = rule.help;
  finding.identifiers = rule.weaknesses;
  finding.identifiers.insert(finding.identifiers.begin(), id);
  finding.scanner = run.tool;
  set_place(result, run, finding);
  const std::string subject = finding.subject;
  FindingIdentity identity = identity_of(result, message);
  identity.subject = subject;
  // One tool's fingerprint must not meet another's.
  if (!identity.own.empty()) identity.own = run.tool + "\n" + identity.own;
  return sink.add(std::move(finding), identity);
}

void put_rule(Run& run, std::pair<std::size_t, std::size_t> place, Rule rule) {
  const Rule& kept = run.rules[place] = std::move(rule);
  if (!kept.id.empty()) run.by_id.emplace(kept.id, &kept);
}

// Results may stand in front of what they refer to, so this is read first.
JsonOutcome read_runs(std::string_view text, FindingSink& sink, Runs& runs) {
  std::size_t read = 0;  // rules and files
  const auto room = [&] {
    if (++read <= sink.limits().rules) return true;
    sink.complain("rules beyond the first " + std::to_string(sink.limits().rules) +
                  " are left out");
    return false;
  };
  const std::vector<JsonPick> picks{
      {{"runs", "*", "tool", "driver", "name"},
       [&](const auto& places, const json& name) {
         if (name.is_string())
           runs[places[0]].tool = clean_line(name.get<std::string>(), sink.limits().name);
         return true;
       }},
      {{"runs", "*", "tool", "driver", "rules", "*"},
       [&](const auto& places, const json& rule) {
         if (room()) put_rule(runs[places[0]], {0, places[1]}, rule_of(rule, sink.limits()));
         return true;
       }},
      {{"runs", "*", "tool", "extensions", "*", "rules", "*"},
       [&](const auto& places, const json& rule) {
         if (room())
           put_rule(runs[places[0]], {places[1] + 1, places[2]}, rule_of(rule, sink.limits()));
         return true;
       }},
      {{"runs", "*", "artifacts", "*", "location", "uri"},
       [&](const auto& places, const json& uri) {
         if (uri.is_string() && room()) runs[places[0]].files[places[1]] = uri.get<std::string>();
         return true;
       }},
  };
  return pick_items(text, picks, item_limits(sink.limits()));
}

}  // namespace

JsonOutcome read_sarif(std::string_view text, FindingSink& sink) {
  Runs runs;
  static_cast<void>(read_runs(text, sink, runs));
  const std::vector<JsonPick> picks{
      {{"runs", "*", "results", "*"}, [&](const auto& places, const json& result) {
         return add_result(result, runs[places[0]], sink);
       }}};
  return pick_items(text, picks, item_limits(sink.limits()));
}

}  // namespace slipway::server
