// The room auth writes through the coordinator.
#pragma once

#include "server/auth/writer.h"
#include "server/coordinator/coordinator.h"

namespace slipway::server::http {

class CoordinatorWriter final : public auth::Writer {
 public:
  explicit CoordinatorWriter(Coordinator& coordinator) : coordinator_(coordinator) {}
  Result<void> write(Change change) override;
  void note(Change change) override;

 private:
  Coordinator& coordinator_;
};

}  // namespace slipway::server::http
