// Who has an account: for administrators, and as far as others need to know.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "server/auth/people.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class PeopleRoutes {
 public:
  PeopleRoutes(Database& database, auth::People& people, std::string external_url)
      : database_(database), people_(people), url_(std::move(external_url)) {}

  // Everybody, for an administrator; for others themselves, and whose user name they know.
  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> create(const Call& call);
  Result<Response> update(const Call& call);
  Result<Response> remove(const Call& call);
  Result<Response> block(const Call& call);
  Result<Response> unblock(const Call& call);
  Result<Response> invite(const Call& call);

 private:
  // The link that its maker hands over. What stands behind '#' is not sent to any server.
  [[nodiscard]] nlohmann::json invited_view(const auth::Invited& invited) const;

  Database& database_;
  auth::People& people_;
  std::string url_;
};

}  // namespace slipway::server::http
