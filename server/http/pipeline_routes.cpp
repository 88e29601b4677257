#include "server/http/pipeline_routes.h"

#include <nlohmann/json.hpp>

#include "server/access/access.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/given_variables.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

Result<PipelineFilter> filter_of(const Request& request) {
  const auto scope = query_word(request, "scope", pipeline_scopes());
  if (!scope) return scope.error();
  const auto order = query_word(request, "order_by", pipeline_orders());
  if (!order) return order.error();
  const auto sort = query_word(request, "sort", {"asc", "desc"});
  if (!sort) return sort.error();
  const auto status = query_word(request, "status", status_words());
  if (!status) return status.error();
  PipelineFilter filter;
  filter.ref = query_text(request, "ref");
  filter.status = *status;
  filter.source = query_text(request, "source");
  filter.sha = query_text(request, "sha");
  filter.username = query_text(request, "username");
  filter.search = query_text(request, "search");
  filter.scope = *scope;
  if (!order->empty()) filter.order_by = *order;
  filter.ascending = *sort == "asc";
  return filter;
}

}  // namespace

PipelineRoutes::PipelineRoutes(Database& database, Coordinator& coordinator, PipelineIntake& intake,
                               const Clock& clock, std::string external_url)
    : database_(database),
      coordinator_(coordinator),
      intake_(intake),
      clock_(clock),
      url_(std::move(external_url)) {}

Result<JobRow> PipelineRoutes::job_of(const Call& call) {
  const auto id = path_number(call.request, "job_id");
  if (!id) return not_found("Job");
  auto row = database_.read()->jobs.find(JobId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Job");
  return *row;
}

Result<PipelineRow> PipelineRoutes::pipeline_to_run(const Call& call) {
  auto row = pipeline_of(database_, call);
  if (!row) return row;
  auto read = database_.read();
  const auto kind = row->tag ? RefKind::Tag : RefKind::Branch;
  if (auto fine = check_may_run(*read, call.level, call.project->id, kind, row->ref); !fine)
    return fine.error();
  return row;
}

Result<JobRow> PipelineRoutes::job_to_run(const Call& call) {
  auto row = job_of(call);
  if (!row) return row;
  auto read = database_.read();
  const auto pipeline = read->pipelines.find(row->pipeline_id);
  if (!pipeline) return not_found("Job");
  const auto kind = pipeline->tag ? RefKind::Tag : RefKind::Branch;
  if (auto fine = check_may_run(*read, call.level, call.project->id, kind, pipeline->ref); !fine)
    return fine.error();
  return row;
}

Result<Response> PipelineRoutes::detail(PipelineId id, int status) {
  auto read = database_.read();
  const auto row = read->pipelines.find(id);
  if (!row) return not_found("Pipeline");
  return json_response(status, Views{*read, url_, clock_.now()}.pipeline_detail(*row));
}

Result<Response> PipelineRoutes::job_view(JobId id, int status) {
  auto read = database_.read();
  const auto row = read->jobs.find(id);
  if (!row) return not_found("Job");
  return json_response(status, Views{*read, url_, clock_.now()}.job(*row));
}

Result<Response> PipelineRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto filter = filter_of(call.request);
  if (!filter) return filter.error();
  auto read = database_.read();
  const auto rows = read->pipelines.list(call.project->id, *filter, *page);
  const Views views{*read, url_, clock_.now()};
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(views.pipeline(row));
  return list_response(items, *page, rows.total);
}

Result<Response> PipelineRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  TriggerRequest trigger;
  trigger.ref = fields.needed_text("ref");
  if (fields.error()) return *fields.error();
  auto variables = given_variables(*body);
  if (!variables) return variables.error();
  auto inputs = given_inputs(*body);
  if (!inputs) return inputs.error();
  trigger.variables = std::move(*variables);
  trigger.inputs = std::move(*inputs);
  if (auto fine =
          check_may_run(*database_.read(), call.level, call.project->id, std::nullopt, trigger.ref);
      !fine)
    return fine.error();
  trigger.user = call.principal.user;
  trigger.by_page = !call.principal.session.empty();
  const auto id = intake_.trigger(*call.project, trigger);
  if (!id) return id.error();
  note_audit(coordinator_, call, "pipeline.created", "pipeline/" + std::to_string(id->value));
  return detail(*id, 201);
}

