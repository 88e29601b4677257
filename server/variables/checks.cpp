#include "server/variables/checks.h"

#include <algorithm>

namespace slipway::server {
namespace {

constexpr std::size_t kLongestKey = 255;
constexpr std::size_t kLongestScope = 255;
constexpr std::size_t kLongestDescription = 255;
constexpr std::size_t kLongestValue = 10'000;
constexpr std::size_t kShortestMasked = 8;

bool is_word(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool consists_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_word(static_cast<unsigned char>(c)) || others.find(c) != std::string_view::npos;
  });
}

Error refused(const std::string& text) {
  return fail(ErrorKind::InvalidInput, text);
}

// Continuation bytes of UTF-8 are no characters of their own.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

Result<void> check_masking(std::string_view value, bool raw) {
  const std::string cannot = "field 'value' cannot be masked: ";
  if (characters(value) < kShortestMasked)
    return refused(
        cannot + "it has " + std::to_string(characters(value)) +
        " characters, and a masked value needs 8 at least; a longer value can be masked");
  if (std::any_of(value.begin(), value.end(),
                  [](unsigned char c) { return c <= ' ' || c == 0x7F; }))
    return refused(
        cannot + "it must be one line without blanks; encode it, as in base64, or do not mask it");
  if (!raw && !consists_of(value, "+=/@:.~-"))
    return refused(cannot +
                   "while references in it are expanded it may hold only letters, digits and "
                   "_+=/@:.~-; with 'raw' set to true any characters but blanks can be masked");
  return {};
}

}  // namespace

Result<void> check_variable(const VariableRow& row, std::string_view value) {
  if (row.key.empty() || row.key.size() > kLongestKey || !consists_of(row.key, ""))
    return refused("field 'key' must be 1 to 255 letters, digits and '_'");
  if (characters(value) > kLongestValue)
    return refused(
        "field 'value' is longer than 10000 characters; put long content into a file of "
        "the repository and its key here");
  if (value.find('\0') != std::string_view::npos)
    return refused("field 'value' must not hold a NUL byte: no environment can carry it");
  if (row.environment_scope.empty() || row.environment_scope.size() > kLongestScope ||
      !consists_of(row.environment_scope, "/$.{}*- "))
    return refused(
        "field 'environment_scope' must be '*' or the name of an environment, with '*' "
        "for any text: letters, digits, blanks and -_/${}.*");
  if (!row.project_id && row.group_path.empty() && row.environment_scope != "*")
    return refused(
        "field 'environment_scope' must be '*' for a variable of the instance; set it for "
        "a group or a project");
  if (characters(row.description) > kLongestDescription)
    return refused("field 'description' is longer than 255 characters");
  if (row.hidden && !row.masked)
    return refused("a hidden variable stays masked; delete it and make it anew to show it in logs");
  if (row.masked) return check_masking(value, row.raw);
  return {};
}

}  // namespace slipway::server
