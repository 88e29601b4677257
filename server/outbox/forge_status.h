// Tells git hosts how a commit's pipelines stand: the target of the effects
// "pipeline_status", and of "gate_status": what a gate of the project says of the pipeline.
//
// The token never leaves this file but to the project's own host, and goes only over https and only
// to addresses that base/public_fetch allows. A host that fails several times in a row is left
// alone for a while, so that it does not hold up the others. Used by the outbox's thread; sealing
// is thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/keyring.h"
#include "server/forge/commit_status.h"
#include "server/forge/repository_list.h"
#include "server/outbox/outbox.h"

namespace slipway::server {

struct ForgeStatusOptions {
  std::string external_url;
  // Whether git hosts may be asked on loopback, private and link-local addresses, and without TLS.
  bool allow_private = false;
  std::chrono::milliseconds deadline{std::chrono::seconds{10}};  // of one call
  int failures = 5;                                              // in a row, and the host rests
  std::chrono::milliseconds rest{std::chrono::seconds{30}};
};

class ForgeStatusTarget final : public OutboxTarget {
 public:
  // All references must outlive it.
  ForgeStatusTarget(Database& database, const Clock& clock, const Keyring& keys,
                    ForgeStatusOptions options);

  Result<void> deliver(const EffectRow& effect) override;
  // The API that a project's token goes to. InvalidInput when it cannot be one; the message is
  // about the field forge_api_url.
  [[nodiscard]] Result<std::string> api_of(const ProjectRow& project) const;
  // A page of what somebody sees on a git host, by a token that is forgotten at once. Thread-safe.
  [[nodiscard]] Result<RepositoryPage> repositories(ForgeKind kind, const std::string& api_url,
                                                    const std::string& token,
                                                    const std::string& search, int page) const;
  // A project's token as the store keeps it.
  [[nodiscard]] std::string seal_token(std::string_view token) const;

 private:
  struct Breaker {
    int failures = 0;
    SteadyTime open_until{};
  };

  [[nodiscard]] std::optional<PipelineRow> told_of(const nlohmann::json& payload) const;
  // `call` to the host under `api`, whose breaker it moves.
  Result<void> send(ForgeKind kind, const std::string& api, const StatusCall& call);

  Database& database_;
  const Clock& clock_;
  const Keyring& keys_;
  ForgeStatusOptions options_;
  std::map<std::string, Breaker> breakers_;
};

// Why an address cannot be that of a git host's API; "" when it can.
std::string why_no_forge_api(std::string_view url, bool allow_private);

}  // namespace slipway::server
