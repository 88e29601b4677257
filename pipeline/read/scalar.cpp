// Typing of plain scalars; source: Psych's ScalarScanner#tokenize (Ruby 3.1), rule by rule.

#include <re2/re2.h>

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

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

// Digits of base 2, 8 or 16 as decimal ones, by long multiplication.
std::string decimal(std::string_view digits, unsigned base) {
  std::vector<unsigned> result;  // the lowest first
  for (const char c : digits) {
    unsigned carry = 0;
    std::from_chars(&c, &c + 1, carry, static_cast<int>(base));
    for (unsigned& digit : result) {
      carry += digit * base;
      digit = carry % 10;
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) result.push_back(carry % 10);
  }
  std::string text;
  for (auto digit = result.rbegin(); digit != result.rend(); ++digit)
    text += static_cast<char>('0' + *digit);
  return text.empty() ? "0" : text;
}

std::string integer_text(std::string_view text) {
  constexpr std::size_t kLongest = 256;  // beyond it nobody means a number
  std::string digits = without_separators(text);
  const bool negative = digits.front() == '-';
  if (negative || digits.front() == '+') digits.erase(0, 1);
  if (digits.size() > kLongest) return std::string{text};
  unsigned base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    base = digits[1] == 'x' ? 16 : digits[1] == 'b' ? 2 : 8;
    digits.erase(0, base == 8 ? 1 : 2);
  }
  const std::string value = decimal(digits, base);
  return negative && value != "0" ? "-" + value : value;
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

// Groups of base 60: 1:30 is 5400, since Ruby takes the first group for hours however many follow,
// and a minus belongs to that group alone. With a point the result is a float.
Typed base_60(std::string_view text) {
  constexpr double kLargest = 1e12;  // keeps every sum exact
  const std::string digits = without_separators(text);
  double value = 0;
  double unit = 3600;
  for (std::string_view rest = digits;;) {
    const auto colon = std::min(rest.find(':'), rest.size());
    const std::size_t sign = !rest.empty() && rest.front() == '+' ? 1 : 0;
    double group = 0;
    std::from_chars(rest.data() + sign, rest.data() + colon, group, std::chars_format::fixed);
    if (std::fabs(group) > kLargest) return {Kind::String, std::string{text}, {}};
    value += group * unit;
    unit /= 60;
    if (colon == rest.size()) break;
    rest.remove_prefix(colon + 1);
  }
  if (text.find('.') != std::string_view::npos) return {Kind::Float, float_text(value), {}};
  return {Kind::Integer, std::to_string(static_cast<long long>(value)), {}};
}

// Whether a text that begins so may be anything but a string. Most scalars are commands and names,
// which the expressions below need not look at.
bool may_be_typed(std::string_view text) {
  constexpr std::string_view kBeginnings = "0123456789+-.:~nNtTyYoOfF";
  constexpr std::string_view kBehindPoint = "0123456789eEiInN";  // hidden jobs have other letters
  if (text.front() == '.' && text.size() > 1)
    return kBehindPoint.find(text[1]) != std::string_view::npos;
  return kBeginnings.find(text.front()) != std::string_view::npos;
}

// The words for true, false and null have five letters at the most; numbers and times begin with
// none.
bool is_long_word(std::string_view text) {
  constexpr std::size_t kLongestWord = 5;
  return text.size() > kLongestWord && text.front() >= 'A' && text.front() <= 'z';
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
  static const re2::RE2 sixties{"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}(?:\\.[0-9_]*)?"};
  static const re2::RE2 floating{R"([-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?)"};
  static const re2::RE2 integer{
      "[-+]?0[0-7_,]+|[-+]?0b[0-1_,]+|[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)|[-+]?0x[0-9a-fA-"
      "F_,]+"};
  static const re2::RE2 lone_point{R"([-+]?\.)"};

  if (text.empty()) return {Kind::Null, {}, {}};
  if (!may_be_typed(text) || is_long_word(text)) return {Kind::String, std::string{text}, {}};
  if (matches(text, null_word)) return {Kind::Null, {}, {}};
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
