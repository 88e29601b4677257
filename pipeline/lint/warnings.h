// Warnings about what is legal and almost surely not what was meant: for `slipway lint --strict`.
//
// Pure. Few and sure: each says what GitLab will do, and how to write what was probably meant.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "pipeline/configuration.h"
#include "pipeline/read/source.h"

namespace slipway::pipeline::lint {

// The text of a file that a value stands in; "" when it is not known.
using Source = std::function<std::string_view(const std::string& file)>;

// About a file and all that it includes. In no order; a value that several jobs share is warned of
// once.
Diagnostics warnings(const ReadOutcome& read, const Source& source);

// Whether reading makes this finding for --strict only: a duplicate key.
bool is_for_strict(const Diagnostic& finding);

// The parts, each over the tree of a whole file.
void warn_of_secrets(const read::Node& tree, Diagnostics& findings);
void warn_of_images(const read::Node& tree, Diagnostics& findings);
void warn_of_globs(const read::Node& tree, Diagnostics& findings);
void warn_of_paths(const read::Node& tree, Diagnostics& findings);
void warn_of_variables(const read::Node& tree, Diagnostics& findings);
void warn_of_numbers(const read::Node& tree, const Source& source, Diagnostics& findings);
// Over what stands under `include`.
void warn_of_includes(const read::Node& include, Diagnostics& findings);
// Over the jobs.
void warn_of_rules(const Configuration& configuration, Diagnostics& findings);
void warn_of_conditions(const Configuration& configuration, Diagnostics& findings);

// Whether git lets a branch or a tag have this name, as far as its letters go.
bool is_possible_ref(std::string_view ref);

}  // namespace slipway::pipeline::lint
