// What a job brought in or stored: a cache or artifacts, as its page shows it.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::runner {

struct JobTransfer {
  std::string_view kind;  // cache_restore, cache_save, artifacts_download or artifacts_upload
  std::string name;       // a cache's key, the job that the artifacts are of, or their type
  // Of a cache to restore: hit, miss or failed; to save: stored, unchanged, empty or failed. Of
  // artifacts: done, empty or failed.
  std::string_view result = "failed";
  std::vector<std::string> keys;  // of a cache to restore: those that were tried, in their order
  bool shared = false;            // a cache on the server
  std::size_t files = 0;
  long long bytes = 0;  // of the files; of artifacts: of their archive
  long long moved = 0;  // that went over the wire or, of a cache on disk, were new there
  double seconds = 0;
};
using JobTransfers = std::vector<JobTransfer>;

// As the server takes it, of a few kilobytes at most.
nlohmann::json to_json(const JobTransfers& transfers);

double seconds_since(std::chrono::steady_clock::time_point begun);
// "2 bytes", "1.5 kB", "12.3 MB": for people.
std::string size_text(long long bytes);

}  // namespace slipway::runner
