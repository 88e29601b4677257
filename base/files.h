// The few things that are done to files everywhere: whole reads with a limit, durable replaces,
// owned descriptors.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway {

// Owns one file descriptor; -1 is "none". Closing ignores errors: use fsync first where it matters.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// NotFound when there is no such file, TooLarge when it is longer than `limit` bytes.
Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t limit = std::size_t{64} << 20U);

enum class Durable : bool { no, yes };

// Writes beside the target and renames, so readers see the old or the new text and never a part.
// With Durable::yes the file and its directory are synced before it returns. `mode` is exact.
// Empties a directory, which is made when it is not there. The plain files named in `kept` stay and
// are cut to nothing: to a journaling file system, making and removing files is dear.
Result<void> empty_directory(const std::filesystem::path& directory,
                             const std::vector<std::string>& kept = {});

// Overwrites in place, without durability; never through a link.
Result<void> overwrite_file(const std::filesystem::path& path, std::string_view text,
                            unsigned mode);

Result<void> replace_file(const std::filesystem::path& path, std::string_view text,
                          unsigned mode = 0644, Durable durable = Durable::no);

// Writes all of `data` to `fd`, through short writes and EINTR.
Result<void> write_all(int fd, std::string_view data);

// "disk is full" and the like: errno's text behind what was attempted.
Error errno_error(std::string_view attempted, int code);

}  // namespace slipway
