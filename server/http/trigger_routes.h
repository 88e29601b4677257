// Trigger tokens of a project and the pipelines that they start. As GitLab's API has them, but that
// a token is shown once, and never taken from a URL.
#pragma once

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/http/ports.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class TriggerRoutes {
 public:
  TriggerRoutes(Database& database, Coordinator& coordinator, PipelineIntake& intake,
                const Clock& clock, std::string external_url);

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> create(const Call& call);
  Result<Response> update(const Call& call);
  Result<Response> remove(const Call& call);
  // Asks for no account: the token in the body is the credential.
  Result<Response> start_pipeline(const Call& call);

 private:
  Result<TriggerTokenRow> token_of(const Call& call);

  Database& database_;
  Coordinator& coordinator_;
  PipelineIntake& intake_;
  const Clock& clock_;
  std::string url_;
};

}  // namespace slipway::server::http
