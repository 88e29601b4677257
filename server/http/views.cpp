#include "server/http/views.h"
#include "server/http/json.h"

#include "server/intake/found_push.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "pipeline/lifecycle.h"
#include "server/http/job_transfers.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr int kTrendPoints = 12;
constexpr UnixMillis kOnlineFor = UnixMillis{3} * 60'000;
constexpr UnixMillis kStaleAfter = UnixMillis{7} * 24 * 3600'000;

json seconds_between(std::optional<UnixMillis> from, std::optional<UnixMillis> to) {
  if (!from || !to) return nullptr;
  return static_cast<double>(std::max<UnixMillis>(0, *to - *from)) / 1000.0;
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

template <typename T>
json value_or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json reason(const std::string& code, const std::string& text) {
  return {{"code", code.empty() ? "none" : code}, {"text", text}};
}

json commit(const PipelineRow& row) {
  return {{"id", row.sha},
          {"short_id", row.sha.substr(0, 8)},
          {"title", row.commit_title},
          {"message", row.commit_message},
          {"author_name", row.author_name},
          {"author_email", row.author_email},
          {"created_at", time_or_null(row.committed_at)}};
}

// "https://user:secret@host/x" → "https://host/x".
std::string without_credentials(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const auto host = scheme + 3;
  const auto at = url.rfind('@', url.find('/', host));
  if (at == std::string::npos || at < host) return url;
  return url.substr(0, host) + url.substr(at + 1);
}

}  // namespace

std::string_view contact_status(std::optional<UnixMillis> contacted_at, UnixMillis now) {
  if (!contacted_at) return "never_contacted";
  if (now - *contacted_at <= kOnlineFor) return "online";
  return now - *contacted_at > kStaleAfter ? "stale" : "offline";
}

bool is_online(const RunnerRow& row, UnixMillis now) {
  return contact_status(row.contacted_at, now) == "online";
}

json user_view(const UserRow& row) {
  return {{"id", row.id.value},
          {"username", row.username},
          {"name", row.name.empty() ? row.username : row.name},
          {"state", row.disabled ? "blocked" : "active"},
          {"bot", row.bot_of.has_value()},
          {"is_admin", row.is_admin}};
}

json token_view(const TokenRow& row) {
  return {{"id", row.id.value},
          {"name", row.name},
          {"scopes", row.scopes},
          {"created_at", to_rfc3339(row.created_at)},
          {"expires_at", time_or_null(row.expires_at)},
          {"last_used_at", time_or_null(row.last_used_at)},
          {"revoked", row.revoked_at.has_value()},
          {"user_id", row.user_id.value}};
}

json left_out_view(const std::vector<LeftOutRow>& rows) {
  auto list = json::array();
  for (const LeftOutRow& job : rows)
    list.push_back({{"name", job.name},
                    {"stage", job.stage},
                    {"reason", reason(job.reason_code, job.reason_text)},
                    {"file", job.file},
                    {"line", job.line}});
  return list;
}

json finding_view(const FindingRow& row) {
  return {{"severity", row.severity}, {"code", row.code}, {"message", row.message},
          {"file", row.file},         {"line", row.line}, {"column", row.column},
          {"hint", row.hint}};
}

json delivery_view(const DeliveryRow& row) {
  const auto headers = json::parse(row.headers, nullptr, false);
  const auto by = is_found(row) && headers.is_object() ? headers.find("found_by") : headers.end();
  return {{"id", row.id.value},
          {"found_by", by != headers.end() ? *by : json(nullptr)},
          {"delivery_id", row.delivery_key},
          {"event", row.event},
          {"verdict", row.verdict},
          {"reason", row.reason},
          {"received_at", to_rfc3339(row.received_at)},
          {"pipeline_id", row.pipeline_id ? json(row.pipeline_id->value) : json(nullptr)}};
}

