// What many handlers do: numbers out of the path, pages out of the query.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "server/auth/audit.h"
#include "server/coordinator/coordinator.h"
#include "server/http/message.h"
#include "server/http/route.h"
#include "server/store/database.h"
#include "server/store/paging.h"

namespace slipway::server::http {

// Decimal digits and nothing else.
std::optional<long long> whole_number(std::string_view text);
// The number in the path; NotFound when it is none, since nothing has such an id.
Result<std::int64_t> path_number(const Request& request, std::string_view name);
// page and per_page; InvalidInput when they are out of range.
Result<PageRequest> page_of(const Request& request);
// A word of the query, one of `words`; "" when it is absent or empty.
Result<std::string> query_word(const Request& request, std::string_view name,
                               const std::vector<std::string>& words);
// A word of the query as it stands; "" when it is absent.
std::string query_text(const Request& request, std::string_view name);
// GitLab's words for the states of pipelines and jobs.
const std::vector<std::string>& status_words();
// A non-negative number of the query; nullopt when it is absent.
Result<std::optional<long long>> query_number(const Request& request, std::string_view name);

// The first of the page among `count` things, and the one behind its last.
std::pair<std::size_t, std::size_t> page_bounds(PageRequest page, std::size_t count);
// The page with X-Total, X-Page and X-Next-Page.
Response list_response(const nlohmann::json& items, PageRequest page, long long total);

// Into the audit log, after what it tells of; nobody waits for it.
void note_audit(Coordinator& coordinator, auth::AuditEntry entry);
// That the caller did it.
void note_audit(Coordinator& coordinator, const Call& call, std::string_view action,
                std::string object);

// The pipeline that the path names; NotFound unless it is one of the path's project.
Result<PipelineRow> pipeline_of(Database& database, const Call& call);

// A to Z become small; for searches that do not look at case.
std::string lower_ascii(std::string_view text);

Error not_found(std::string_view what);  // "404 Job Not Found"

}  // namespace slipway::server::http
