// What follows from a push, and from a merge request of the repository's own branches.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/variables.h"
#include "server/intake/found_push.h"
#include "server/intake/intake.h"

namespace slipway::server {
namespace {

pipeline::Reason fetch_reason(const Error& error) {
  return pipeline::make_reason(pipeline::ReasonCode::FetchFailed, error.message);
}

}  // namespace

// A webhook may come after its push was found, and the other way round.
std::string Intake::found_before(const PushEvent& push, const DeliveryRow& delivery,
                                 const ProjectRow& project) {
  const std::string ref = (push.is_tag ? "refs/tags/" : "refs/heads/") + push.ref;
  auto read = database_.read();
  if (!is_found(delivery)) {
    const auto found = read->deliveries.find_by_key(project.id, found_key(ref, push.after));
    if (!found || !found->pipeline_id) return {};
    return "this push was found before the call came: pipeline " +
           std::to_string(found->pipeline_id->value);
  }
  PipelineFilter filter;
  filter.ref = push.ref;
  filter.sha = push.after;
  filter.source = pipeline::to_string(pipeline::Source::Push);
  if (read->pipelines.list(project.id, filter, {1, 1}).total == 0) return {};
  return "a webhook has told of this push meanwhile";
}

Result<void> Intake::process_push(const PushEvent& push, const DeliveryRow& delivery,
                                  const ProjectRow& project) {
  if (auto before = found_before(push, delivery, project); !before.empty()) {
    settle(delivery.id, "ignored", before);
    return {};
  }
  const auto fetched =
      mirrors_.fetch(project.id.value, project.repository_url, push.ref, push.after);
  if (!fetched) return fail(fetched.error().kind, fetch_reason(fetched.error()).text);

  PlanRequest request;
  request.project = project;
  request.source = pipeline::Source::Push;
  request.ref = push.ref;
  request.is_tag = push.is_tag;
  request.sha = push.after;
  request.before_sha = push.before;
  request.user_login = push.pusher;
  request.skip = push.skip;
  for (const auto& [name, value] : push.variables)
    pipeline::set_variable(request.variables, pipeline::Variable{.name = name, .value = value});
  return make_or_settle(request, delivery);
}

Result<void> Intake::process_merge_request(const MergeRequestEvent& event,
                                           const DeliveryRow& delivery, const ProjectRow& project) {
  const std::int64_t id = project.id.value;
  const auto fetched = mirrors_.fetch(id, project.repository_url, event.source_branch, event.sha);
  if (!fetched) return fail(fetched.error().kind, fetch_reason(fetched.error()).text);
  PlanRequest request = merge_request_plan(event, project);
  request.sha = event.sha;
  if (request.sha.empty()) {  // the host gives only the first digits of it
    const auto head = mirrors_.resolve(id, event.source_branch);
    if (!head) return head.error();
    request.sha = head->sha;
  }
  return make_once(event, request, delivery);
}

Result<void> Intake::make_once(const MergeRequestEvent& event, const PlanRequest& request,
                               const DeliveryRow& delivery) {
  // Hosts tell of a new title, and of an opening again, as they tell of new commits.
  if (has_pipeline(event, request)) {
    settle(delivery.id, "ignored",
           "merge request " + std::to_string(event.number) + " has a pipeline of commit " +
               request.sha.substr(0, 8) + " already");
    return {};
  }
  return make_or_settle(request, delivery);
}

PlanRequest Intake::merge_request_plan(const MergeRequestEvent& event, const ProjectRow& project) {
  PlanRequest request;
  request.project = project;
  request.source = pipeline::Source::MergeRequestEvent;
  request.ref = event.source_branch;
  request.user_login = event.author;
  pipeline::MergeRequestFacts& facts = request.merge_request.emplace();
  facts.iid = std::to_string(event.number);
  facts.title = event.title;
  facts.description = event.description;
  facts.source_branch = event.source_branch;
  facts.target_branch = event.target_branch;
  facts.labels = event.labels;
  facts.draft = event.draft;
  return request;
}

bool Intake::has_pipeline(const MergeRequestEvent& event, const PlanRequest& request) {
  PipelineFilter filter;
  filter.sha = request.sha;
  filter.source = pipeline::to_string(pipeline::Source::MergeRequestEvent);
  constexpr int kLookedAt = 50;
  const auto page = database_.read()->pipelines.list(request.project.id, filter, {1, kLookedAt});
  return std::any_of(page.rows.begin(), page.rows.end(), [&](const PipelineRow& row) {
    const auto of = nlohmann::json::parse(row.merge_request, nullptr, false);
    return of.is_object() && of.value("iid", std::int64_t{0}) == event.number &&
           of.value("target_branch", std::string{}) == event.target_branch;
  });
}

void Intake::tell_skipped(const PlanRequest& request, const pipeline::Reason& reason) {
  // Who takes the file away must not have passed the check by that.
  if (request.project.forge.empty() || reason.code == pipeline::ReasonCode::ConfigurationMissing)
    return;
  const std::string source{pipeline::to_string(request.source)};
  EffectRow effect;
  effect.kind = "pipeline_status";
  effect.channel =
      "status/" + std::to_string(request.project.id.value) + "/" + request.sha + "/" + source;
  effect.payload = nlohmann::json{
      {"project_id", request.project.id.value},
      {"sha", request.sha},
      {"ref", request.ref},
      {"source", source},
      {"status", "skipped"},
      {"reason",
       reason.text}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  coordinator_.submit<bool>(
      [effect](WriteTransaction& write) -> Result<bool> {
        EffectRow row = effect;
        row.created_at = row.due_at = write.now;
        write.stores.outbox.insert(row);
        write.changes.effects = true;
        return true;
      },
      [](const Result<bool>&) {});
}

}  // namespace slipway::server
