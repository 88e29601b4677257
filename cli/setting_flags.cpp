#include "cli/setting_flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "base/files.h"

namespace slipway::cli {

std::shared_ptr<SettingFlags> add_setting_flags(CLI::App& command, std::span<const Setting> table) {
  auto flags = std::make_shared<SettingFlags>();
  command.add_option("--config", flags->config_file, "file with settings, name: value lines");
  for (const Setting& row : table) {
    if (row.kind == SettingKind::Secret) continue;
    const std::string standard = row.default_value.empty() ? "" : " (" + row.default_value + ")";
    command
        .add_option_function<std::string>(
            flag_name(row),
            [flags, name = row.name](const std::string& text) { flags->given[name] = text; },
            row.help + standard)
        ->type_name("");
  }
  return flags;
}

SettingSources sources_without_file(const SettingFlags& flags) {
  SettingSources sources;
  sources.flags = flags.given;
  sources.getenv = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): at start only
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return sources;
}

Result<std::string> read_settings_text(const std::string& file) {
  auto text = read_file(file, std::size_t{1} << 20U);
  if (text) return text;
  Error error = std::move(text).error();
  error.kind = ErrorKind::InvalidInput;
  return error;
}

Result<std::map<std::string, std::string>> load_settings(std::span<const Setting> table,
                                                         const SettingFlags& flags,
                                                         const std::string& default_file) {
  SettingSources sources = sources_without_file(flags);
  sources.file_name = flags.config_file;
  if (sources.file_name.empty() && std::filesystem::exists(default_file))
    sources.file_name = default_file;
  if (!sources.file_name.empty()) {
    auto text = read_settings_text(sources.file_name);
    if (!text) return std::move(text).error();
    sources.file_text = std::move(*text);
  }
  return apply_settings(table, sources);
}

}  // namespace slipway::cli
