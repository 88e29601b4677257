#include "pipeline/keywords/fields.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "pipeline/keywords/vocabulary.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr int kDeepestList = 10;

// A mapping where a string was meant is nearly always `- echo "a: b"`, and a number or a boolean a
// string without quotes.
std::string hint_for_no_string(const Node& node) {
  if (node.is_scalar()) return "put it in quotes: YAML reads it as " + node.text;
  if (node.kind != Kind::Mapping || node.entries.size() != 1) return {};
  return "YAML reads a ': ' as a mapping; put the whole line in quotes: '" + node.entries[0].key +
         ": " + node.entries[0].value->text + "'";
}

bool flatten(const Node& node, int depth, std::vector<std::string>& out, const Node*& culprit) {
  if (node.kind == Kind::String) {
    out.push_back(node.text);
    return true;
  }
  culprit = &node;
  if (node.kind != Kind::Sequence || depth >= kDeepestList) return false;
  return std::all_of(node.items.begin(), node.items.end(),
                     [&](const NodePtr& item) { return flatten(*item, depth + 1, out, culprit); });
}

struct Unit {
  std::string_view name;  // its beginning is enough, as in "min", "mins", "minutes"
  double seconds;
};
constexpr Unit kUnits[] = {{"seconds", 1},    {"secs", 1},     {"s", 1},
                           {"minutes", 60},   {"mins", 60},    {"m", 60},
                           {"hours", 3600},   {"hrs", 3600},   {"h", 3600},
                           {"days", 86400},   {"d", 86400},    {"weeks", 604800},
                           {"wks", 604800},   {"w", 604800},   {"months", 2592000},
                           {"mos", 2592000},  {"mo", 2592000}, {"years", 31557600},
                           {"yrs", 31557600}, {"y", 31557600}};
constexpr std::string_view kNumbers[] = {"zero", "one",   "two",   "three", "four", "five",
                                         "six",  "seven", "eight", "nine",  "ten"};

std::optional<double> unit_seconds(std::string_view word) {
  for (const Unit& unit : kUnits)
    if (word == unit.name ||
        (unit.name.size() > 1 && word == unit.name.substr(0, unit.name.size() - 1)))
      return unit.seconds;
  return std::nullopt;
}

std::optional<std::chrono::seconds> clock_duration(std::string_view text) {
  long long total = 0;
  int groups = 0;
  while (true) {
    const auto colon = std::min(text.find(':'), text.size());
    long long group = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + colon, group);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + colon || group < 0 ||
        group > 100'000 || ++groups > 4)
      return std::nullopt;
    total = total * 60 + group;
    if (colon == text.size()) return std::chrono::seconds{total};
    text.remove_prefix(colon + 1);
  }
}

// Splits "2h20min" into numbers and words; commas and "and" do not matter.
std::vector<std::string> duration_words(std::string_view text) {
  std::vector<std::string> words;
  bool numeric = false;
  bool open = false;
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    const bool digit = std::isdigit(c) != 0 || raw == '.';
    if (digit || std::isalpha(c) != 0) {
      if (!open || digit != numeric) words.emplace_back();
      words.back() += static_cast<char>(std::tolower(c));
      numeric = digit;
      open = true;
    } else if (std::isspace(c) != 0 || raw == ',') {
      open = false;
    } else {
      return {};
    }
  }
  words.erase(std::remove(words.begin(), words.end(), "and"), words.end());
  return words;
}

std::optional<double> number_word(const std::string& word) {
  for (std::size_t i = 0; i < std::size(kNumbers); ++i)
    if (word == kNumbers[i]) return static_cast<double>(i);
  double number = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace

Place Place::attribute(const std::string& key) const {
  std::string path = path_ + " " + key;
  std::replace(path.end() - static_cast<std::ptrdiff_t>(key.size()), path.end(), '_', ' ');
  return {std::move(path), *findings_};
}

void Place::error(const SourceSpan& at, const std::string& what, std::string hint,
                  std::string code) const {
  plain_error(at, path_ + " " + what, std::move(hint), std::move(code));
}

void Place::plain_error(const SourceSpan& at, std::string what, std::string hint,
                        std::string code) const {
  findings_->push_back({Severity::Error, std::move(code), std::move(what), at, std::move(hint)});
}

void Place::warning(const SourceSpan& at, std::string code, std::string what,
                    std::string hint) const {
  findings_->push_back({Severity::Warning, std::move(code), std::move(what), at, std::move(hint)});
}

void Place::unsupported(const SourceSpan& at, const std::string& what, std::string hint) const {
  constexpr const char* kCode = "unsupported_on_slipway";
  if (!wants_hints()) return;
  for (const Diagnostic& finding : *findings_)
    if (finding.code == kCode && finding.span == at) return;
  warning(at, kCode, path_ + " " + what, std::move(hint));
}

void check_keys(const Node& node, const std::vector<std::string>& known, const Place& place,
                std::string_view also) {
  for (const Entry& entry : node.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    if (!also.empty() && entry.key == also) continue;
    const std::string near = place.wants_hints() ? nearest(entry.key, known) : "";
    place.error(entry.at, "config contains unknown keys: " + entry.key,
                near.empty() ? "" : "did you mean '" + near + "'?", "unknown_keyword");
  }
}

bool check_family(const Node& node, std::string_view family, const Place& place) {
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash");
    return false;
  }
  check_keys(node, keywords_of(family), place);
  return true;
}

