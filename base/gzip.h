// Unpacks what came compressed: git does that with its requests, runners with reports.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

// TooLarge as soon as more than `limit` bytes come out; InvalidInput for what is no gzip.
Result<std::string> gunzip(std::string_view packed, std::size_t limit);

// Unpacks piece by piece, in little memory, what may be several gzip members one after the other:
// a runner sends a report of several files as one member for each file. Used by one thread.
class GunzipStream {
 public:
  // `bytes` takes what comes out, `member_end` is called behind the last byte of each member. An
  // error of either ends the stream and is what feed() returns.
  GunzipStream(std::function<Result<void>(std::string_view)> bytes,
               std::function<Result<void>()> member_end);
  ~GunzipStream();
  GunzipStream(const GunzipStream&) = delete;
  GunzipStream& operator=(const GunzipStream&) = delete;

  // InvalidInput for what is no gzip.
  Result<void> feed(std::string_view packed);
  // InvalidInput when the last member is not whole, or none came.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway
