#include "server/http/member_routes.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::string_view kLevels =
    "10 (guest), 20 (reporter), 30 (developer), 40 (maintainer) or 50 (owner)";

MemberPlace place_of(const Call& call) {
  if (call.project) return MemberPlace::project(*call.project);
  return MemberPlace::group(call.request.param("group"));
}

std::string audited(const MemberPlace& place, UserId user) {
  const std::string where = place.project_id ? "project/" + std::to_string(place.project_id->value)
                                             : "group/" + place.group_path;
  return where + "/member/" + std::to_string(user.value);
}

std::optional<Level> level_of(long long number) {
  constexpr std::array kAll{Level::Guest, Level::Reporter, Level::Developer, Level::Maintainer,
                            Level::Owner};
  const auto* const found = std::find_if(kAll.begin(), kAll.end(), [&](Level level) {
    return static_cast<long long>(level) == number;
  });
  return found == kAll.end() ? std::nullopt : std::optional{*found};
}

// The beginning of a day, UTC; nullopt for what is none.
std::optional<UnixMillis> day(const std::string& text) {
  using namespace std::chrono;
  int y = 0;
  unsigned m = 0;
  unsigned d = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &y, &m, &d, &used) != 3 || used != 10 ||
      text.size() != 10)
    return std::nullopt;
  const year_month_day date{year{y}, month{m}, std::chrono::day{d}};
  if (!date.ok()) return std::nullopt;
  return duration_cast<milliseconds>(sys_days{date}.time_since_epoch()).count();
}

json member_view(Stores& stores, const MemberRow& row) {
  const auto user = stores.users.find(row.user_id);
  auto view = user ? user_view(*user) : json::object();
  view.erase("is_admin");
  view["access_level"] = static_cast<int>(row.level);
  view["created_at"] = to_rfc3339(row.created_at);
  view["expires_at"] =
      row.expires_at ? json(to_rfc3339(*row.expires_at).substr(0, 10)) : json(nullptr);
  view["group"] = row.project_id ? json(nullptr) : json(row.group_path);
  return view;
}

Result<UserId> user_of_path(const Call& call) {
  const auto id = path_number(call.request, "user_id");
  if (!id) return not_found("Member");
  return UserId{*id};
}

}  // namespace

Result<Response> MemberRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  auto read = database_.read();
  const auto rows = read->members.list(place_of(call), clock_.now(), *page);
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(member_view(*read, row));
  return list_response(items, *page, rows.total);
}

Result<Response> MemberRoutes::list_all(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  auto read = database_.read();
  const auto rows = read->members.with_inherited(place_of(call), clock_.now());
  auto items = json::array();
  const auto first = static_cast<std::size_t>(page->page - 1) * page->per_page;
  for (std::size_t i = first; i < rows.size() && i < first + page->per_page; ++i)
    items.push_back(member_view(*read, rows[i]));
  return list_response(items, *page, static_cast<long long>(rows.size()));
}

Result<Response> MemberRoutes::show(const Call& call) {
  const auto user = user_of_path(call);
  if (!user) return user.error();
  auto read = database_.read();
  const auto row = read->members.find(place_of(call), *user);
  if (!row || (row->expires_at && *row->expires_at <= clock_.now())) return not_found("Member");
  return json_response(200, member_view(*read, *row));
}

Result<Response> MemberRoutes::show_any(const Call& call) {
  const auto user = user_of_path(call);
  if (!user) return user.error();
  auto read = database_.read();
  for (const auto& row : read->members.with_inherited(place_of(call), clock_.now()))
    if (row.user_id == *user) return json_response(200, member_view(*read, row));
  return not_found("Member");
}

