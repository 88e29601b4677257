// Runners as their owner sees them: list, make, change, remove. Two routes are for runners
// themselves.
#pragma once

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class RunnerRoutes {
 public:
  RunnerRoutes(Database& database, Coordinator& coordinator, const Clock& clock,
               std::string external_url)
      : database_(database),
        coordinator_(coordinator),
        clock_(clock),
        url_(std::move(external_url)) {}

  // All of them, or those that the query's type, status, paused and tag_list name.
  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> managers(const Call& call);
  // What it has run and runs, newest first.
  Result<Response> jobs(const Call& call);
  Result<Response> create(const Call& call);
  Result<Response> update(const Call& call);
  Result<Response> remove(const Call& call);
  // A new token instead of the old one, which opens nothing from then on.
  Result<Response> reset_token(const Call& call);

  // With the runner's own token in the request: what `gitlab-runner reset-token` and `unregister`
  // ask.
  Result<Response> reset_own_token(const Call& call);
  Result<Response> remove_itself(const Call& call);
  // Registration tokens, shared by everybody who ever read one, are not offered: 410.
  Result<Response> register_legacy(const Call& call);

 private:
  Result<Response> view(RunnerId id);
  Result<Response> renew_token(const Call& call, RunnerId id);
  // The table cannot say it: which project it is for stands in the body.
  Result<void> check_may_create(const Call& call, const RunnerRow& row);
  Result<Response> remove_runner(const Call& call, RunnerId id);

  Database& database_;
  Coordinator& coordinator_;
  const Clock& clock_;
  std::string url_;
};

}  // namespace slipway::server::http
