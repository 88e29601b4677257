// What `slipway run` says has happened: the event of its options on the commit of the work tree.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/plan.h"
#include "runner/local/snapshot.h"

namespace slipway::cli {

struct EventOptions {
  std::string event = "push";
  std::string branch;
  std::string tag;
  std::string default_branch;
  std::vector<std::string> variables;  // NAME=VALUE
  std::string secrets;                 // a file
};

// InvalidInput when the options do not fit together.
Result<pipeline::Trigger> trigger_of(const EventOptions& options, const runner::Snapshot& snapshot);

// A file of NAME=VALUE lines whose values are masked. Denied when others than its owner can read
// it; InvalidInput with the line, also for a value that is too short to be masked.
Result<pipeline::Variables> read_secrets(const std::filesystem::path& file);

// "group/name" of an address of a repository, and the address of its server; empty when it says
// neither.
struct ProjectAddress {
  std::string server;
  std::string path;
};
ProjectAddress project_address(const std::string& remote_url);

}  // namespace slipway::cli
