#include "server/http/runner_routes.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/places.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::size_t kMostTags = 50;
constexpr std::string_view kProtected = "ref_protected";
constexpr std::string_view kNotProtected = "not_protected";

struct RunnerFields {
  std::optional<std::string> description;
  std::optional<std::string> maintenance_note;
  std::optional<std::vector<std::string>> tags;
  std::optional<bool> run_untagged;
  std::optional<bool> paused;
  std::optional<bool> protected_only;
  std::optional<long long> maximum_timeout;

  void apply(RunnerRow& row) const {
    if (description) row.description = *description;
    if (maintenance_note) row.maintenance_note = *maintenance_note;
    if (tags) row.tags = *tags;
    if (run_untagged) row.run_untagged = *run_untagged;
    if (paused) row.paused = *paused;
    if (protected_only) row.protected_only = *protected_only;
    if (maximum_timeout) row.maximum_timeout = static_cast<int>(*maximum_timeout);
  }
};

RunnerFields read_fields(FieldReader& fields) {
  RunnerFields given;
  given.description = fields.text("description");
  given.maintenance_note = fields.text("maintenance_note");
  given.tags = fields.texts_or_list("tag_list");
  given.run_untagged = fields.flag("run_untagged");
  given.paused = fields.flag("paused");
  // The word of older clients.
  if (const auto active = fields.flag("active"); active && !given.paused) given.paused = !*active;
  given.maximum_timeout = fields.number("maximum_timeout");
  if (const auto level = fields.text("access_level")) {
    if (*level != kProtected && *level != kNotProtected)
      fields.refuse("access_level", "not_protected or ref_protected");
    given.protected_only = *level == kProtected;
  }
  // Ours are: a project's runner belongs to that project, an instance's to nobody.
  fields.flag("locked");
  if (given.description && given.description->size() > 1024)
    fields.refuse("description", "at most 1024 characters");
  if (given.maintenance_note && given.maintenance_note->size() > 1024)
    fields.refuse("maintenance_note", "at most 1024 characters");
  const bool good_tags =
      !given.tags || (given.tags->size() <= kMostTags &&
                      std::all_of(given.tags->begin(), given.tags->end(), [](const auto& tag) {
                        return !tag.empty() && tag.size() <= 255;
                      }));
  if (!good_tags) fields.refuse("tag_list", "at most 50 tags of at most 255 characters");
  if (given.maximum_timeout &&
      (*given.maximum_timeout < 600 || *given.maximum_timeout > 31'536'000))
    fields.refuse("maximum_timeout", "600 seconds or more");
  return given;
}

// Which runners a list is of.
struct RunnerFilter {
  std::string type;    // "" means any, here and below
  std::string status;  // of contact_status(), or "paused" or "active"
  std::optional<bool> paused;
  std::vector<std::string> tags;  // all of them

  [[nodiscard]] bool lets_in(const RunnerRow& row, UnixMillis now) const {
    if (!type.empty() && row.runner_type != type) return false;
    if (paused && row.paused != *paused) return false;
    const bool of_status = status.empty() || contact_status(row.contacted_at, now) == status ||
                           (status == "paused" && row.paused) ||
                           (status == "active" && !row.paused);
    return of_status && std::all_of(tags.begin(), tags.end(), [&](const std::string& tag) {
             return std::find(row.tags.begin(), row.tags.end(), tag) != row.tags.end();
           });
  }
};

Result<RunnerFilter> filter_of(const Request& request) {
  RunnerFilter filter;
  filter.type = request.query_value("type").value_or("");
  filter.status = request.query_value("status").value_or("");
  filter.tags = split_list(request.query_value("tag_list").value_or(""));
  if (const auto paused = request.query_value("paused")) filter.paused = *paused == "true";
  constexpr std::array<std::string_view, 3> kTypes{"", "instance_type", "project_type"};
  if (std::find(kTypes.begin(), kTypes.end(), filter.type) == kTypes.end())
    return fail(ErrorKind::InvalidInput, "type is instance_type or project_type");
  constexpr std::array<std::string_view, 7> kStatuses{
      "", "online", "offline", "stale", "never_contacted", "paused", "active"};
  if (std::find(kStatuses.begin(), kStatuses.end(), filter.status) == kStatuses.end())
    return fail(ErrorKind::InvalidInput,
                "status is online, offline, stale, never_contacted, paused or active");
  return filter;
}

Result<void> check_takes_jobs(const RunnerRow& row) {
  if (row.run_untagged || !row.tags.empty()) return {};
  return fail(ErrorKind::InvalidInput,
              "a runner without tags must run untagged jobs, or it would never run any");
}

void audit_runner(Coordinator& coordinator, const Call& call, std::string_view action,
                  RunnerId id) {
  note_audit(coordinator, {call.principal.name(), std::string{action},
                           "runner/" + std::to_string(id.value), false, call.request.remote});
}

}  // namespace

Result<Response> RunnerRoutes::view(RunnerId id) {
  auto read = database_.read();
  const auto row = read->runners.find(id);
  if (!row) return not_found("Runner");
  return json_response(200, Views{*read, url_, clock_.now()}.runner(*row));
}

Result<Response> RunnerRoutes::list(const Call& call) {
  const auto wanted = filter_of(call.request);
  if (!wanted) return wanted.error();
  auto read = database_.read();
  const auto now = clock_.now();
  const Views views{*read, url_, now};
  auto items = json::array();
  for (const auto& row : read->runners.all())
    if (wanted->lets_in(row, now) &&
        may_see(call.principal, runner_place(*read, now, call.principal, row)))
      items.push_back(views.runner(row));
  return json_response(200, items);
}

