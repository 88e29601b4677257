#include "server/http/people_routes.h"

#include <nlohmann/json.hpp>

#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

Result<UserId> id_of(const Call& call) {
  const auto id = path_number(call.request, "user_id");
  if (!id) return not_found("User");
  return UserId{*id};
}

json detail_view(const UserRow& row) {
  auto view = user_view(row);
  view["created_at"] = to_rfc3339(row.created_at);
  view["invited"] = !row.invitation_hash.empty();
  return view;
}

}  // namespace

json PeopleRoutes::invited_view(const auth::Invited& invited) const {
  auto view = detail_view(invited.user);
  view["invitation_url"] = url_ + "/-/invitation#" + invited.token;
  return view;
}

Result<Response> PeopleRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  auto read = database_.read();
  auto items = json::array();
  const auto name = call.request.query_value("username");
  if (name) {
    const auto row = read->users.find_by_name(*name);
    if (row && !row->bot_of)
      items.push_back(call.principal.is_admin ? detail_view(*row) : user_view(*row));
  } else if (call.principal.is_admin) {
    const auto rows = read->users.list(call.request.query_value("search").value_or(""), *page);
    for (const auto& row : rows.rows) items.push_back(detail_view(row));
    return list_response(items, *page, rows.total);
  } else if (const auto row = read->users.find(call.principal.user)) {
    items.push_back(user_view(*row));
  }
  return list_response(items, *page, static_cast<long long>(items.size()));
}

Result<Response> PeopleRoutes::show(const Call& call) {
  const auto id = id_of(call);
  if (!id) return id.error();
  const auto row = database_.read()->users.find(*id);
  const bool visible = call.principal.is_admin || *id == call.principal.user;
  if (!row || !visible) return not_found("User");
  return json_response(200, detail_view(*row));
}

Result<Response> PeopleRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  auth::NewPerson wanted;
  wanted.username = fields.needed_text("username");
  wanted.name = fields.text("name").value_or("");
  wanted.is_admin = fields.flag("admin").value_or(false);
  if (fields.text("password"))
    fields.refuse("password", "left out: people set it themselves, with the link of the answer");
  if (fields.error()) return *fields.error();
  const auto made = people_.create(call.principal, wanted, call.request.remote);
  if (!made) return made.error();
  return json_response(201, invited_view(*made));
}

Result<Response> PeopleRoutes::update(const Call& call) {
  const auto id = id_of(call);
  if (!id) return id.error();
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auth::PersonChange change{fields.text("name"), fields.flag("admin")};
  if (fields.error()) return *fields.error();
  const auto done = people_.change(call.principal, *id, change, call.request.remote);
  if (!done) return done.error();
  return json_response(200, detail_view(*done));
}

Result<Response> PeopleRoutes::remove(const Call& call) {
  const auto id = id_of(call);
  if (!id) return id.error();
  if (auto done = people_.remove(call.principal, *id, call.request.remote); !done)
    return done.error();
  return empty_response(204);
}

Result<Response> PeopleRoutes::block(const Call& call) {
  const auto id = id_of(call);
  if (!id) return id.error();
  const auto done = people_.block(call.principal, *id, call.request.remote);
  if (!done) return done.error();
  return json_response(201, true);
}

Result<Response> PeopleRoutes::unblock(const Call& call) {
  const auto id = id_of(call);
  if (!id) return id.error();
  const auto done = people_.unblock(call.principal, *id, call.request.remote);
  if (!done) return done.error();
  return json_response(201, true);
}

Result<Response> PeopleRoutes::invite(const Call& call) {
  const auto id = id_of(call);
  if (!id) return id.error();
  const auto done = people_.invite(call.principal, *id, call.request.remote);
  if (!done) return done.error();
  return json_response(201, invited_view(*done));
}

}  // namespace slipway::server::http
