#include "base/settings.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/files.h"

namespace slipway {
namespace {

struct Found {
  std::string value;
  std::string origin;
  std::optional<SourceSpan> span;
};

const Setting* find(std::span<const Setting> table, const std::string& name) {
  const auto at = std::find_if(table.begin(), table.end(),
                               [&](const Setting& row) { return row.name == name; });
  return at == table.end() ? nullptr : &*at;
}

// yaml-cpp counts from 0; this is the only place that knows.
SourceSpan span_of(const YAML::Node& node, const std::string& file) {
  return {file, node.Mark().line + 1, node.Mark().column + 1};
}

std::string origin_of(const SourceSpan& span) {
  return span.file + ":" + std::to_string(span.line);
}

Result<std::string> text_of(const YAML::Node& node, const std::string& file,
                            const std::string& name) {
  if (node.IsScalar()) return node.Scalar();
  if (node.IsNull()) return std::string{};
  if (!node.IsSequence())
    return fail(ErrorKind::InvalidInput, "'" + name + "' must be a value or a list")
        .at(span_of(node, file));
  // A list becomes its items, one a line, as an environment variable would carry it.
  std::string joined;
  for (const auto& item : node) {
    if (!item.IsScalar())
      return fail(ErrorKind::InvalidInput, "'" + name + "' must be a list of plain values")
          .at(span_of(item, file));
    joined += (joined.empty() ? "" : "\n") + item.Scalar();
  }
  return joined;
}

// Nothing but spaces and comments. yaml-cpp also reads "," and the like as nothing.
bool is_blank(std::string_view text) {
  bool comment = false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    comment = c != '\n' && (comment || c == '#');
    return comment || std::isspace(static_cast<unsigned char>(c)) != 0;
  });
}

Result<std::map<std::string, Found>> read_settings_file(std::span<const Setting> table,
                                                        const SettingSources& sources) {
  std::map<std::string, Found> found;
  for (const auto& [name, in_file] : sources.file_values)
    found[name] = {in_file.value, origin_of(in_file.at), in_file.at};
  if (sources.file_text.empty()) return found;
  try {
    const YAML::Node root = YAML::Load(sources.file_text);
    if (root.IsNull() && is_blank(sources.file_text)) return found;
    if (!root.IsMap())
      return fail(ErrorKind::InvalidInput, "expected 'name: value' lines")
          .at({sources.file_name, 1, 1});
    for (const auto& entry : root) {
      const SourceSpan span = span_of(entry.first, sources.file_name);
      const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (find(table, name) == nullptr)
        return fail(ErrorKind::InvalidInput, "unknown setting '" + name + "'").at(span);
      auto value = text_of(entry.second, sources.file_name, name);
      if (!value) return std::move(value).error();
      found[name] = {*value, origin_of(span), span};
    }
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::InvalidInput, error.msg)
        .at({sources.file_name, error.mark.line + 1, error.mark.column + 1});
  }
  return found;
}

Result<std::optional<Found>> from_environment(const Setting& row, const Getenv& getenv) {
  const std::string variable = variable_name(row);
  if (const auto value = getenv(variable)) return std::optional{Found{*value, variable, {}}};
  if (row.kind != SettingKind::Secret) return std::optional<Found>{};
  const auto path = getenv(variable + "_FILE");
  if (!path) return std::optional<Found>{};
  auto text = read_file(*path, 1U << 16U);
  if (!text) return std::move(text).error().in(variable + "_FILE");
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return std::optional{Found{*text, variable + "_FILE", {}}};
}

std::optional<long long> parse_number(std::string_view text, std::string_view units,
                                      const std::array<long long, 5>& factors) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || end == text.data()) return std::nullopt;
  const std::string_view rest{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  if (rest.empty()) return number;
  if (rest.size() != 1) return std::nullopt;
  const auto unit = units.find(rest.front());
  long long product = 0;
  if (unit == std::string_view::npos || __builtin_mul_overflow(number, factors[unit], &product))
    return std::nullopt;
  return product;
}

}  // namespace

std::string variable_name(const Setting& setting) {
  std::string name = "SLIPWAY_" + setting.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

std::string flag_name(const Setting& setting) {
  std::string name = "--" + setting.name;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

Result<std::map<std::string, std::string>> apply_settings(std::span<const Setting> table,
                                                          const SettingSources& sources) {
  auto in_file = read_settings_file(table, sources);
  if (!in_file) return std::move(in_file).error();

  std::map<std::string, std::string> origins;
  for (const Setting& row : table) {
    Found found{row.default_value, "default", {}};
    if (const auto at = in_file->find(row.name); at != in_file->end()) found = at->second;
    auto variable = from_environment(row, sources.getenv);
    if (!variable) return std::move(variable).error();
    if (*variable) found = **variable;
    if (const auto at = sources.flags.find(row.name); at != sources.flags.end())
      found = {at->second, flag_name(row), {}};

    origins[row.name] = found.origin;
    if (found.origin == "default" && found.value.empty()) continue;
    const std::string expected = row.set(found.value);
    if (expected.empty()) continue;
    const std::string named = found.origin == "default" || found.span ? row.name : found.origin;
    Error error = fail(ErrorKind::InvalidInput, "'" + named + "' must be " + expected);
    error.span = found.span;
    return error;
  }
  return origins;
}

SettingSetter count_row(int& target, int least, int most) {
  return [&target, least, most](const std::string& text) -> std::string {
    int count = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    if (parsed.ec != std::errc{} || parsed.ptr != end || count < least || count > most)
      return "a number from " + std::to_string(least) + " to " + std::to_string(most);
    target = count;
    return {};
  };
}

std::optional<long long> parse_seconds(std::string_view text) {
  return parse_number(text, "smhd", {1, 60, 3600, 86400, 0});
}

std::optional<long long> parse_bytes(std::string_view text) {
  return parse_number(text, "kKMGT", {1LL << 10U, 1LL << 10U, 1LL << 20U, 1LL << 30U, 1LL << 40U});
}

}  // namespace slipway
