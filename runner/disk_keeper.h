// Keeps the runner's disk from filling up: what was used longest ago goes first, of what the runner
// itself has stored for later jobs. What others put on the disk is never touched.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <vector>

#include "runner/config.h"
#include "runner/kept_thing.h"

namespace slipway::runner {

struct DiskLimits {
  long long budget = 0;             // most bytes of everything that is kept; 0 is no limit
  long long min_free = 0;           // bytes that are to be free on each disk
  std::chrono::seconds max_age{0};  // unused for longer, it goes; 0 is no limit
};

// Which of `things` are to go, by their places in the list, used longest ago first. `free_at` says
// how many bytes are free where a directory lies. Decides only.
std::vector<std::size_t> what_goes(
    const std::vector<KeptThing>& things, const DiskLimits& limits,
    const std::function<long long(const std::filesystem::path&)>& free_at,
    std::filesystem::file_time_type now);

struct DiskFacts {
  long long kept = 0;     // bytes, after the sweep
  long long removed = 0;  // bytes
};

// Looks at everything once and removes what is to go. Jobs may run meanwhile: what they use stays.
DiskFacts sweep_disk(const RunnerSettings& settings);

// Sweeps at once, then now and then, and soon when little is free, until told to stop. `told` gets
// each sweep's facts on the calling thread.
void keep_disk(const RunnerSettings& settings, const std::stop_token& stop,
               const std::function<void(const DiskFacts&)>& told,
               std::chrono::milliseconds between_looks = std::chrono::seconds{15});

}  // namespace slipway::runner