Result<Response> RunnerRoutes::managers(const Call& call) {
  const auto id = path_number(call.request, "runner_id");
  if (!id) return not_found("Runner");
  auto read = database_.read();
  if (!read->runners.find(RunnerId{*id})) return not_found("Runner");
  return json_response(200, Views{*read, url_, clock_.now()}.runner_managers(RunnerId{*id}));
}

Result<Response> RunnerRoutes::jobs(const Call& call) {
  const auto id = path_number(call.request, "runner_id");
  if (!id) return not_found("Runner");
  const auto page = page_of(call.request);
  if (!page) return page.error();
  JobFilter filter;
  filter.status = call.request.query_value("status").value_or("");
  auto read = database_.read();
  if (!read->runners.find(RunnerId{*id})) return not_found("Runner");
  const auto rows = read->jobs.of_runner(RunnerId{*id}, filter, *page);
  const Views views{*read, url_, clock_.now()};
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(views.job(row));
  return list_response(items, *page, rows.total);
}

Result<Response> RunnerRoutes::show(const Call& call) {
  const auto id = path_number(call.request, "runner_id");
  if (!id) return not_found("Runner");
  return view(RunnerId{*id});
}

Result<void> RunnerRoutes::check_may_create(const Call& call, const RunnerRow& row) {
  if (!row.project_id && !call.principal.is_admin)
    return fail(ErrorKind::Denied, "only administrators make runners for the whole instance");
  if (!row.project_id) return {};
  auto read = database_.read();
  const auto project = read->projects.find(*row.project_id);
  if (!project) return not_found("Project");
  const auto place = project_place(*read, clock_.now(), call.principal, *project);
  if (!may_see(call.principal, place)) return not_found("Project");
  if (place.level < Level::Maintainer)
    return fail(ErrorKind::Denied, "making a runner for a project needs the role maintainer");
  return {};
}

Result<Response> RunnerRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  RunnerRow row;
  row.runner_type = fields.needed_text("runner_type");
  const auto project = fields.number("project_id");
  read_fields(fields).apply(row);
  if (row.runner_type == "project_type" && !project)
    fields.refuse("project_id", "given for a project_type runner");
  if (row.runner_type != "project_type" && row.runner_type != "instance_type")
    fields.refuse("runner_type",
                  "instance_type or project_type; groups have no runners of their own");
  if (fields.error()) return *fields.error();
  if (auto fine = check_takes_jobs(row); !fine) return fine.error();
  if (row.runner_type == "project_type") {
    row.project_id = ProjectId{*project};
  }
  if (auto fine = check_may_create(call, row); !fine) return fine.error();
  const auto token = random_token("glrt-");
  row.token_hash = token_hash(token);
  row.created_at = clock_.now();
  const auto id = wait_for<RunnerId>(
      [&](Completion<RunnerId> then) { coordinator_.create_runner(row, std::move(then)); });
  if (!id) return id.error();
  audit_runner(coordinator_, call, "runner.created", *id);
  return json_response(201, {{"id", id->value}, {"token", token}, {"token_expires_at", nullptr}});
}

Result<Response> RunnerRoutes::update(const Call& call) {
  const auto id = path_number(call.request, "runner_id");
  if (!id) return not_found("Runner");
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto given = read_fields(fields);
  if (fields.error()) return *fields.error();
  auto row = coordinator_.find_runner(RunnerId{*id});
  if (!row) return not_found("Runner");
  given.apply(*row);
  if (auto fine = check_takes_jobs(*row); !fine) return fine.error();
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.update_runner(
        row->id, [given](RunnerRow& stored) { given.apply(stored); }, std::move(then));
  });
  if (!done) return done.error();
  audit_runner(coordinator_, call, "runner.changed", row->id);
  return view(row->id);
}

Result<Response> RunnerRoutes::remove(const Call& call) {
  const auto id = path_number(call.request, "runner_id");
  if (!id) return not_found("Runner");
  return remove_runner(call, RunnerId{*id});
}

Result<Response> RunnerRoutes::remove_itself(const Call& call) {
  return remove_runner(call, call.principal.runner);
}

Result<Response> RunnerRoutes::remove_runner(const Call& call, RunnerId id) {
  const auto done = wait_for<void>(
      [&](Completion<void> then) { coordinator_.delete_runner(id, std::move(then)); });
  if (!done) return done.error();
  audit_runner(coordinator_, call, "runner.deleted", id);
  return empty_response(204);
}

Result<Response> RunnerRoutes::reset_token(const Call& call) {
  const auto id = path_number(call.request, "runner_id");
  if (!id) return not_found("Runner");
  return renew_token(call, RunnerId{*id});
}

Result<Response> RunnerRoutes::reset_own_token(const Call& call) {
  return renew_token(call, call.principal.runner);
}

Result<Response> RunnerRoutes::renew_token(const Call& call, RunnerId id) {
  const auto token = random_token("glrt-");
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.update_runner(
        id, [hash = token_hash(token)](RunnerRow& row) { row.token_hash = hash; }, std::move(then));
  });
  if (!done) return done.error();
  audit_runner(coordinator_, call, "runner.token_reset", id);
  return json_response(201, {{"id", id.value}, {"token", token}, {"token_expires_at", nullptr}});
}

Result<Response> RunnerRoutes::register_legacy(const Call&) {
  return message_response(410,
                          "410 Gone: registration tokens are not offered, create a runner first "
                          "and register it with its glrt- token");
}

}  // namespace slipway::server::http
