#include "server/http/schedule_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/access/access.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/given_variables.h"
#include "server/http/json.h"
#include "server/http/views.h"
#include "server/schedules/cron.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::size_t kMostVariables = 100;

std::string object_of(ScheduleId id) {
  return "schedule/" + std::to_string(id.value);
}

json variable_json(const GivenVariable& given) {
  return {{"key", given.key},
          {"value", given.value},
          {"variable_type", given.file ? "file" : "env_var"}};
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<void> check_variables(const json& list) {
  if (list.size() > kMostVariables)
    return fail(ErrorKind::InvalidInput, "a schedule has at most 100 variables");
  for (const auto& variable : list)
    if (!is_variable_name(variable["key"].get<std::string>()))
      return fail(ErrorKind::InvalidInput,
                  "field 'key' must have 1 to 255 letters, digits and '_'");
  return {};
}

// Where `key` stands in the list; its end when nowhere.
json::iterator find_variable(json& list, std::string_view key) {
  return std::find_if(list.begin(), list.end(), [&](const json& variable) {
    return variable["key"].get_ref<const std::string&>() == key;
  });
}

// The fields that are given; the cron decides when it is due.
Result<void> read_fields(const json& body, UnixMillis now, ScheduleRow& row) {
  FieldReader fields{body};
  const ScheduleRow before = row;
  row.description = fields.text("description").value_or(row.description);
  row.ref = fields.text("ref").value_or(row.ref);
  row.cron = fields.text("cron").value_or(row.cron);
  row.cron_timezone = fields.text("cron_timezone").value_or(row.cron_timezone);
  row.active = fields.flag("active").value_or(row.active);
  if (row.description.empty() || row.description.size() > 255)
    fields.refuse("description", "1 to 255 characters");
  if (row.ref.empty() || row.ref.size() > 255) fields.refuse("ref", "a branch or a tag");
  if (fields.error()) return *fields.error();
  for (const char* prefix : {"refs/heads/", "refs/tags/"})
    if (row.ref.starts_with(prefix)) row.ref = row.ref.substr(std::string_view{prefix}.size());
  const auto cron = Cron::parse(row.cron);
  if (!cron) return cron.error();
  if (auto known = check_time_zone(row.cron_timezone); !known) return known;
  const bool as_before = row.cron == before.cron && row.cron_timezone == before.cron_timezone &&
                         row.active == before.active && before.next_run_at;
  if (as_before) return {};
  row.next_run_at = row.active ? cron->next(now, row.cron_timezone) : std::nullopt;
  if (row.active && !row.next_run_at)
    return fail(ErrorKind::InvalidInput, "the cron '" + row.cron + "' is never due");
  return {};
}

json run_view(const ScheduleRunRow& run) {
  return {{"due_at", to_rfc3339(run.due_at)},
          {"missed", run.missed},
          {"by_hand", run.played_by.has_value()},
          {"state", run.state},
          {"reason", run.reason},
          {"pipeline_id", run.pipeline_id ? json(run.pipeline_id->value) : json(nullptr)}};
}

json schedule_view(Stores& stores, const ScheduleRow& row) {
  const auto owner = stores.users.find(row.owner_id);
  const auto last = stores.schedules.last_run(row.id);
  return {{"id", row.id.value},
          {"description", row.description},
          {"ref", row.ref},
          {"cron", row.cron},
          {"cron_timezone", row.cron_timezone},
          {"next_run_at", row.next_run_at ? json(to_rfc3339(*row.next_run_at)) : json(nullptr)},
          {"active", row.active},
          {"created_at", to_rfc3339(row.created_at)},
          {"updated_at", to_rfc3339(row.updated_at)},
          {"owner", owner ? user_view(*owner) : json(nullptr)},
          {"last_run", last ? run_view(*last) : json(nullptr)}};
}

json detail_view(Stores& stores, const ScheduleRow& row) {
  json view = schedule_view(stores, row);
  view["variables"] = json::parse(row.variables);
  view["last_pipeline"] = nullptr;
  const auto last = stores.schedules.last_run(row.id);
  const auto pipeline =
      last && last->pipeline_id ? stores.pipelines.find(*last->pipeline_id) : std::nullopt;
  if (pipeline)
    view["last_pipeline"] = {{"id", pipeline->id.value},
                             {"sha", pipeline->sha},
                             {"ref", pipeline->ref},
                             {"status", pipeline->status}};
  return view;
}

}  // namespace

