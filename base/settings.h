// Settings of a program: a table of rows, read from a file, the environment and flags, each value
// knowing where it came from. A flag beats the environment, which beats the file.
//
// The file is YAML, one flat mapping. An unknown key is an error with its line. Each setting NAME
// is the key `name`, the variable SLIPWAY_NAME (or SLIPWAY_NAME_FILE for secrets: the value is read
// from that file) and the flag --name (with dashes).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway {

enum class SettingKind : std::uint8_t { Plain, Secret };

struct Setting {
  std::string name;           // "data_dir"
  std::string help;           // one line, as --help and the manual show it
  std::string default_value;  // as text; "" when there is none
  // Takes the text over into the program's own struct; answers "" or what was expected instead:
  // "a number of seconds from 10 to 3600".
  std::function<std::string(const std::string&)> set;
  SettingKind kind = SettingKind::Plain;
};

// nullptr-able like getenv; passed in so that tests need no environment.
using Getenv = std::function<std::optional<std::string>(const std::string& name)>;

struct SettingInFile {
  std::string value;
  SourceSpan at;
};

struct SettingSources {
  std::string file_text;  // "" without a file
  std::string file_name;
  Getenv getenv;
  std::map<std::string, std::string> flags;  // by setting name
  // By setting name: what a file of another form says, read by whoever knows it, in place of
  // file_text.
  std::map<std::string, SettingInFile> file_values{};
};

// Applies every row. The first error wins; it names the file:line, variable or flag.
// On success, where each value came from: "default", "slipway.yml:3", "SLIPWAY_LISTEN", "--listen".
Result<std::map<std::string, std::string>> apply_settings(std::span<const Setting> table,
                                                          const SettingSources& sources);

std::string variable_name(const Setting& setting);  // "SLIPWAY_DATA_DIR"
std::string flag_name(const Setting& setting);      // "--data-dir"

// Parsers for common kinds of value. A duration is "90", "90s", "5m", "2h" or "1d"; a size is
// "64", "64k", "100M" or "2G".
std::optional<long long> parse_seconds(std::string_view text);
std::optional<long long> parse_bytes(std::string_view text);

// Setters for common rows, each writing into `target`, which must outlive the row.
using SettingSetter = std::function<std::string(const std::string&)>;
SettingSetter count_row(int& target, int least, int most);
// `parse` gives something like an optional or a Result.
template <typename T, typename Parse>
SettingSetter parsed_row(T& target, Parse parse, std::string expected) {
  return [&target, parse = std::move(parse),
          expected = std::move(expected)](const std::string& text) -> std::string {
    const auto value = parse(text);
    if (!value) return expected;
    target = *value;
    return {};
  };
}

}  // namespace slipway
