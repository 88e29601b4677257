// Under which names the server has commits that no branch of the repository has: what `slipway run
// --server` sends, and what is asked to be merged from a fork. A pipeline of one has its whole ref,
// so that nothing takes it for one of the branch.
#pragma once

#include <cstdint>
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

inline constexpr std::string_view kForkRefs = "refs/slipway/forks/";

// refs/slipway/forks/<number of the merge request>/<branch>: what a stranger wrote. The ref stays
// with whatever is made of it (child pipelines, retries), and with it the trust of a fork.
inline bool is_fork_ref(std::string_view ref) {
  return ref.starts_with(kForkRefs);
}
inline std::string fork_ref(std::int64_t number, std::string_view branch) {
  return std::string{kForkRefs} + std::to_string(number) + "/" + std::string{branch};
}
// "7" of refs/slipway/forks/7/topic; "" for every other ref.
inline std::string fork_number(std::string_view ref) {
  if (!is_fork_ref(ref)) return {};
  ref.remove_prefix(kForkRefs.size());
  return std::string{ref.substr(0, ref.find('/'))};
}

// The branch that a work tree or a fork was on; "" for a ref that is a branch or tag itself.
inline std::string stored_branch(std::string_view ref) {
  if (!is_fork_ref(ref)) return run_branch(ref);
  const auto slash = ref.find('/', kForkRefs.size());
  return slash == std::string_view::npos ? std::string{} : std::string{ref.substr(slash + 1)};
}

}  // namespace slipway::server