ScheduleRoutes::ScheduleRoutes(Database& database, Coordinator& coordinator, const Clock& clock)
    : database_(database), coordinator_(coordinator), clock_(clock) {}

Result<ScheduleRow> ScheduleRoutes::schedule_of(const Call& call) {
  const auto id = path_number(call.request, "schedule_id");
  if (!id) return not_found("Pipeline Schedule");
  auto row = database_.read()->schedules.find(ScheduleId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Pipeline Schedule");
  return *row;
}

Result<ScheduleRow> ScheduleRoutes::own_schedule(const Call& call) {
  auto row = schedule_of(call);
  if (row && row->owner_id != call.principal.user && call.level < Level::Maintainer)
    return fail(ErrorKind::Denied, "the schedule is somebody else's")
        .with_hint("take it over first, or ask a maintainer");
  return row;
}

Result<void> ScheduleRoutes::check_ref(const Call& call, const std::string& ref) {
  return check_may_run(*database_.read(), call.level, call.project->id, std::nullopt, ref);
}

Response ScheduleRoutes::view(ScheduleId id, int status) {
  auto read = database_.read();
  const auto row = read->schedules.find(id);
  if (!row) return error_response(not_found("Pipeline Schedule"));
  return json_response(status, detail_view(*read, *row));
}

Result<Response> ScheduleRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto scope = call.request.query_value("scope").value_or("");
  if (!scope.empty() && scope != "active" && scope != "inactive")
    return fail(ErrorKind::InvalidInput, "scope must be active or inactive");
  auto read = database_.read();
  const auto rows = read->schedules.list(
      call.project->id, scope.empty() ? std::nullopt : std::optional{scope == "active"}, *page);
  auto items = json::array();
  for (const ScheduleRow& row : rows.rows) items.push_back(schedule_view(*read, row));
  return list_response(items, *page, rows.total);
}

Result<Response> ScheduleRoutes::show(const Call& call) {
  const auto row = schedule_of(call);
  if (!row) return row.error();
  return view(row->id, 200);
}

Result<Response> ScheduleRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  for (const char* needed : {"description", "ref", "cron"}) fields.needed_text(needed);
  if (fields.error()) return *fields.error();
  ScheduleRow row;
  row.project_id = call.project->id;
  row.owner_id = call.principal.user;
  row.created_at = row.updated_at = clock_.now();
  if (auto read = read_fields(*body, row.created_at, row); !read) return read.error();
  if (auto fine = check_ref(call, row.ref); !fine) return fine.error();
  const auto given = given_variables(*body);
  if (!given) return given.error();
  json variables = json::array();
  for (const GivenVariable& variable : *given) variables.push_back(variable_json(variable));
  if (auto fine = check_variables(variables); !fine) return fine.error();
  row.variables = dump(variables);
  const auto made =
      coordinator_.write<ScheduleId>([&](WriteTransaction& write) -> Result<ScheduleId> {
        const ScheduleId id = write.stores.schedules.insert(row);
        write.changes.schedules = true;
        auth::audit(
            write.stores, write.now,
            {call.principal.name(), "schedule.created", object_of(id), false, call.request.remote});
        return id;
      });
  if (!made) return made.error();
  return view(*made, 201);
}

