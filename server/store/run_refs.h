// Under which names the server has what `slipway run --server` sends: commits of work trees, which
// no branch has. A pipeline of one has its whole ref, so that nothing takes it for one of the
// branch.
#pragma once

#include <string>
#include <string_view>

namespace slipway::server {

inline constexpr std::string_view kRunRefs = "refs/slipway/runs/";
inline constexpr std::string_view kUploadRefs = "refs/slipway/uploads/";

// refs/slipway/runs/<id>/<branch>: the branch that the work tree was on; "" for every other ref.
inline std::string run_branch(std::string_view ref) {
  if (!ref.starts_with(kRunRefs)) return {};
  const auto slash = ref.find('/', kRunRefs.size());
  return slash == std::string_view::npos ? std::string{} : std::string{ref.substr(slash + 1)};
}

}  // namespace slipway::server
