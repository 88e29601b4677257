// Webhooks: what git hosts send, and the inbox in which a person sees what came of it.
#pragma once

#include "server/http/ports.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class DeliveryRoutes {
 public:
  DeliveryRoutes(Database& database, Coordinator& coordinator, PipelineIntake& intake)
      : database_(database), coordinator_(coordinator), intake_(intake) {}

  // From a git host. Answers as soon as the delivery is stored.
  Result<Response> receive(const Call& call);
  Result<Response> list(const Call& call);
  // With its headers and, up to a limit, its body.
  Result<Response> show(const Call& call);
  // Works on it once more; Conflict while it is being worked on.
  // How it stands with looking for pushes that no webhook told of.
  Result<Response> watch(const Call& call);
  Result<Response> replay(const Call& call);

 private:
  Database& database_;
  Coordinator& coordinator_;
  PipelineIntake& intake_;
};

}  // namespace slipway::server::http
