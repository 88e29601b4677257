// How much a pipeline file may ask for, with all that it includes, and the settings that say so.
//
// Each limit holds while a file is read, so that any bytes at all are read or refused in little
// time and memory: with the defaults in 256 MB. Who raises one gives as much more.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"

namespace slipway::pipeline {

// Beyond what any setting allows for one file: whoever fetches files may stop there with TooLarge.
constexpr std::size_t kLargestPipelineFile = std::size_t{16} << 20U;

struct Limits {
  long long file_bytes = 2LL << 20U;     // pipeline_file_limit
  int depth = 100;                       // pipeline_depth_limit
  int values = 500'000;                  // pipeline_value_limit
  long long jobs_bytes = 64LL << 20U;    // pipeline_jobs_limit
  int includes = 150;                    // include_limit
  long long include_bytes = 8LL << 20U;  // include_size_limit
};

// Rows that write into `limits`, which must outlive them; for the server's settings and for the
// command line's.
std::vector<Setting> limit_settings(Limits& limits);

// GitLab's words, what there is too much of, and the setting to change.
std::string too_big(const std::string& what, std::string_view setting);
std::string file_too_big(const Limits& limits);

}  // namespace slipway::pipeline
