// Texts that are too long, cut between the characters of UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway {

// The beginning of `text`, of at most `most` bytes, with whole characters only.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

// `text` when it has at most `most` bytes, else its beginning and "…", together not more.
std::string cut_off(std::string_view text, std::size_t most);

}  // namespace slipway
