// The forms in which programs print a secret without meaning to: encoded, escaped, quoted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::runner {

// The value itself, each of its lines, its base64 (both alphabets, at each of the three places that
// it can have in a longer text), its hexadecimal digits, and as addresses, JSON and shells write
// it. Without line breaks, which a printer may set anywhere. May hold repeats and short ones.
std::vector<std::string> forms_of_secret(std::string_view value);

}  // namespace slipway::runner
