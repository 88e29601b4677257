// Settings on a command line: a flag for each row of a table, and the three sources put together.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/settings.h"

namespace CLI {
class App;
}

namespace slipway::cli {

struct SettingFlags {
  std::string config_file;
  std::map<std::string, std::string> given;  // by setting name
};

// Adds --config and a flag for each row; secrets get none, since arguments are seen by everybody.
std::shared_ptr<SettingFlags> add_setting_flags(CLI::App& command, std::span<const Setting> table);

// The flags and the environment, without a file.
SettingSources sources_without_file(const SettingFlags& flags);
// As a configuration: one that cannot be read is invalid.
Result<std::string> read_settings_text(const std::string& file);

// Reads the file (`default_file` when none was named and it exists) and applies all. The origins.
Result<std::map<std::string, std::string>> load_settings(std::span<const Setting> table,
                                                         const SettingFlags& flags,
                                                         const std::string& default_file);

}  // namespace slipway::cli