Result<Response> MemberRoutes::put(const Call& call, const json& body, UserId user, bool is_new) {
  FieldReader fields{body};
  const auto number = fields.number("access_level");
  const auto level = number ? level_of(*number) : std::nullopt;
  if (!level && !fields.error()) fields.refuse("access_level", kLevels);
  const auto until = fields.text("expires_at").value_or("");
  if (!until.empty() && !day(until)) fields.refuse("expires_at", "a day like 2030-12-31");
  if (fields.error()) return *fields.error();
  const auto place = place_of(call);
  MemberRow row;
  row.user_id = user;
  row.project_id = place.project_id;
  row.group_path = place.group_path;
  row.level = *level;
  if (!until.empty()) row.expires_at = day(until);
  row.created_by = call.principal.user;
  const auto done =
      coordinator_.write<MemberRow>([&](WriteTransaction& write) -> Result<MemberRow> {
        auto& stores = write.stores;
        const auto person = stores.users.find(user);
        const auto known = stores.members.find(place, user);
        if (!person || person->bot_of) return not_found(is_new ? "User" : "Member");
        const bool is_member = known && (!known->expires_at || *known->expires_at > write.now);
        if (is_new && is_member) return fail(ErrorKind::Conflict, "Member already exists");
        if (!is_new && !known) return not_found("Member");
        row.created_at = write.now;
        stores.members.put(row);
        write.changes.access = true;
        auth::audit(stores, write.now,
                    {call.principal.name(), is_new ? "member.added" : "member.changed",
                     audited(place, user), false, call.request.remote});
        return *stores.members.find(place, user);
      });
  if (!done) return done.error();
  return json_response(is_new ? 201 : 200, member_view(*database_.read(), *done));
}

Result<Response> MemberRoutes::add(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto id = fields.number("user_id");
  const auto name = fields.text("username");
  if (!id && !name && !fields.error()) fields.refuse("user_id", "given, or username instead");
  if (fields.error()) return *fields.error();
  UserId user{id.value_or(0)};
  if (!id) {
    const auto row = database_.read()->users.find_by_name(*name);
    if (!row) return not_found("User");
    user = row->id;
  }
  return put(call, *body, user, true);
}

Result<Response> MemberRoutes::update(const Call& call) {
  const auto user = user_of_path(call);
  if (!user) return user.error();
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  return put(call, *body, *user, false);
}

Result<Response> MemberRoutes::remove(const Call& call) {
  const auto user = user_of_path(call);
  if (!user) return user.error();
  const auto place = place_of(call);
  const auto done = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    if (!write.stores.members.remove(place, *user)) return not_found("Member");
    write.changes.access = true;
    auth::audit(write.stores, write.now,
                {call.principal.name(), "member.removed", audited(place, *user), false,
                 call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return empty_response(204);
}

json ProjectTokenRoutes::view(const Call& call, const TokenRow& row) {
  auto view = token_view(row);
  const auto member =
      database_.read()->members.find(MemberPlace::project(*call.project), row.user_id);
  view["user_id"] = row.user_id.value;
  view["access_level"] = static_cast<int>(member ? member->level : Level::None);
  return view;
}

Result<Response> ProjectTokenRoutes::list(const Call& call) {
  auto items = json::array();
  for (const auto& row : tokens_.of_project(call.project->id)) items.push_back(view(call, row));
  return json_response(200, items);
}

Result<Response> ProjectTokenRoutes::show(const Call& call) {
  const auto id = path_number(call.request, "token_id");
  if (!id) return not_found("Access Token");
  for (const auto& row : tokens_.of_project(call.project->id))
    if (row.id == TokenId{*id}) return json_response(200, view(call, row));
  return not_found("Access Token");
}

Result<Response> ProjectTokenRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  auth::NewProjectToken wanted;
  wanted.name = fields.needed_text("name");
  wanted.scopes = fields.texts("scopes").value_or(std::vector<std::string>{"api"});
  const auto level = level_of(fields.number("access_level").value_or(40));
  if (!level) fields.refuse("access_level", kLevels);
  const auto days = fields.number("expires_in_days").value_or(90);
  if (days < 1 || days > 365) fields.refuse("expires_in_days", "a number from 1 to 365");
  if (fields.error()) return *fields.error();
  wanted.level = *level;
  wanted.days = static_cast<int>(days);
  const auto made =
      tokens_.create(call.principal, call.level, *call.project, wanted, call.request.remote);
  if (!made) return made.error();
  auto answer = view(call, made->row);
  answer["token"] = made->token;
  return json_response(201, answer);
}

Result<Response> ProjectTokenRoutes::revoke(const Call& call) {
  const auto id = path_number(call.request, "token_id");
  if (!id) return not_found("Access Token");
  const auto done =
      tokens_.revoke(call.principal, call.project->id, TokenId{*id}, call.request.remote);
  if (!done) return done.error();
  return empty_response(204);
}

}  // namespace slipway::server::http