void check_exclusive(const Node& node, std::string_view a, std::string_view b, const Place& place) {
  if (value_of(node, a) == nullptr || value_of(node, b) == nullptr) return;
  const Entry* first = node.find_entry(a);
  const Entry* second = node.find_entry(b);
  const bool in_order =
      std::pair{first->at.line, first->at.column} < std::pair{second->at.line, second->at.column};
  place.error((in_order ? second : first)->at,
              fmt::format("config these keys cannot be used together: {}, {}", in_order ? a : b,
                          in_order ? b : a),
              "keep one of them", "exclusive_keywords");
}

const Node* value_of(const Node& node, std::string_view key) {
  const NodePtr* value = node.find(key);
  return value == nullptr || (*value)->kind == Kind::Null ? nullptr : value->get();
}

std::optional<std::string> string_in(const Node& node, const Place& place) {
  if (node.kind == Kind::String) return node.text;
  place.error(node.at, "should be a string", hint_for_no_string(node));
  return std::nullopt;
}

std::string text_under(const Node& node, std::string_view key, const Place& place) {
  const Node* value = value_of(node, key);
  if (value == nullptr) return {};
  return string_in(*value, place.attribute(std::string{key})).value_or("");
}

std::string required_text_under(const Node& node, std::string_view key, const Place& place) {
  const Node* value = value_of(node, key);
  const Place attribute = place.attribute(std::string{key});
  if (value != nullptr && !(value->is_scalar() && value->text.empty()))
    return string_in(*value, attribute).value_or("");
  attribute.error(value == nullptr ? node.at : value->at, "can't be blank");
  return {};
}

std::optional<bool> bool_in(const Node& node, const Place& place) {
  if (node.kind == Kind::Bool) return node.text == "true";
  place.error(node.at, "should be a boolean value",
              node.kind == Kind::String ? "write true or false, without quotes" : "");
  return std::nullopt;
}

std::optional<int> integer_in(const Node& node, const Place& place) {
  int value = 0;
  const char* end = node.text.data() + node.text.size();
  if (node.kind == Kind::Integer && std::from_chars(node.text.data(), end, value).ptr == end)
    return value;
  place.error(node.at, "should be an integer");
  return std::nullopt;
}

std::optional<std::vector<std::string>> strings_in(const Node& node, const Place& place,
                                                   Single single) {
  if (single == Single::accepted && node.kind == Kind::String) return std::vector{node.text};
  const char* shape = single == Single::accepted ? "should be an array of strings or a string"
                                                 : "should be an array of strings";
  std::vector<std::string> strings;
  if (node.kind == Kind::Sequence) {
    for (const NodePtr& item : node.items) {
      // A reference leaves a list in the list.
      const Node* culprit = nullptr;
      if (flatten(*item, 1, strings, culprit)) continue;
      place.error(culprit->at, shape, hint_for_no_string(*culprit));
      return std::nullopt;
    }
    return strings;
  }
  place.error(node.at, shape,
              node.kind == Kind::String ? "write it as a list: [" + node.text + "]"
                                        : hint_for_no_string(node));
  return std::nullopt;
}

std::optional<std::vector<std::string>> nested_strings_in(const Node& node, const Place& place,
                                                          Single single) {
  std::vector<std::string> strings;
  const Node* culprit = &node;
  const bool shape =
      node.kind == Kind::Sequence || (single == Single::accepted && node.kind == Kind::String);
  if (shape && flatten(node, 0, strings, culprit)) return strings;
  place.error(culprit->at,
              single == Single::accepted
                  ? "config should be a string or a nested array of strings up to 10 levels deep"
                  : "config should be an array of strings or a nested array of strings up to 10 "
                    "levels deep",
              hint_for_no_string(*culprit));
  return std::nullopt;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return clock_duration(text);
  const auto words = duration_words(text);
  double total = 0;
  std::size_t at = 0;
  while (at < words.size()) {
    const auto number = number_word(words[at]);
    if (!number) return std::nullopt;
    double unit = 1;
    if (++at < words.size() && !number_word(words[at])) {
      const auto seconds = unit_seconds(words[at++]);
      if (!seconds) return std::nullopt;
      unit = *seconds;
    }
    total += *number * unit;
  }
  if (words.empty() || total > 1e11) return std::nullopt;
  return std::chrono::seconds{static_cast<long long>(std::llround(total))};
}

std::optional<std::chrono::seconds> duration_in(const Node& node, const Place& place) {
  if (node.kind == Kind::String)
    if (const auto duration = parse_duration(node.text)) return duration;
  place.error(node.at, "should be a duration",
              node.is_scalar() && node.kind != Kind::String
                  ? "put it in quotes, or write for example '30 minutes'"
                  : "for example '30 minutes' or '1h 30m'");
  return std::nullopt;
}

std::optional<std::chrono::seconds> delay_in(const Node& node, const Place& place) {
  const auto delay = duration_in(node, place);
  if (!delay || *delay <= std::chrono::hours{24 * 7}) return delay;
  place.error(node.at, "should not exceed the limit");
  return std::nullopt;
}

std::optional<std::string> expiry_in(const Node& node, const Place& place) {
  if (node.kind == Kind::String && node.text == "never") return node.text;
  if (!duration_in(node, place)) return std::nullopt;
  return node.text;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::optional<std::string> word_in(const Node& node, const std::vector<std::string>& words,
                                   const Place& place) {
  if (std::find(words.begin(), words.end(), node.text) != words.end() && node.is_scalar())
    return node.text;
  const std::string near = nearest(node.text, words);
  place.error(node.at, fmt::format("should be one of: {}", fmt::join(words, ", ")),
              near.empty() ? "" : "did you mean '" + near + "'?");
  return std::nullopt;
}

}  // namespace slipway::pipeline::keywords
