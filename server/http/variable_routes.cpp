#include "server/http/variable_routes.h"

#include <nlohmann/json.hpp>

#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/variables/checks.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr const char* kScopeInQuery = "filter[environment_scope]";

// "project/4/variable/TOKEN (production)": never a value.
std::string audited(const VariableRow& row) {
  std::string object = to_string(row.owner()) + "/variable/" + row.key;
  if (row.environment_scope != "*") object += " (" + row.environment_scope + ")";
  return object;
}

Error taken(const VariableRow& row) {
  return fail(ErrorKind::InvalidInput, "(" + row.key + ") has already been taken")
      .with_hint("change it with PUT, or give it another environment_scope");
}

// Where GitLab has it: in the query, or as an object in the body.
Result<std::optional<std::string>> scope_filter(const Call& call, const json& body) {
  if (const auto scope = call.request.query_value(kScopeInQuery))
    return std::optional{std::string{*scope}};
  const auto filter = body.find("filter");
  if (filter == body.end() || filter->is_null()) return std::optional<std::string>{};
  if (!filter->is_object())
    return fail(ErrorKind::InvalidInput, "field 'filter' must be an object");
  FieldReader fields{*filter};
  auto scope = fields.text("environment_scope");
  if (fields.error()) return *fields.error();
  return scope;
}

// What the body says of a variable. nullopt in a field that it does not name.
struct Given {
  std::optional<std::string> value;
  bool hide = false;
};

Result<Given> read_fields(const json& body, VariableRow& row) {
  FieldReader fields{body};
  Given given;
  given.value = fields.text("value");
  row.masked = fields.flag("masked").value_or(row.masked);
  row.protected_only = fields.flag("protected").value_or(row.protected_only);
  row.raw = fields.flag("raw").value_or(row.raw);
  row.environment_scope = fields.text("environment_scope").value_or(row.environment_scope);
  row.description = fields.text("description").value_or(row.description);
  given.hide = fields.flag("masked_and_hidden").value_or(false);
  if (const auto type = fields.text("variable_type")) {
    if (*type != "env_var" && *type != "file") fields.refuse("variable_type", "env_var or file");
    row.file = *type == "file";
  }
  if (fields.error()) return *fields.error();
  return given;
}

json use_view(Stores& stores, const VariableUseRow& use) {
  json view{{"at", to_rfc3339(use.at)},
            {"runner_id", use.runner_id.value},
            {"job", nullptr},
            {"user", nullptr}};
  const auto job = stores.jobs.find(use.job_id);
  if (!job) return view;
  const auto project = stores.projects.find(job->project_id);
  const auto pipeline = stores.pipelines.find(job->pipeline_id);
  view["job"] = {{"id", job->id.value},
                 {"name", job->name},
                 {"project_id", job->project_id.value},
                 {"project_path", project ? project->path : ""},
                 {"pipeline_id", job->pipeline_id.value},
                 {"ref", pipeline ? pipeline->ref : ""}};
  if (pipeline && pipeline->user_id)
    if (const auto user = stores.users.find(*pipeline->user_id)) view["user"] = user->username;
  return view;
}

}  // namespace

Result<VariableOwner> VariableRoutes::owner_of(Stores& stores, const Call& call) const {
  if (call.project) return VariableOwner::project(call.project->id);
  const auto group = call.request.params.find("group");
  if (group == call.request.params.end()) return VariableOwner::instance();
  if (!stores.variables.has_group(group->second)) return not_found("Group");
  return VariableOwner::group(group->second);
}

Result<VariableRow> VariableRoutes::find(Stores& stores, const Call& call,
                                         const std::optional<std::string>& scope) const {
  const auto owner = owner_of(stores, call);
  if (!owner) return owner.error();
  auto rows = stores.variables.find(*owner, call.request.param("key"));
  if (scope) std::erase_if(rows, [&](const auto& row) { return row.environment_scope != *scope; });
  if (rows.empty()) return not_found("Variable");
  if (rows.size() > 1)
    return fail(ErrorKind::Conflict,
                "There are multiple variables with provided parameters. Please use "
                "'filter[environment_scope]'");
  return rows.front();
}

Result<json> VariableRoutes::view(const VariableRow& row) const {
  json value;
  if (!row.hidden) {
    auto opened = vault_.open(row);
    if (!opened) return opened.error();
    value = std::move(*opened);
  }
  return json{{"key", row.key},
              {"value", std::move(value)},
              {"variable_type", row.file ? "file" : "env_var"},
              {"protected", row.protected_only},
              {"masked", row.masked},
              {"hidden", row.hidden},
              {"raw", row.raw},
              {"environment_scope", row.environment_scope},
              {"description", row.description.empty() ? json() : json(row.description)}};
}

