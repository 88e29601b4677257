// What the flags of `lint`, `plan` and `run` say about includes, and of how much there may be.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace slipway::cli {

struct IncludeOptions {
  std::vector<std::string> map;     // PROJECT=PLACE, as written
  std::vector<std::string> inputs;  // NAME=VALUE, as written
  bool allow_private = false;
  std::map<std::string, std::string> limits = {};  // by setting name, as written
};

// `options` must outlive the command.
void add_include_options(CLI::App& command, IncludeOptions& options);

}  // namespace slipway::cli
