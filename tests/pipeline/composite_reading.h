// GitLab's rules for composite statuses, read a second time: section by section over words, to
// compare pipeline/composite with.
#pragma once

#include <algorithm>
#include <set>
#include <string>

namespace slipway::pipeline::test {

using Words = std::set<std::string>;

// Of statuses in GitLab's words, and "warning" (may fail, and did) and "ignored" (may fail, and
// waits for a hand).
inline std::string second_reading(const Words& set, bool dag) {
  const auto only = [&](const Words& allowed) {
    return std::includes(allowed.begin(), allowed.end(), set.begin(), set.end());
  };
  const auto any = [&](const char* word) { return set.count(word) != 0; };
  if (set.empty()) return "success";
  if (dag && (any("skipped") || any("ignored"))) return "skipped";
  if (dag && !only({"success", "failed", "canceled", "skipped", "warning"})) return "pending";
  if (only({"skipped", "ignored"})) return "skipped";
  if (only({"success", "skipped", "warning", "ignored"})) return "success";
  if (only({"created", "warning", "ignored"})) return "created";
  if (only({"preparing", "warning", "ignored"})) return "preparing";
  if (only({"canceled", "success", "skipped", "warning", "ignored"})) return "canceled";
  if (any("canceling")) return "canceling";
  if (only({"pending", "created", "skipped", "warning", "ignored"})) return "pending";
  if (any("running") || any("pending")) return "running";
  if (any("waiting_for_resource")) return "waiting_for_resource";
  if (any("manual")) return "manual";
  if (any("scheduled")) return "scheduled";
  if (any("preparing")) return "preparing";
  if (any("created")) return "running";
  return "failed";
}

}  // namespace slipway::pipeline::test
