// The script by which a plain git server tells of pushes.
#pragma once

#include <string_view>

namespace slipway::cli {

std::string_view hook_script();

}  // namespace slipway::cli
