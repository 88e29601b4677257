// The three formats in which scanners report: GitLab's security reports (schema versions 14 and
// 15), Code Climate's issues, and SARIF 2.1.0. Each reads the text of one file.
#pragma once

#include <string_view>

#include "server/reports/finding_sink.h"
#include "server/reports/json_items.h"

namespace slipway::server {

enum class FindingsFormat : std::uint8_t { None, CodeClimate, Gitlab, Sarif };

// What `text` shows to be as far as it goes.
FindingsFormat format_of(std::string_view text, const FindingsReportLimits& limits);

// What ends the reading early is in the outcome; all else is told to the sink.
JsonOutcome read_code_climate(std::string_view text, FindingSink& sink);
JsonOutcome read_gitlab_findings(std::string_view text, FindingSink& sink);
JsonOutcome read_sarif(std::string_view text, FindingSink& sink);

JsonItemLimits item_limits(const FindingsReportLimits& limits);
// The text under these keys; "" when there is none.
std::string text_at(const nlohmann::json& value, std::initializer_list<std::string_view> keys);
// The whole number under these keys; 0 when there is none.
long long number_at(const nlohmann::json& value, std::initializer_list<std::string_view> keys);
// The value under these keys; null when there is none.
const nlohmann::json& value_at(const nlohmann::json& value,
                               std::initializer_list<std::string_view> keys);

}  // namespace slipway::server
