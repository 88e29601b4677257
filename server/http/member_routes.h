// Members of projects and groups, and the tokens that belong to a project.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "server/auth/access_tokens.h"
#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class MemberRoutes {
 public:
  MemberRoutes(Database& database, Coordinator& coordinator, const Clock& clock)
      : database_(database), coordinator_(coordinator), clock_(clock) {}

  Result<Response> list(const Call& call);
  Result<Response> list_all(const Call& call);  // with those of the groups above
  Result<Response> show(const Call& call);
  Result<Response> show_any(const Call& call);
  Result<Response> add(const Call& call);
  Result<Response> update(const Call& call);
  Result<Response> remove(const Call& call);

 private:
  Result<Response> put(const Call& call, const nlohmann::json& body, UserId user, bool is_new);

  Database& database_;
  Coordinator& coordinator_;
  const Clock& clock_;
};

class ProjectTokenRoutes {
 public:
  ProjectTokenRoutes(Database& database, auth::AccessTokens& tokens)
      : database_(database), tokens_(tokens) {}

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> create(const Call& call);
  Result<Response> revoke(const Call& call);

 private:
  [[nodiscard]] nlohmann::json view(const Call& call, const TokenRow& row);

  Database& database_;
  auth::AccessTokens& tokens_;
};

}  // namespace slipway::server::http
