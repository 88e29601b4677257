// Caches that the runners of a project share, with the token of a job that runs.
//
// Which side of the project's caches a job reads and writes follows from what the server knows of
// it: whether its pipeline is of a fork, and whether its ref was protected when that was made. Its
// key decides nothing, except that a protected job whose pipeline file says `unprotect` works on
// the other side.
#pragma once

#include "server/caches/cache_depot.h"
#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class CacheRoutes {
 public:
  CacheRoutes(Database& database, Coordinator& coordinator, CacheDepot& depot)
      : database_(database), coordinator_(coordinator), depot_(depot) {}

  Result<Response> show(const Call& call);
  Result<Response> store(const Call& call);
  // Which of the named pieces the server lacks.
  Result<Response> missing(const Call& call);
  Result<Response> download_piece(const Call& call);
  Result<Response> upload_piece(const Call& call);
  // All caches of a project, by hand of a person.
  Result<Response> clear(const Call& call);

 private:
  struct Place {
    CacheScope scope;
    std::string key;
  };
  // Of the job that asks; also shows that it lives.
  Result<Place> place_of(const Call& call);

  Database& database_;
  Coordinator& coordinator_;
  CacheDepot& depot_;
};

}  // namespace slipway::server::http