json coverage_view(const CoveragePoint& point) {
  return {{"pipeline_id", point.pipeline_id.value},
          {"pipeline_iid", point.iid},
          {"ref", point.ref},
          {"sha", point.sha},
          {"coverage", point.coverage},
          {"created_at", to_rfc3339(point.created_at)}};
}

json trend_view(const TrendPoint& point) {
  return {{"id", point.pipeline_id.value},
          {"iid", point.iid},
          {"status", point.status},
          {"by", point.username.empty() ? point.author_name : point.username},
          {"created_at", to_rfc3339(point.created_at)},
          {"duration", seconds_between(point.started_at, point.finished_at)}};
}

std::string Views::project_url(ProjectId id) const {
  const auto row = stores_.projects.find(id);
  return std::string{url_} + "/" + (row ? row->path : "");
}

json Views::project(const ProjectRow& row) const {
  const auto url = std::string{url_} + "/" + row.path;
  const auto last = stores_.pipelines.newest(row.id, row.default_branch);
  auto trend = json::array();
  for (const auto& point : stores_.pipelines.trend(row.id, row.default_branch, kTrendPoints))
    trend.push_back(trend_view(point));
  const auto name = row.path.substr(row.path.rfind('/') + 1);
  return {{"id", row.id.value},
          {"name", name},
          {"path", name},
          {"path_with_namespace", row.path},
          {"default_branch", row.default_branch},
          {"visibility", row.visibility},
          {"public_jobs", row.public_jobs},
          {"web_url", url},
          {"http_url_to_repo", url + ".git"},
          {"repository_url", without_credentials(row.repository_url)},
          {"ci_config_path", row.ci_config_path},
          {"keep_latest_artifact", row.keep_latest_artifact},
          {"webhook_url", std::string{url_} + "/hooks/" + row.path},
          {"forge", row.forge},
          {"forge_api_url", row.forge_api_url},
          {"forge_token_set", !row.forge_token.empty()},
          {"fork_pipelines", row.fork_pipelines},
          {"fork_trusted_authors", row.fork_trusted_authors},
          {"fork_approval_level", row.fork_approval_level},
          {"poll_interval", row.poll_interval},
          {"findings_gate", row.findings_gate},
          {"created_at", to_rfc3339(row.created_at)},
          {"last_pipeline", last ? pipeline(*last) : json(nullptr)},
          {"trend", std::move(trend)}};
}

json Views::user(std::optional<UserId> id) const {
  if (!id) return nullptr;
  const auto row = stores_.users.find(*id);
  return row ? user_view(*row) : json(nullptr);
}

json Views::stages(const PipelineRow& row) const {
  pipeline::PipelineState state;
  std::vector<std::pair<std::string, int>> names;
  for (const StageState& known : stores_.jobs.stage_states(row.id)) {
    pipeline::JobNode node;
    node.stage_index = known.stage_index;
    node.status = pipeline::parse_status(known.status).value_or(pipeline::Status::Created);
    node.allow_failure.always = known.allow_failure;
    state.jobs.push_back(std::move(node));
    if (names.empty() || names.back().second != known.stage_index)
      names.emplace_back(known.stage, known.stage_index);
  }
  json list = json::array();
  for (const auto& [name, index] : names)
    list.push_back({{"name", name},
                    {"status", pipeline::to_string(pipeline::stage_status(state, index).status)}});
  return list;
}

namespace {

json merge_request(const PipelineRow& row) {
  return row.merge_request.empty() ? json(nullptr) : json::parse(row.merge_request);
}

}  // namespace

