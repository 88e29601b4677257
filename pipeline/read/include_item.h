// One entry of `include`, read and checked: what kind of file it asks for, and from where.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/diagnostic.h"
#include "pipeline/job.h"
#include "pipeline/read/source.h"

namespace slipway::pipeline::read {

enum class IncludeKind : std::uint8_t { Local, Project, Remote, Template, Component };

struct IncludeItem {
  IncludeKind kind = IncludeKind::Local;
  std::string location;   // a path, a URL, the name of a template or a component's address
  std::string project;    // only with kind Project
  std::string ref;        // only with kind Project; "HEAD" when not written
  std::string integrity;  // only with kind Remote; "" when not written
  NodePtr inputs;         // a mapping, or nullptr
  SourceSpan at;          // of the location
};

// Where an entry stands: in `include`, or in the header's `spec: include`, which knows fewer kinds.
enum class IncludePlace : std::uint8_t { Body, Header };

// The files that an entry names, its variables expanded: several for a list of files of a project.
// Nothing after an error. The entry's `rules` are not looked at.
std::vector<IncludeItem> read_include_entry(const Node& entry, IncludePlace place,
                                            const Variables& variables, Diagnostics& findings);

// `text` without the values of masked variables.
std::string masked(std::string text, const Variables& variables);

}  // namespace slipway::pipeline::read
