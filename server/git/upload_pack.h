// One conversation of git's smart protocol, reading only: `git upload-pack --stateless-rpc` on a
// mirror, its output taken in pieces. Used by one thread at a time; may block.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/process.h"

namespace slipway::server {

// What a clone that names no branch checks out: the branch, as soon as the mirror has it.
Result<void> set_checked_out_branch(const std::filesystem::path& mirror, const std::string& branch);

class UploadPack {
 public:
  // `protocol` is the Git-Protocol header; anything but "version=N" is ignored.
  static Result<UploadPack> advertise(const std::filesystem::path& mirror,
                                      std::string_view protocol);
  // `request` is the body of the POST, not compressed.
  static Result<UploadPack> answer(const std::filesystem::path& mirror, std::string_view protocol,
                                   std::string request);

  // The next bytes, at most `max`; "" at the end. Unavailable when git failed or stood still for a
  // minute.
  Result<std::string> read(std::size_t max);

 private:
  UploadPack(ChildProcess child, std::string request);

  ChildProcess child_;
  std::string request_;
  std::size_t sent_ = 0;
};

}  // namespace slipway::server