json Views::pipeline(const PipelineRow& row) const {
  const auto coverage = row.coverage ? json(fmt::format("{:.2f}", *row.coverage)) : json(nullptr);
  return {{"id", row.id.value},
          {"iid", row.iid},
          {"project_id", row.project_id.value},
          {"status", row.status},
          {"ref", row.ref},
          {"tag", row.tag},
          {"sha", row.sha},
          {"before_sha", row.before_sha},
          {"source", row.source},
          {"merge_request", merge_request(row)},
          {"name", text_or_null(row.name)},
          {"web_url", project_url(row.project_id) + "/-/pipelines/" + std::to_string(row.id.value)},
          {"created_at", to_rfc3339(row.created_at)},
          {"updated_at", to_rfc3339(row.updated_at)},
          {"started_at", time_or_null(row.started_at)},
          {"finished_at", time_or_null(row.finished_at)},
          {"duration", seconds_between(row.started_at, row.finished_at)},
          {"queued_duration", seconds_between(row.created_at, row.started_at)},
          {"coverage", coverage},
          {"findings_gate",
           {{"state", row.findings_gate.empty() ? "none" : row.findings_gate},
            {"text", row.findings_gate_text}}},
          {"reason", reason(row.reason_code, row.reason_text)},
          {"commit", commit(row)},
          {"user", user(row.user_id)},
          {"stages", stages(row)}};
}

// A pipeline beside a job of another one.
json Views::linked_pipeline(const PipelineRow& row) const {
  const auto project = stores_.projects.find(row.project_id);
  const std::string path = project ? project->path : "";
  return {
      {"id", row.id.value},
      {"iid", row.iid},
      {"project_id", row.project_id.value},
      {"project_path", path},
      {"status", row.status},
      {"ref", row.ref},
      {"sha", row.sha},
      {"source", row.source},
      {"web_url", std::string{url_} + "/" + path + "/-/pipelines/" + std::to_string(row.id.value)},
      {"created_at", to_rfc3339(row.created_at)},
      {"updated_at", to_rfc3339(row.updated_at)}};
}

json Views::downstream(JobId bridge) const {
  const auto link = stores_.bridges.find(bridge);
  const auto row = link ? stores_.pipelines.find(link->pipeline_id) : std::nullopt;
  return row ? linked_pipeline(*row) : json(nullptr);
}

json Views::upstream(PipelineId id) const {
  const auto link = stores_.bridges.source_of(id);
  const auto row = link ? stores_.pipelines.find(link->upstream_id) : std::nullopt;
  const auto bridge = link ? stores_.jobs.find(link->job_id) : std::nullopt;
  if (!row || !bridge) return nullptr;
  auto view = linked_pipeline(*row);
  view["job"] = {{"id", bridge->id.value}, {"name", bridge->name}};
  return view;
}

json Views::pipeline_detail(const PipelineRow& row) const {
  auto view = pipeline(row);
  view["upstream_pipeline"] = upstream(row.id);
  const auto details = stores_.pipelines.details(row.id);
  auto findings = json::array();
  for (const auto& finding : details.findings) findings.push_back(finding_view(finding));
  view["left_out"] = left_out_view(details.left_out);
  view["diagnostics"] = std::move(findings);
  return view;
}

void Views::add_artifacts(json& view, JobId id) const {
  auto list = json::array();
  std::optional<UnixMillis> expire_at;
  json removed;
  if (const auto noted = stores_.artifacts.removed_of(id))
    removed = {{"reason", noted->reason},
               {"removed_at", to_rfc3339(noted->removed_at)},
               {"removed_by", text_or_null(noted->removed_by)}};
  for (const auto& row : stores_.artifacts.of_job(id)) {
    const bool expired = row.expire_at && *row.expire_at <= now_;
    if (expired && !stores_.artifacts.is_kept(row)) {
      // Its row goes within the next minutes.
      removed = {{"reason", "expired"},
                 {"removed_at", to_rfc3339(*row.expire_at)},
                 {"removed_by", nullptr}};
      continue;
    }
    if (row.file_type == "archive" || list.empty()) expire_at = row.expire_at;
    list.push_back({{"file_type", row.file_type},
                    {"size", row.size},
                    {"filename", row.file_name},
                    {"file_format", row.file_format},
                    {"expire_at", time_or_null(row.expire_at)},
                    {"kept", expired}});
  }
  view["artifacts"] = std::move(list);
  view["artifacts_expire_at"] = time_or_null(expire_at);
  view["artifacts_removed"] = std::move(removed);
}

