#include "runner/job_transfer.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

using nlohmann::json;

constexpr std::size_t kMost = 32;
constexpr std::size_t kMostKeys = 8;
constexpr std::size_t kLongestName = 200;

std::string shortened(const std::string& name) {
  return name.substr(0, kLongestName);
}

}  // namespace

json to_json(const JobTransfers& transfers) {
  json all = json::array();
  for (const JobTransfer& transfer : transfers) {
    if (all.size() == kMost) break;
    json keys = json::array();
    for (const std::string& key : transfer.keys)
      if (keys.size() < kMostKeys) keys.push_back(shortened(key));
    all.push_back({{"kind", transfer.kind},
                   {"name", shortened(transfer.name)},
                   {"result", transfer.result},
                   {"keys", std::move(keys)},
                   {"shared", transfer.shared},
                   {"files", transfer.files},
                   {"bytes", transfer.bytes},
                   {"moved_bytes", transfer.moved},
                   {"seconds", transfer.seconds}});
  }
  return all;
}

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

std::string size_text(long long bytes) {
  if (bytes < 1000) return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  constexpr std::array kUnits{"kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; size >= 999.95 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

}  // namespace slipway::runner
