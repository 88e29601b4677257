#include "runner/secret_forms.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cctype>

#include "base/crypto.h"

namespace slipway::runner {
namespace {

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

// The part of `value`'s base64 that does not depend on what stands around it, when `before` bytes
// precede it in a group of three.
std::string base64_core(std::string_view value, std::size_t before) {
  const std::string encoded = base64_encode(std::string(before, '\0') + std::string{value});
  const std::size_t begin = (before * 8 + 5) / 6;
  const std::size_t end = (before + value.size()) * 8 / 6;
  return end > begin ? encoded.substr(begin, end - begin) : std::string{};
}

std::string for_addresses(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

template <typename Escape>
std::string escaped(std::string_view value, const Escape& escape) {
  std::string text;
  for (const char c : value) text += escape(c);
  return text;
}

std::string percent(std::string_view value, const char* format, bool plus_for_space) {
  return escaped(value, [&](char c) {
    if (is_plain(c) || c == '~') return std::string(1, c);
    if (c == ' ' && plus_for_space) return std::string{"+"};
    return fmt::format(fmt::runtime(format), static_cast<unsigned char>(c));
  });
}

std::string json(std::string_view value, bool with_slashes) {
  return escaped(value, [&](char c) -> std::string {
    switch (c) {
      case '"': return "\\\"";
      case '\\': return "\\\\";
      case '\n': return "\\n";
      case '\r': return "\\r";
      case '\t': return "\\t";
      case '/': return with_slashes ? "\\/" : "/";
      default: break;
    }
    if (static_cast<unsigned char>(c) < ' ')
      return fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    return std::string(1, c);
  });
}

// Before each character of `special` a backslash.
std::string backslashed(std::string_view value, std::string_view special) {
  return escaped(value, [&](char c) {
    return (special.find(c) == std::string_view::npos ? "" : "\\") + std::string(1, c);
  });
}

std::string without_breaks(std::string text) {
  text.erase(
      std::remove_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }),
      text.end());
  return text;
}

void add_encoded(std::string_view value, std::vector<std::string>& forms) {
  for (std::size_t before = 0; before < 3; ++before) {
    forms.push_back(base64_core(value, before));
    forms.push_back(for_addresses(forms.back()));
  }
  for (const char* format : {"{:02x}", "{:02X}"})
    forms.push_back(escaped(value, [&](char c) {
      return fmt::format(fmt::runtime(format), static_cast<unsigned char>(c));
    }));
  for (const char* format : {"%{:02X}", "%{:02x}"})
    for (const bool plus : {false, true}) forms.push_back(percent(value, format, plus));
  for (const bool slashes : {false, true}) forms.push_back(json(value, slashes));
  // As a shell quotes: in single quotes, by `printf %q`, in double quotes.
  forms.push_back(
      escaped(value, [](char c) { return c == '\'' ? std::string{"'\\''"} : std::string(1, c); }));
  forms.push_back(backslashed(value, " !\"#$&'()*,;<>?[\\]^`{|}~"));
  forms.push_back(backslashed(value, "\"$`\\"));
}

}  // namespace

std::vector<std::string> forms_of_secret(std::string_view value) {
  std::vector<std::string> forms{std::string{value}};
  for (std::size_t begin = 0; begin < value.size();) {
    const auto end = std::min(value.find_first_of("\r\n", begin), value.size());
    if (end > begin) forms.emplace_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  add_encoded(value, forms);
  // A variable's last line break is seldom part of what is encoded.
  if (!value.empty() && value.back() == '\n')
    add_encoded(value.substr(0, value.find_last_not_of("\r\n") + 1), forms);
  for (std::string& form : forms) form = without_breaks(std::move(form));
  return forms;
}

}  // namespace slipway::runner
