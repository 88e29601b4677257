#include "server/http/common.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "pipeline/lifecycle.h"
#include "server/http/json.h"
#include "server/store/counting.h"

namespace slipway::server::http {

std::optional<long long> whole_number(std::string_view text) {
  long long value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end || value < 0)
    return std::nullopt;
  return value;
}

namespace {

Result<int> in_range(const Request& request, std::string_view name, int fallback, int most) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  const auto value = whole_number(*text);
  if (!value || *value < 1 || *value > most)
    return fail(ErrorKind::InvalidInput,
                "'" + std::string{name} + "' must be a number from 1 to " + std::to_string(most));
  return static_cast<int>(*value);
}

}  // namespace

Result<std::int64_t> path_number(const Request& request, std::string_view name) {
  const auto value = whole_number(request.param(name));
  if (!value || *value == 0) return fail(ErrorKind::NotFound, "404 Not Found");
  return std::int64_t{*value};
}

Result<PageRequest> page_of(const Request& request) {
  const auto page = in_range(request, "page", 1, 1'000'000);
  if (!page) return page.error();
  const auto per_page = in_range(request, "per_page", 20, 100);
  if (!per_page) return per_page.error();
  return PageRequest{*page, *per_page};
}

Result<std::optional<long long>> query_number(const Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return std::optional<long long>{};
  const auto value = whole_number(*text);
  if (!value)
    return fail(ErrorKind::InvalidInput, "'" + std::string{name} + "' must be a whole number");
  return value;
}

const std::vector<std::string>& status_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> made;
    for (const auto status : pipeline::all_statuses()) made.emplace_back(to_string(status));
    return made;
  }();
  return words;
}

Result<std::string> query_word(const Request& request, std::string_view name,
                               const std::vector<std::string>& words) {
  const auto text = request.query_value(name).value_or("");
  if (text.empty() || std::find(words.begin(), words.end(), text) != words.end())
    return std::string{text};
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' must be one of {}", name, fmt::join(words, ", ")));
}

std::pair<std::size_t, std::size_t> page_bounds(PageRequest page, std::size_t count) {
  const auto size = static_cast<std::size_t>(page.per_page);
  const auto first = std::min(count, static_cast<std::size_t>(page.page - 1) * size);
  return {first, std::min(count, first + size)};
}

Response list_response(const nlohmann::json& items, PageRequest page, long long total) {
  auto response = json_response(200, items);
  const bool more = static_cast<long long>(page.page) * page.per_page < total;
  if (total <= kMostCounted) response.headers.set("X-Total", std::to_string(total));
  response.headers.set("X-Page", std::to_string(page.page));
  response.headers.set("X-Per-Page", std::to_string(page.per_page));
  response.headers.set("X-Next-Page", more ? std::to_string(page.page + 1) : "");
  return response;
}

void note_audit(Coordinator& coordinator, auth::AuditEntry entry) {
  coordinator.submit<void>(
      [entry = std::move(entry)](WriteTransaction& write) -> Result<void> {
        auth::audit(write.stores, write.now, entry);
        return {};
      },
      nullptr);
}

void note_audit(Coordinator& coordinator, const Call& call, std::string_view action,
                std::string object) {
  note_audit(coordinator, {call.principal.name(), std::string{action}, std::move(object), false,
                           call.request.remote});
}

std::string query_text(const Request& request, std::string_view name) {
  return std::string{request.query_value(name).value_or("")};
}

Result<PipelineRow> pipeline_of(Database& database, const Call& call) {
  const auto id = path_number(call.request, "pipeline_id");
  if (!id) return not_found("Pipeline");
  auto row = database.read()->pipelines.find(PipelineId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Pipeline");
  return *row;
}

std::string lower_ascii(std::string_view text) {
  std::string low{text};
  for (char& c : low)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return low;
}

Error not_found(std::string_view what) {
  return fail(ErrorKind::NotFound, "404 " + std::string{what} + " Not Found");
}

}  // namespace slipway::server::http
