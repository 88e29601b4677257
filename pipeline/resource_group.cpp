#include "pipeline/resource_group.h"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>

namespace slipway::pipeline {
namespace {

constexpr std::array kModes{ProcessMode::Unordered, ProcessMode::OldestFirst,
                            ProcessMode::NewestFirst, ProcessMode::NewestReadyFirst};

// Will want the group without anybody's doing, though not yet.
bool is_upcoming(Status status) {
  return status == Status::Created || status == Status::Scheduled;
}

// What comes first is less.
auto rank(ProcessMode mode, const Claim& claim) {
  const bool upcoming = is_upcoming(claim.status);
  switch (mode) {
    case ProcessMode::Unordered: return std::tuple{std::int64_t{0}, upcoming, claim.job};
    case ProcessMode::OldestFirst: return std::tuple{claim.pipeline, upcoming, claim.job};
    case ProcessMode::NewestFirst:
    case ProcessMode::NewestReadyFirst: break;
  }
  return std::tuple{-claim.pipeline, upcoming, claim.job};
}

}  // namespace

std::string_view to_string(ProcessMode mode) {
  switch (mode) {
    case ProcessMode::Unordered: return "unordered";
    case ProcessMode::OldestFirst: return "oldest_first";
    case ProcessMode::NewestFirst: return "newest_first";
    case ProcessMode::NewestReadyFirst: return "newest_ready_first";
  }
  return "unordered";
}

Result<ProcessMode> parse_process_mode(std::string_view text) {
  for (const ProcessMode mode : kModes)
    if (to_string(mode) == text) return mode;
  return fail(ErrorKind::InvalidInput, "'" + std::string{text} + "' is no process mode");
}

std::span<const ProcessMode> all_process_modes() {
  return kModes;
}

bool holds_resource(Status status) {
  return status == Status::Preparing || status == Status::Pending || status == Status::Running ||
         status == Status::Canceling;
}

std::optional<std::int64_t> next_holder(ProcessMode mode, std::span<const Claim> claims) {
  const bool keeps_for_upcoming =
      mode == ProcessMode::OldestFirst || mode == ProcessMode::NewestFirst;
  const Claim* first = nullptr;
  for (const Claim& claim : claims) {
    if (holds_resource(claim.status)) return std::nullopt;
    const bool counts = claim.status == Status::WaitingForResource ||
                        (keeps_for_upcoming && is_upcoming(claim.status));
    if (counts && (first == nullptr || rank(mode, claim) < rank(mode, *first))) first = &claim;
  }
  if (first == nullptr || first->status != Status::WaitingForResource) return std::nullopt;
  return first->job;
}

}  // namespace slipway::pipeline
