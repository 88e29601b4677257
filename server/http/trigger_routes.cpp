#include "server/http/trigger_routes.h"

#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/access/access.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/trigger_form.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::string_view kPrefix = "glptt-";
constexpr std::size_t kHintSize = 4;

std::string object_of(TriggerTokenId id) {
  return "trigger/" + std::to_string(id.value);
}

// `token`: shown this once; else how it begins.
json token_view(Stores& stores, const TriggerTokenRow& row, const std::string& token = {}) {
  const auto owner = stores.users.find(row.owner_id);
  return {{"id", row.id.value},
          {"description", row.description},
          {"token", token.empty() ? row.hint : token},
          {"created_at", to_rfc3339(row.created_at)},
          {"updated_at", to_rfc3339(row.updated_at)},
          {"last_used", row.last_used_at ? json(to_rfc3339(*row.last_used_at)) : json(nullptr)},
          {"owner", owner ? user_view(*owner) : json(nullptr)}};
}

Result<std::string> description_of(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  auto text = fields.needed_text("description");
  if (!fields.error() && (text.empty() || text.size() > 255))
    fields.refuse("description", "1 to 255 characters");
  if (fields.error()) return *fields.error();
  return text;
}

}  // namespace

TriggerRoutes::TriggerRoutes(Database& database, Coordinator& coordinator, PipelineIntake& intake,
                             const Clock& clock, std::string external_url)
    : database_(database),
      coordinator_(coordinator),
      intake_(intake),
      clock_(clock),
      url_(std::move(external_url)) {}

Result<TriggerTokenRow> TriggerRoutes::token_of(const Call& call) {
  const auto id = path_number(call.request, "trigger_id");
  if (!id) return not_found("Trigger");
  auto row = database_.read()->trigger_tokens.find(TriggerTokenId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Trigger");
  return *row;
}

Result<Response> TriggerRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  auto read = database_.read();
  const auto rows = read->trigger_tokens.list(call.project->id, *page);
  auto items = json::array();
  for (const TriggerTokenRow& row : rows.rows) items.push_back(token_view(*read, row));
  return list_response(items, *page, rows.total);
}

Result<Response> TriggerRoutes::show(const Call& call) {
  const auto row = token_of(call);
  if (!row) return row.error();
  return json_response(200, token_view(*database_.read(), *row));
}

Result<Response> TriggerRoutes::create(const Call& call) {
  const auto description = description_of(call);
  if (!description) return description.error();
  const std::string token = random_token(kPrefix);
  TriggerTokenRow row;
  row.project_id = call.project->id;
  row.description = *description;
  row.token_hash = token_hash(token);
  row.hint = token.substr(kPrefix.size(), kHintSize);
  row.owner_id = call.principal.user;
  row.created_at = row.updated_at = clock_.now();
  const auto made =
      coordinator_.write<TriggerTokenId>([&](WriteTransaction& write) -> Result<TriggerTokenId> {
        const TriggerTokenId id = write.stores.trigger_tokens.insert(row);
        auth::audit(
            write.stores, write.now,
            {call.principal.name(), "trigger.created", object_of(id), false, call.request.remote});
        return id;
      });
  if (!made) return made.error();
  row.id = *made;
  return json_response(201, token_view(*database_.read(), row, token));
}

Result<Response> TriggerRoutes::update(const Call& call) {
  auto row = token_of(call);
  if (!row) return row.error();
  const auto description = description_of(call);
  if (!description) return description.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    write.stores.trigger_tokens.describe(row->id, *description, write.now);
    auth::audit(
        write.stores, write.now,
        {call.principal.name(), "trigger.changed", object_of(row->id), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return show(call);
}

Result<Response> TriggerRoutes::remove(const Call& call) {
  const auto row = token_of(call);
  if (!row) return row.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    write.stores.trigger_tokens.remove(row->id);
    auth::audit(
        write.stores, write.now,
        {call.principal.name(), "trigger.deleted", object_of(row->id), false, call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return empty_response(204);
}

Result<Response> TriggerRoutes::start_pipeline(const Call& call) {
  auto form = read_trigger_form(call.request);
  if (!form) return form.error();
  const auto token = database_.read()->trigger_tokens.find_by_hash(token_hash(form->token));
  // As for a project that is not there: nobody learns by a wrong token which there are.
  if (!token || token->project_id != call.project->id) {
    note_audit(coordinator_, {"anonymous", "trigger.used", "", true, call.request.remote});
    return not_found("Project");
  }
  if (auto fine = check_owner_may_run(*database_.read(), clock_.now(), token->owner_id,
                                      *call.project, form->ref);
      !fine)
    return fail(ErrorKind::Denied,
                "the owner of this token may not start pipelines of this ref any more");
  TriggerRequest request;
  request.ref = std::move(form->ref);
  request.variables = std::move(form->variables);
  request.inputs = std::move(form->inputs);
  request.user = token->owner_id;
  request.by_trigger_token = true;
  const auto id = intake_.trigger(*call.project, request);
  if (!id) return id.error();
  coordinator_.submit<bool>(
      [used = token->id](WriteTransaction& write) -> Result<bool> {
        write.stores.trigger_tokens.used(used, write.now);
        return true;
      },
      nullptr);
  note_audit(coordinator_, {object_of(token->id), "pipeline.created",
                            "pipeline/" + std::to_string(id->value), false, call.request.remote});
  auto read = database_.read();
  const auto row = read->pipelines.find(*id);
  if (!row) return not_found("Pipeline");
  return json_response(201, Views{*read, url_, clock_.now()}.pipeline(*row));
}

}  // namespace slipway::server::http