json Views::job_runner(const JobRow& row) const {
  if (!row.runner_id) return nullptr;
  const auto runner = stores_.runners.find(*row.runner_id);
  return {{"id", row.runner_id->value}, {"description", runner ? runner->description : ""}};
}

json Views::job(const JobRow& row) const {
  const auto owner = stores_.pipelines.find(row.pipeline_id).value_or(PipelineRow{});
  const auto rule = row.rule_file.empty() ? json(nullptr)
                                          : json{{"file", row.rule_file}, {"line", row.rule_line}};
  const auto manager =
      row.runner_system_id.empty() ? json(nullptr) : json{{"system_id", row.runner_system_id}};
  json view{{"id", row.id.value},
            {"name", row.name},
            {"stage", row.stage},
            {"status", row.status},
            {"reason", reason(row.reason_code, row.reason_text)},
            {"ref", owner.ref},
            {"tag", owner.tag},
            {"allow_failure", row.allow_failure},
            {"when", row.when},
            {"created_at", to_rfc3339(row.created_at)},
            {"queued_at", time_or_null(row.queued_at)},
            {"started_at", time_or_null(row.started_at)},
            {"finished_at", time_or_null(row.finished_at)},
            {"erased_at", time_or_null(row.erased_at)},
            {"duration", seconds_between(row.started_at, row.finished_at)},
            {"queued_duration", seconds_between(row.queued_at, row.started_at)},
            {"coverage", value_or_null(row.coverage)},
            {"failure_reason", text_or_null(row.failure_reason)},
            {"exit_code", value_or_null(row.exit_code)},
            {"web_url", project_url(row.project_id) + "/-/jobs/" + std::to_string(row.id.value)},
            {"needs", value_or_null(row.needs)},
            {"retried", row.retried},
            {"attempt", row.attempt},
            {"tag_list", row.tags},
            {"trace_size", row.trace_size},
            {"environment", text_or_null(row.environment)},
            {"rule", rule},
            {"pipeline",
             {{"id", row.pipeline_id.value},
              {"iid", owner.iid},
              {"project_id", row.project_id.value},
              {"ref", owner.ref},
              {"sha", owner.sha},
              {"status", owner.status}}},
            {"runner", job_runner(row)},
            {"runner_manager", manager},
            {"is_bridge", row.is_bridge},
            {"downstream_pipeline", row.is_bridge ? downstream(row.id) : json(nullptr)}};
  add_artifacts(view, row.id);
  view["transfers"] = transfers_view(stores_.jobs.transfers(row.id));
  return view;
}

json Views::runner_managers(RunnerId id) const {
  auto managers = json::array();
  for (const auto& manager : stores_.runners.managers(id))
    managers.push_back({{"system_id", manager.system_id},
                        {"version", manager.version},
                        {"platform", manager.platform},
                        {"architecture", manager.architecture},
                        {"executor", manager.executor},
                        {"ip_address", manager.ip_address},
                        {"contacted_at", to_rfc3339(manager.contacted_at)},
                        {"status", contact_status(manager.contacted_at, now_)}});
  return managers;
}

json Views::runner(const RunnerRow& row) const {
  return {{"id", row.id.value},
          {"description", row.description},
          {"maintenance_note", row.maintenance_note},
          {"runner_type", row.runner_type},
          {"paused", row.paused},
          {"online", is_online(row, now_)},
          {"status", contact_status(row.contacted_at, now_)},
          {"contacted_at", time_or_null(row.contacted_at)},
          {"created_at", to_rfc3339(row.created_at)},
          {"tag_list", row.tags},
          {"run_untagged", row.run_untagged},
          {"access_level", row.protected_only ? "ref_protected" : "not_protected"},
          {"locked", row.project_id.has_value()},
          {"maximum_timeout", value_or_null(row.maximum_timeout)},
          {"running_jobs", stores_.jobs.count_running(row.id)},
          {"managers", runner_managers(row.id)}};
}

}  // namespace slipway::server::http
