// What the flags of `lint` and `plan` say about includes.
#pragma once

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
};

// `options` must outlive the command.
void add_include_options(CLI::App& command, IncludeOptions& options);

}  // namespace slipway::cli
