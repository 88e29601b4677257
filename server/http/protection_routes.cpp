#include "server/http/protection_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

// Whatever git allows in a ref, and '*'.
bool is_ref_pattern(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return c > ' ' && c != 0x7F &&
                  std::string_view{"~^:?[\\"}.find(static_cast<char>(c)) == std::string_view::npos;
         });
}

const char* noun(RefKind kind) {
  return kind == RefKind::Tag ? "ProtectedTag" : "ProtectedBranch";
}

std::string audited(const Call& call, RefKind kind, const std::string& name) {
  return "project/" + std::to_string(call.project->id.value) + "/" + std::string{to_string(kind)} +
         "/" + name;
}

const char* describe(int level) {
  if (level == 0) return "No one";
  return level == static_cast<int>(Level::Developer) ? "Developers + Maintainers" : "Maintainers";
}

json view(const ProtectedRefRow& row, RefKind kind) {
  auto levels = json::array({{{"access_level", row.access_level},
                              {"access_level_description", describe(row.access_level)}}});
  return {{"id", row.id},
          {"name", row.name},
          {kind == RefKind::Tag ? "create_access_levels" : "push_access_levels", levels}};
}

}  // namespace

Result<Response> ProtectionRoutes::list(const Call& call, RefKind kind) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto rows = database_.read()->protections.list(call.project->id, kind, *page);
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(view(row, kind));
  return list_response(items, *page, rows.total);
}

Result<Response> ProtectionRoutes::show(const Call& call, RefKind kind) {
  const auto row =
      database_.read()->protections.find(call.project->id, kind, call.request.param("ref_name"));
  if (!row) return not_found(noun(kind));
  return json_response(200, view(*row, kind));
}

Result<Response> ProtectionRoutes::protect(const Call& call, RefKind kind) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto name = fields.needed_text("name");
  if (!fields.error() && !is_ref_pattern(name))
    fields.refuse("name", "a " + std::string{to_string(kind)} + ", with '*' for any text");
  const char* field = kind == RefKind::Tag ? "create_access_level" : "push_access_level";
  const auto level = fields.number(field).value_or(static_cast<int>(Level::Maintainer));
  if (level != 0 && level != 30 && level != 40)
    fields.refuse(field, "0 for nobody, 30 for developers or 40 for maintainers");
  if (fields.error()) return *fields.error();
  const auto made = coordinator_.write<ProtectedRefRow>(
      [&](WriteTransaction& transaction) -> Result<ProtectedRefRow> {
        auto& protections = transaction.stores.protections;
        if (protections.find(call.project->id, kind, name))
          return fail(ErrorKind::Conflict, "Protected " + std::string{to_string(kind)} + " '" +
                                               name + "' already exists");
        protections.protect(call.project->id, kind, name, transaction.now, static_cast<int>(level));
        auth::audit(transaction.stores, transaction.now,
                    {call.principal.name(), "ref.protected", audited(call, kind, name), false,
                     call.request.remote});
        return *protections.find(call.project->id, kind, name);
      });
  if (!made) return made.error();
  return json_response(201, view(*made, kind));
}

Result<Response> ProtectionRoutes::unprotect(const Call& call, RefKind kind) {
  const std::string name{call.request.param("ref_name")};
  const auto done = coordinator_.write<void>([&](WriteTransaction& transaction) -> Result<void> {
    if (!transaction.stores.protections.unprotect(call.project->id, kind, name))
      return not_found(noun(kind));
    auth::audit(transaction.stores, transaction.now,
                {call.principal.name(), "ref.unprotected", audited(call, kind, name), false,
                 call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return empty_response(204);
}

}  // namespace slipway::server::http
