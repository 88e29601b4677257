// Typing of plain scalars; source: Psych's ScalarScanner#tokenize (Ruby 3.1), rule by rule.

#include <re2/re2.h>

#include <array>
#include <charconv>
#include <cmath>

#include "pipeline/read/source.h"

namespace slipway::pipeline::read {
namespace {

bool matches(std::string_view text, const re2::RE2& pattern) {
  return re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, pattern);
}

std::string without_separators(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != ',' && c != '_') digits += c;
  return digits;
}

std::string integer_text(std::string_view text) {
  std::string digits = without_separators(text);
  const bool negative = digits.front() == '-';
  if (negative || digits.front() == '+') digits.erase(0, 1);
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char mark = digits[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' ? 2 : 8;
    digits.erase(0, base == 8 ? 1 : 2);
  }
  unsigned long long value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  // Longer than 64 bits: decimal digits print as they stand, others stay as written.
  if (parsed.ec != std::errc{})
    return base == 10 ? (negative ? "-" : "") + digits : std::string{text};
  return (negative && value != 0 ? "-" : "") + std::to_string(value);
}

// As Ruby prints a float: the shortest digits that read back the same, with a point, and an
// exponent below 1e-4 and from 1e16 on.
std::string float_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::array<char, 400> buffer{};
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text{buffer.data(), end.ptr};
  if (plain) return text.find('.') == std::string::npos ? text + ".0" : text;
  const auto exponent = text.find('e');
  if (text.find('.') == std::string::npos) text.insert(exponent, ".0");
  return text;
}

Typed float_value(std::string_view text) {
  std::string digits = without_separators(text);
  if (digits.front() == '+') digits.erase(0, 1);
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return {Kind::Float, float_text(value), {}};
}

// Groups of base 60: 1:30 is 5400, since Ruby takes the first group for hours however many follow.
Typed base_60(std::string_view text) {
  std::string digits = without_separators(text);
  const bool negative = digits.front() == '-';
  if (negative || digits.front() == '+') digits.erase(0, 1);
  std::vector<long long> groups;
  for (std::string_view rest = digits;;) {
    const auto colon = std::min(rest.find(':'), rest.size());
    long long group = 0;
    std::from_chars(rest.data(), rest.data() + colon, group);
    groups.push_back(group);
    if (colon == rest.size()) break;
    rest.remove_prefix(colon + 1);
  }
  long long value = 0;
  long long unit = 3600;
  for (const long long group : groups) {
    value += group * unit;
    unit /= 60;
  }
  return {Kind::Integer, (negative ? "-" : "") + std::to_string(value), {}};
}

}  // namespace

Typed type_plain_scalar(std::string_view text) {
  static const re2::RE2 null_word{"(?i)~|null"};
  static const re2::RE2 true_word{"(?i)yes|true|on"};
  static const re2::RE2 false_word{"(?i)no|false|off"};
  static const re2::RE2 date{R"(\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d))"};
  static const re2::RE2 time{
      R"(-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?)"};
  static const re2::RE2 infinity{R"((?i)[-+]?\.inf)"};
  static const re2::RE2 not_a_number{R"((?i)\.nan)"};
  static const re2::RE2 sixties{"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}"};
  static const re2::RE2 floating{R"([-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?)"};
  static const re2::RE2 integer{
      "[-+]?0[0-7_,]+|[-+]?0b[0-1_,]+|[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)|[-+]?0[xX][0-9a-fA-"
      "F_,]+"};
  static const re2::RE2 lone_point{R"([-+]?\.)"};

  if (text.empty() || matches(text, null_word)) return {Kind::Null, {}, {}};
  if (text.find('\n') != std::string_view::npos) return {Kind::String, std::string{text}, {}};
  if (matches(text, true_word)) return {Kind::Bool, "true", {}};
  if (matches(text, false_word)) return {Kind::Bool, "false", {}};
  if (matches(text, date)) return {Kind::String, {}, "Tried to load unspecified class: Date"};
  if (matches(text, time)) return {Kind::String, {}, "Tried to load unspecified class: Time"};
  if (matches(text, infinity))
    return {Kind::Float, float_text(text.front() == '-' ? -HUGE_VAL : HUGE_VAL), {}};
  if (matches(text, not_a_number)) return {Kind::Float, "NaN", {}};
  if (text.size() > 1 && text.front() == ':') {  // a symbol, which acts as a string
    std::string_view name = text.substr(1);
    if (name.size() > 1 && (name.front() == '"' || name.front() == '\'') &&
        name.back() == name.front())
      name = name.substr(1, name.size() - 2);
    return {Kind::String, std::string{name}, {}};
  }
  if (matches(text, sixties)) return base_60(text);
  if (matches(text, floating) && !matches(text, lone_point)) return float_value(text);
  if (matches(text, integer)) return {Kind::Integer, integer_text(text), {}};
  return {Kind::String, std::string{text}, {}};
}

}  // namespace slipway::pipeline::read
