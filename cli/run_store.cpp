#include "cli/run_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "base/crypto.h"
#include "cli/include_map.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kKeptFor{30 * 24};

bool is_left_over(const fs::path& store) {
  std::error_code failed;
  const auto used = fs::last_write_time(store / "lock", failed);
  if (failed) return false;
  if (fs::file_time_type::clock::now() - used > kKeptFor) return true;
  const auto tree = read_file(store / "tree");
  return tree && !fs::exists(*tree, failed) && !failed;
}

}  // namespace

fs::path run_store_of(const fs::path& root) {
  return include_cache().parent_path() / "run" / sha256_hex(root.string()).substr(0, 16);
}

std::string run_label_of(const fs::path& store) {
  return "run-" + store.filename().string();
}

Result<UniqueFd> lock_run_store(const fs::path& store, const fs::path& root) {
  std::error_code failed;
  fs::create_directories(store, failed);
  const fs::path file = store / "lock";
  UniqueFd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd.is_open()) return errno_error("cannot make '" + file.string() + "'", errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorKind::Conflict, "another run of this work tree is under way");
  ::futimens(fd.get(), nullptr);
  if (auto noted = replace_file(store / "tree", root.string(), 0600); !noted)
    return std::move(noted).error();
  return fd;
}

void remove_old_run_stores(const fs::path& store) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{store.parent_path(), failed}) {
    const fs::path& other = entry.path();
    if (other == store || !is_left_over(other)) continue;
    const UniqueFd lock{::open((other / "lock").c_str(), O_RDWR | O_CLOEXEC)};
    if (!lock.is_open() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ignored;
    fs::remove_all(other, ignored);
  }
}

}  // namespace slipway::cli