Result<Response> VariableRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  auto read = database_.read();
  const auto owner = owner_of(*read, call);
  if (!owner) return owner.error();
  const auto rows = read->variables.list(*owner, *page);
  auto items = json::array();
  for (const auto& row : rows.rows) {
    auto item = view(row);
    if (!item) return item.error();
    items.push_back(std::move(*item));
  }
  return list_response(items, *page, rows.total);
}

Result<Response> VariableRoutes::show(const Call& call) {
  const auto scope = scope_filter(call, json::object());
  if (!scope) return scope.error();
  auto read = database_.read();
  const auto row = find(*read, call, *scope);
  if (!row) return row.error();
  const auto shown = view(*row);
  if (!shown) return shown.error();
  return json_response(200, *shown);
}

Result<Response> VariableRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  VariableRow row;
  row.key = fields.needed_text("key");
  const auto value = fields.needed_text("value");
  if (fields.error()) return *fields.error();
  const auto given = read_fields(*body, row);
  if (!given) return given.error();
  if (given->hide) row.masked = row.hidden = true;
  const auto made =
      coordinator_.write<VariableRow>([&](WriteTransaction& transaction) -> Result<VariableRow> {
        auto& stores = transaction.stores;
        const auto owner = owner_of(stores, call);
        if (!owner) return owner.error();
        row.project_id = owner->project_id;
        row.group_path = owner->group_path;
        if (auto fine = check_variable(row, value); !fine) return fine.error();
        for (const auto& other : stores.variables.find(*owner, row.key))
          if (other.environment_scope == row.environment_scope) return taken(row);
        vault_.seal(row, value);
        row.created_at = row.updated_at = transaction.now;
        row.id = stores.variables.insert(row);
        auth::audit(
            stores, transaction.now,
            {call.principal.name(), "variable.created", audited(row), false, call.request.remote});
        return row;
      });
  if (!made) return made.error();
  const auto shown = view(*made);
  if (!shown) return shown.error();
  return json_response(201, *shown);
}

Result<Response> VariableRoutes::update(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  const auto filter = scope_filter(call, *body);
  if (!filter) return filter.error();
  const auto changed =
      coordinator_.write<VariableRow>([&](WriteTransaction& transaction) -> Result<VariableRow> {
        auto& stores = transaction.stores;
        const auto before = find(stores, call, *filter);
        if (!before) return before.error();
        VariableRow row = *before;
        const auto given = read_fields(*body, row);
        if (!given) return given.error();
        if (given->hide && !row.hidden)
          return fail(ErrorKind::InvalidInput,
                      "field 'masked_and_hidden' can be set only when a variable is made")
              .with_hint("delete the variable and make it anew");
        std::string value;
        if (given->value) {
          value = *given->value;
        } else {
          auto opened = vault_.open(*before);
          if (!opened) return opened.error();
          value = std::move(*opened);
        }
        if (auto fine = check_variable(row, value); !fine) return fine.error();
        for (const auto& other : stores.variables.find(before->owner(), row.key))
          if (other.id != row.id && other.environment_scope == row.environment_scope)
            return taken(row);
        vault_.seal(row, value);
        row.updated_at = transaction.now;
        stores.variables.update(row);
        auth::audit(
            stores, transaction.now,
            {call.principal.name(), "variable.changed", audited(row), false, call.request.remote});
        return row;
      });
  if (!changed) return changed.error();
  const auto shown = view(*changed);
  if (!shown) return shown.error();
  return json_response(200, *shown);
}

Result<Response> VariableRoutes::remove(const Call& call) {
  json body = json::object();
  if (!call.request.body.empty()) {
    auto parsed = parse_object(call.request.body);
    if (!parsed) return parsed.error();
    body = std::move(*parsed);
  }
  const auto filter = scope_filter(call, body);
  if (!filter) return filter.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& transaction) -> Result<void> {
    auto& stores = transaction.stores;
    const auto row = find(stores, call, *filter);
    if (!row) return row.error();
    stores.variables.remove(row->id);
    auth::audit(
        stores, transaction.now,
        {call.principal.name(), "variable.deleted", audited(*row), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return empty_response(204);
}

Result<Response> VariableRoutes::uses(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto scope = scope_filter(call, json::object());
  if (!scope) return scope.error();
  auto read = database_.read();
  const auto row = find(*read, call, *scope);
  if (!row) return row.error();
  const auto uses = read->variables.uses(row->id, *page);
  auto items = json::array();
  for (const auto& use : uses.rows) items.push_back(use_view(*read, use));
  return list_response(items, *page, uses.total);
}

}  // namespace slipway::server::http
