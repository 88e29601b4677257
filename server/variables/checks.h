// What a variable of the settings may be, as GitLab has it. InvalidInput names the field, what is
// wrong with it and the way out; values are never part of it. Pure.
//
// Source: GitLab's Ci::Maskable, Ci::HasVariable and Gitlab::Regex.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "server/store/variable_store.h"

namespace slipway::server {

// `row` without its sealed value, and the value itself.
Result<void> check_variable(const VariableRow& row, std::string_view value);

}  // namespace slipway::server
