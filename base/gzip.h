// Unpacks what came compressed: git does that with its requests, runners with reports.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

// TooLarge as soon as more than `limit` bytes come out; InvalidInput for what is no gzip.
Result<std::string> gunzip(std::string_view packed, std::size_t limit);

}  // namespace slipway
