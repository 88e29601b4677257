// The configuration of a gitlab-runner (config.toml), read as it stands into our settings.
//
// What it says and we do not do is named, never passed over: a person who comes from there must
// know before the first job behaves differently. Keys that have no meaning here (how often to poll,
// when a token was made) and keys that say what is the default are silent. Source: runner-protocol
// section 14, gitlab-runner's "Advanced configuration".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/settings.h"

namespace slipway::runner {

struct ForeignConfig {
  std::map<std::string, SettingInFile> settings;  // by the names of settings_table()
  std::vector<Error> unsupported;                 // each with its place
};

// `section` is the name of one [[runners]] section, "" when there must be only one. InvalidInput
// for a file that is no TOML, without or with several such sections, or with an executor that we do
// not have; each names the place.
Result<ForeignConfig> read_config_toml(const std::string& text, const std::string& file,
                                       const std::string& section);

}  // namespace slipway::runner
