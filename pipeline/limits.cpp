#include "pipeline/limits.h"

namespace slipway::pipeline {
namespace {

SettingSetter size_row(long long& target, long long least, long long most) {
  return [&target, least, most](const std::string& text) -> std::string {
    const auto bytes = parse_bytes(text);
    if (!bytes || *bytes < least || *bytes > most)
      return "a size from " + std::to_string(least) + " to " + std::to_string(most) +
             " bytes, as 4M";
    target = *bytes;
    return {};
  };
}

constexpr long long kKiB = 1LL << 10U;
constexpr long long kMiB = 1LL << 20U;

}  // namespace

// The bounds keep what stands on the stack for each level, and what is read at once, in check.
std::vector<Setting> limit_settings(Limits& limits) {
  return {
      {"pipeline_file_limit", "largest pipeline file, and largest file that one includes", "2M",
       size_row(limits.file_bytes, kKiB, static_cast<long long>(kLargestPipelineFile))},
      {"pipeline_depth_limit", "how deep values may be nested in a pipeline file", "100",
       count_row(limits.depth, 10, 500)},
      {"pipeline_value_limit",
       "most values of a pipeline file and all that it includes, counted where aliases, `extends`, "
       "references and inputs put them",
       "500000", count_row(limits.values, 1000, 5'000'000)},
      {"pipeline_jobs_limit", "most bytes of all jobs of a pipeline file together", "64M",
       size_row(limits.jobs_bytes, kMiB, 1024 * kMiB)},
      {"include_limit", "most files that a pipeline file includes, nested ones and repeats counted",
       "150", count_row(limits.includes, 0, 1000)},
      {"include_size_limit", "most bytes of all included files together", "8M",
       size_row(limits.include_bytes, kKiB, 256 * kMiB)},
  };
}

std::string too_big(const std::string& what, std::string_view setting) {
  return "The parsed YAML is too big: " + what + " (setting " + std::string{setting} + ")";
}

std::string file_too_big(const Limits& limits) {
  return too_big("the file has more than " + std::to_string(limits.file_bytes) + " bytes",
                 "pipeline_file_limit");
}

}  // namespace slipway::pipeline
