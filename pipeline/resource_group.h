// Resource groups: jobs of one project that name the same `resource_group` run one at a time, in
// whichever pipelines they are. Which of them is next, as a pure function.
//
// A job holds its group from the moment it is pending until it has ended; the jobs after it stay
// waiting_for_resource. The caller knows all pipelines: it asks after each change and gives the
// answer to that job's pipeline as EventKind::GrantResource. Source: GitLab's Ci::ResourceGroup.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "pipeline/lifecycle.h"

namespace slipway::pipeline {

enum class ProcessMode : std::uint8_t {
  Unordered,         // whichever has waited longest by its id
  OldestFirst,       // the oldest pipeline, even while its job is not ready yet
  NewestFirst,       // the newest pipeline, even while its job is not ready yet
  NewestReadyFirst,  // the newest pipeline of those whose job waits
};
std::string_view to_string(ProcessMode mode);  // GitLab's words: "oldest_first"
Result<ProcessMode> parse_process_mode(std::string_view text);
std::span<const ProcessMode> all_process_modes();

// A job that names the group. Older tries and ended jobs do no harm and count for nothing.
struct Claim {
  std::int64_t pipeline = 0;
  std::int64_t job = 0;
  Status status = Status::Created;
};

bool holds_resource(Status status);

// The job that gets the group now; nullopt while another one holds it, nobody waits, or the mode
// has it kept for a job that is not ready.
std::optional<std::int64_t> next_holder(ProcessMode mode, std::span<const Claim> claims);

}  // namespace slipway::pipeline
