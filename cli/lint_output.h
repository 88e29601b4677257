// The forms in which findings leave the program: for people, for scripts (JSON), for code scanning
// (SARIF 2.1.0) and for GitHub's workflow log.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "pipeline/diagnostic.h"

namespace slipway::cli {

enum class Form : std::uint8_t { Text, Json, Sarif, Github };

// The text of a file that a finding names; "" when it is not known.
using SourceText = std::function<std::string_view(const std::string& file)>;

// Colours for standard output, where it is a terminal and NO_COLOR is not set.
pipeline::Paint terminal_paint();

std::string findings_as_text(const pipeline::Diagnostics& findings, const SourceText& source,
                             const pipeline::Paint& paint = {});
// [{"severity","code","message","file","line","column","hint"}]
nlohmann::json findings_json(const pipeline::Diagnostics& findings);
// As JSON that is text, with bytes that are no UTF-8 replaced.
std::string dumped(const nlohmann::json& value);
// {"valid":bool,"findings":[{"severity","code","message","file","line","column","hint"}]}; line and
// column count from 1, 0 where a finding is about the file as a whole.
std::string findings_as_json(const pipeline::Diagnostics& findings);
std::string findings_as_sarif(const pipeline::Diagnostics& findings);
// One `::error file=…,line=…,col=…::message` a line.
std::string findings_as_github(const pipeline::Diagnostics& findings);

}  // namespace slipway::cli