Result<Response> PipelineRoutes::show(const Call& call) {
  const auto row = pipeline_of(database_, call);
  if (!row) return row.error();
  return detail(row->id, 200);
}

Result<Response> PipelineRoutes::jobs(const Call& call) {
  return jobs_of(call, false);
}

Result<Response> PipelineRoutes::bridges(const Call& call) {
  return jobs_of(call, true);
}

Result<Response> PipelineRoutes::jobs_of(const Call& call, bool bridges) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto pipeline = pipeline_of(database_, call);
  if (!pipeline) return pipeline.error();
  const bool with_retried = call.request.query_value("include_retried").value_or("") == "true";
  auto read = database_.read();
  const Views views{*read, url_, clock_.now()};
  // In stage order, so the page is cut here.
  const auto first = static_cast<long long>(page->page - 1) * page->per_page;
  long long total = 0;
  auto items = json::array();
  for (const auto& row : read->jobs.of_pipeline(pipeline->id)) {
    if (row.is_bridge != bridges || (row.retried && !with_retried)) continue;
    if (total >= first && total < first + page->per_page) items.push_back(views.job(row));
    ++total;
  }
  return list_response(items, *page, total);
}

Result<Response> PipelineRoutes::cancel(const Call& call) {
  const auto row = pipeline_to_run(call);
  if (!row) return row.error();
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.cancel_pipeline(row->id, std::move(then), call.principal.username);
  });
  if (!done) return done.error();
  note_audit(coordinator_, call, "pipeline.canceled", "pipeline/" + std::to_string(row->id.value));
  return detail(row->id, 201);
}

Result<Response> PipelineRoutes::retry(const Call& call) {
  const auto row = pipeline_to_run(call);
  if (!row) return row.error();
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.retry_pipeline(row->id, std::move(then), call.principal.user);
  });
  if (!done) return done.error();
  note_audit(coordinator_, call, "pipeline.retried", "pipeline/" + std::to_string(row->id.value));
  return detail(row->id, 201);
}

Result<Response> PipelineRoutes::list_jobs(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  JobFilter filter;
  filter.status = query_text(call.request, "scope");
  filter.include_bridges = false;
  auto read = database_.read();
  const auto rows = read->jobs.list(call.project->id, filter, *page);
  const Views views{*read, url_, clock_.now()};
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(views.job(row));
  return list_response(items, *page, rows.total);
}

Result<Response> PipelineRoutes::show_job(const Call& call) {
  const auto row = job_of(call);
  if (!row) return row.error();
  return job_view(row->id, 200);
}

Result<Response> PipelineRoutes::show_own_job(const Call& call) {
  if (call.job->finished) return fail(ErrorKind::Denied, "403 Forbidden: the job has ended");
  return job_view(call.job->job_id, 200);
}

Result<Response> PipelineRoutes::cancel_job(const Call& call) {
  const auto row = job_to_run(call);
  if (!row) return row.error();
  const auto& text = call.request.body;
  const auto body = text.empty() ? Result<json>{json::object()} : parse_object(text);
  if (!body) return body.error();
  FieldReader fields{*body};
  const bool force =
      fields.flag("force").value_or(call.request.query_value("force").value_or("") == "true");
  if (fields.error()) return *fields.error();
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.cancel_job(row->id, std::move(then), call.principal.username, force);
  });
  if (!done) return done.error();
  note_audit(coordinator_, call, "job.canceled", "job/" + std::to_string(row->id.value));
  return job_view(row->id, 201);
}

Result<Response> PipelineRoutes::retry_job(const Call& call) {
  const auto row = job_to_run(call);
  if (!row) return row.error();
  const auto made = wait_for<JobId>([&](Completion<JobId> then) {
    coordinator_.retry_job(row->id, std::move(then), call.principal.user);
  });
  if (!made) return made.error();
  note_audit(coordinator_, call, "job.retried", "job/" + std::to_string(row->id.value));
  return job_view(*made, 201);
}

Result<Response> PipelineRoutes::play_job(const Call& call) {
  const auto row = job_to_run(call);
  if (!row) return row.error();
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.play_job(row->id, std::move(then), call.principal.user);
  });
  if (!done) return done.error();
  note_audit(coordinator_, call, "job.played", "job/" + std::to_string(row->id.value));
  return job_view(row->id, 200);
}

}  // namespace slipway::server::http
