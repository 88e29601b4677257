// GitLab's way of naming the place of a mistake in its messages.
//
// GitLab has two kinds of keyword. An entry has a place of its own and calls its value "config":
// "jobs:test:stage config should be a string". An attribute belongs to the entry that holds it and
// is named in words: "jobs:test start in should be a duration". People search for these texts.
#pragma once

#include <string>

namespace slipway::pipeline::keywords {

// The message that `what` is wrong with the value at `path`; a text that names its subject already
// ("config contains unknown keys: x") follows the path as it is.
std::string worded(const std::string& path, const std::string& what);

}  // namespace slipway::pipeline::keywords
