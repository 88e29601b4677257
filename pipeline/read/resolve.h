// From the tree of a file to the tree that its jobs are read from: inputs put in, includes merged
// in, bases that `extends` names laid under, and `!reference` replaced by what it points at, in
// that order.
#pragma once

#include <string>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/read/entries.h"
#include "pipeline/read/source.h"

namespace slipway::pipeline::read {

// Deep merge: two mappings merge key by key, anything else (null too) is replaced by `over`. `work`
// counts the entries that are gone through.
NodePtr deep_merge(const NodePtr& base, const NodePtr& over, std::size_t* work = nullptr);
// The same over entries that are being made.
void merge_over(Entries& entries, const Node& over, std::size_t* work = nullptr);

// Parses `text`, puts its inputs in and merges what it includes under it, depth first: with as
// much of that as could be had. nullptr when the file itself cannot be read. `outcome` gets the
// findings, what came from outside the commit, and the includes as they are written.
NodePtr parse_with_includes(std::string_view text, const std::string& file, IncludeSource& source,
                            const ReadOptions& options, ReadOutcome& outcome);

// Each top-level mapping with `extends` merged over its bases. nullptr after an error.
NodePtr resolve_extends(const NodePtr& root, Diagnostics& findings, const Limits& limits = {});

// Every `!reference [a, b]` replaced by the value at that path. nullptr after an error.
NodePtr resolve_references(const NodePtr& root, Diagnostics& findings, const Limits& limits = {});

}  // namespace slipway::pipeline::read
