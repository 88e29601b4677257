// Cuts a stream of bytes into pieces where its content says so: an insertion changes the pieces
// around it and no others.
//
// Source: FastCDC (Xia et al., USENIX ATC 2016), with one mask. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::runner {

class PieceCutter {
 public:
  static constexpr std::size_t kSmallest = std::size_t{256} << 10U;
  static constexpr std::size_t kLargest = std::size_t{4} << 20U;

  // `take` gets each piece once it is whole.
  using Take = std::function<Result<void>(std::string_view)>;
  explicit PieceCutter(Take take) : take_(std::move(take)) {}

  Result<void> feed(std::string_view bytes);
  // The last piece, which may be small.
  Result<void> finish();

 private:
  Result<void> hand_over();

  Take take_;
  std::string piece_;
  std::uint64_t hash_ = 0;
};

}  // namespace slipway::runner
