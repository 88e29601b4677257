#include "server/outbox/forge_status.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "base/http_client.h"
#include "base/public_fetch.h"
#include "server/store/run_refs.h"

namespace slipway::server {

using nlohmann::json;

namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

bool begins_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

std::string origin_of(const std::string& url) {
  return url.substr(0, url.find('/', url.find("://") + 3));
}

std::string_view word_of(std::string_view status) {
  if (status == "success") return "has passed";
  if (status == "failed") return "has failed";
  if (status == "canceled") return "was canceled";
  if (status == "skipped") return "was skipped";
  if (status == "running") return "is running";
  if (status == "manual") return "waits for a hand";
  return "is pending";
}

std::string description_of(const PipelineRow& row, std::string_view status,
                           const std::string& reason) {
  std::string text =
      row.id ? fmt::format("Pipeline {} {}", row.iid, word_of(status)) : "There is no pipeline";
  return reason.empty() ? text + "." : text + ": " + reason;
}

}  // namespace

std::string why_no_forge_api(std::string_view url, bool allow_private) {
  if (!begins_with(url, kHttps) && !(allow_private && begins_with(url, kHttp)))
    return "must begin with https://";
  const std::string_view rest = url.substr(url.find("://") + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (url.size() > 512 || authority.empty()) return "must be an address with a host";
  if (authority.find('@') != std::string_view::npos) return "must not hold a user or a password";
  for (const unsigned char c : url)
    if (c <= ' ' || c >= 0x7F || c == '?' || c == '#' || c == '\\')
      return "must be an address without blanks, queries and fragments";
  return {};
}

ForgeStatusTarget::ForgeStatusTarget(Database& database, const Clock& clock, const Keyring& keys,
                                     ForgeStatusOptions options)
    : database_(database), clock_(clock), keys_(keys), options_(std::move(options)) {}

std::string ForgeStatusTarget::seal_token(std::string_view token) const {
  return keys_.seal(token, kForgeTokenContext);
}

Result<std::string> ForgeStatusTarget::api_of(const ProjectRow& project) const {
  const auto kind = forge_named(project.forge);
  if (!kind) return fail(ErrorKind::InvalidInput, "'" + project.forge + "' is no git host");
  auto api = forge_api(*kind, project.forge_api_url, project.repository_url);
  if (!api) return api;
  if (const auto why = why_no_forge_api(*api, options_.allow_private); !why.empty())
    return fail(ErrorKind::InvalidInput, "field 'forge_api_url' " + why);
  return api;
}

Result<RepositoryPage> ForgeStatusTarget::repositories(ForgeKind kind, const std::string& api_url,
                                                       const std::string& token,
                                                       const std::string& search, int page) const {
  constexpr std::size_t kLongestList = std::size_t{8} << 20U;
  const auto api = service_api(kind, api_url);
  if (!api) return api.error();
  if (const auto why = why_no_forge_api(*api, options_.allow_private); !why.empty())
    return fail(ErrorKind::InvalidInput, "field 'forge_api_url' " + why);
  ListCall call = list_call(kind, *api, token, search, page);
  HttpRequest request;
  request.headers = std::move(call.headers);
  PublicFetchOptions how;
  how.allow_private = options_.allow_private;
  how.deadline = options_.deadline;
  how.limit = kLongestList;
  const auto answer = send_public(call.url, std::move(request), how);
  if (!answer)
    return fail(
        answer.error().kind == ErrorKind::Denied ? ErrorKind::InvalidInput : answer.error().kind,
        origin_of(*api) + " could not be asked because of " + answer.error().message);
  return list_answer(kind, answer->status, answer->body);
}

// The pipeline, or for a commit that has none by its file's rules what would be one. nullopt when
// it is gone, or an older one, whose word must not hide that of the newer.
std::optional<PipelineRow> ForgeStatusTarget::told_of(const json& payload) const {
  auto read = database_.read();
  if (payload.contains("pipeline_id")) {
    auto row = read->pipelines.find(PipelineId{payload.value("pipeline_id", std::int64_t{0})});
    if (row && read->pipelines.has_successor(*row)) return std::nullopt;
    return row;
  }
  PipelineRow row;
  row.project_id = ProjectId{payload.value("project_id", std::int64_t{0})};
  row.sha = payload.value("sha", "");
  row.ref = payload.value("ref", "");
  row.source = payload.value("source", "");
  if (read->pipelines.has_successor(row)) return std::nullopt;
  return row;
}

Result<void> ForgeStatusTarget::deliver(const EffectRow& effect) {
  const json payload = json::parse(effect.payload, nullptr, false);
  if (!payload.is_object()) return fail(ErrorKind::InvalidInput, "the effect is no JSON object");
  const std::string status = payload.value("status", "");
  const auto pipeline = told_of(payload);
  if (!pipeline) return {};
  const auto project = database_.read()->projects.find(pipeline->project_id);
  const auto kind = project ? forge_named(project->forge) : std::nullopt;
  if (!kind) return {};  // nobody wants to know any more
  if (project->forge_token.empty())
    return fail(ErrorKind::Unavailable, "the project has no forge_token");
  const auto token = keys_.open(project->forge_token, kForgeTokenContext);
  if (!token) return fail(ErrorKind::InvalidInput, "the project's forge_token cannot be opened");
  const auto api = api_of(*project);
  if (!api) return api.error();

  CommitStatus told;
  told.sha = pipeline->sha;
  if (!is_fork_ref(pipeline->ref)) told.ref = pipeline->ref;
  const std::string gate = payload.value("gate", "");
  const std::string reason = payload.value("reason", "");
  told.context = "slipway/" + (gate.empty() ? pipeline->source : gate);
  told.status = status;
  told.description = gate.empty() ? description_of(*pipeline, status, reason) : reason + ".";
  told.target_url = fmt::format("{}/{}/-/pipelines", options_.external_url, project->path);
  if (pipeline->id) told.target_url += fmt::format("/{}", pipeline->id.value);
  std::string repository = repository_path(project->repository_url);
  if (repository.empty()) repository = project->path;
  return send(*kind, *api, status_call(*kind, *api, repository, *token, told));
}

Result<void> ForgeStatusTarget::send(ForgeKind kind, const std::string& api,
                                     const StatusCall& call) {
  const std::string host = origin_of(api);
  Breaker& breaker = breakers_[host];
  if (clock_.steady() < breaker.open_until)
    return fail(ErrorKind::Unavailable, host + " is left alone: it failed " +
                                            std::to_string(options_.failures) + " times in a row");
  HttpRequest request;
  request.method = "POST";
  request.headers = call.headers;
  request.body = call.body;
  PublicFetchOptions how;
  how.allow_private = options_.allow_private;
  how.deadline = options_.deadline;
  const auto answer = send_public(call.url, std::move(request), how);
  const bool host_failed = answer ? answer->status >= 500 || answer->status == 429
                                  : answer.error().kind == ErrorKind::Unavailable;
  if (!host_failed)
    breaker.failures = 0;
  else if (++breaker.failures >= options_.failures)
    breaker = {options_.failures - 1, clock_.steady() + options_.rest};  // then one try decides
  if (!answer)
    return fail(answer.error().kind,
                host + " could not be told because of " + answer.error().message);
  return status_answer(kind, answer->status, answer->body);
}

}  // namespace slipway::server
