// What others than our page and our runners ask for: git, badges.
#pragma once

#include "server/http/ports.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class GitRoutes {
 public:
  explicit GitRoutes(GitMirrors& mirrors) : mirrors_(mirrors) {}
  Result<Response> info_refs(const Call& call);
  Result<Response> upload_pack(const Call& call);

 private:
  GitMirrors& mirrors_;
};

class BadgeRoutes {
 public:
  explicit BadgeRoutes(Database& database) : database_(database) {}
  Result<Response> pipeline(const Call& call);
  Result<Response> coverage(const Call& call);

 private:
  Database& database_;
};

// A badge as everybody knows it, two words on a strip. `colour` is "#4c1".
std::string badge_svg(std::string_view label, std::string_view value, std::string_view colour);

}  // namespace slipway::server::http