Result<Response> ScheduleRoutes::change(const Call& call, std::string_view action, int status,
                                        const std::function<Result<void>(ScheduleRow&)>& act) {
  const auto known = action == "schedule.taken_over" ? schedule_of(call) : own_schedule(call);
  if (!known) return known.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    auto row = write.stores.schedules.find(known->id);
    if (!row) return not_found("Pipeline Schedule");
    if (auto changed = act(*row); !changed) return changed;
    row->updated_at = write.now;
    write.stores.schedules.update(*row);
    write.changes.schedules = true;
    auth::audit(write.stores, write.now,
                {call.principal.name(), std::string{action}, object_of(row->id), false,
                 call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return view(known->id, status);
}

Result<Response> ScheduleRoutes::update(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  return change(call, "schedule.changed", 200, [&](ScheduleRow& row) -> Result<void> {
    if (auto read = read_fields(*body, clock_.now(), row); !read) return read;
    return check_ref(call, row.ref);
  });
}

Result<Response> ScheduleRoutes::remove(const Call& call) {
  const auto row = own_schedule(call);
  if (!row) return row.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    write.stores.schedules.remove(row->id);
    write.changes.schedules = true;
    auth::audit(write.stores, write.now,
                {call.principal.name(), "schedule.deleted", object_of(row->id), false,
                 call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return empty_response(204);
}

Result<Response> ScheduleRoutes::play(const Call& call) {
  const auto row = schedule_of(call);
  if (!row) return row.error();
  if (auto fine = check_ref(call, row->ref); !fine) return fine.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    if (!write.stores.schedules.find(row->id)) return not_found("Pipeline Schedule");
    ScheduleRunRow run;
    run.schedule_id = row->id;
    run.due_at = run.created_at = write.now;
    run.played_by = call.principal.user;
    write.stores.schedules.insert_run(run);
    write.changes.schedules = true;
    auth::audit(
        write.stores, write.now,
        {call.principal.name(), "schedule.played", object_of(row->id), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return message_response(201, "201 Created");
}

Result<Response> ScheduleRoutes::take_ownership(const Call& call) {
  return change(call, "schedule.taken_over", 201, [&](ScheduleRow& row) -> Result<void> {
    row.owner_id = call.principal.user;
    return {};
  });
}

Result<Response> ScheduleRoutes::runs(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto row = schedule_of(call);
  if (!row) return row.error();
  auto read = database_.read();
  const auto runs = read->schedules.runs(row->id, *page);
  auto items = json::array();
  for (const ScheduleRunRow& run : runs.rows) items.push_back(run_view(run));
  return list_response(items, *page, runs.total);
}

Result<Response> ScheduleRoutes::add_variable(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  const auto given = given_variable(*body);
  if (!given) return given.error();
  auto changed = change(call, "schedule.changed", 201, [&](ScheduleRow& row) -> Result<void> {
    json list = json::parse(row.variables);
    if (find_variable(list, given->key) != list.end())
      return fail(ErrorKind::Conflict, "the schedule has a variable '" + given->key + "' already");
    list.push_back(variable_json(*given));
    if (auto fine = check_variables(list); !fine) return fine;
    row.variables = dump(list);
    return {};
  });
  if (!changed) return changed;
  return changed->status == 201 ? json_response(201, variable_json(*given)) : std::move(*changed);
}

Result<Response> ScheduleRoutes::change_variable(const Call& call) {
  auto body = parse_object(call.request.body);
  if (!body) return body.error();
  const std::string key{call.request.param("key")};
  (*body)["key"] = key;
  const auto given = given_variable(*body);
  if (!given) return given.error();
  auto changed = change(call, "schedule.changed", 200, [&](ScheduleRow& row) -> Result<void> {
    json list = json::parse(row.variables);
    const auto found = find_variable(list, key);
    if (found == list.end()) return not_found("Variable");
    *found = variable_json(*given);
    row.variables = dump(list);
    return {};
  });
  if (!changed) return changed;
  return json_response(200, variable_json(*given));
}

Result<Response> ScheduleRoutes::remove_variable(const Call& call) {
  const std::string key{call.request.param("key")};
  auto changed = change(call, "schedule.changed", 200, [&](ScheduleRow& row) -> Result<void> {
    json list = json::parse(row.variables);
    const auto found = find_variable(list, key);
    if (found == list.end()) return not_found("Variable");
    list.erase(found);
    row.variables = dump(list);
    return {};
  });
  if (!changed) return changed;
  return empty_response(204);
}

}  // namespace slipway::server::http
