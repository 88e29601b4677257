// The HTTP server as a whole: what cli/ puts together and starts.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "server/http/health_routes.h"
#include "server/http/listener.h"
#include "server/http/ports.h"

namespace slipway::server {
class BlobStore;
class CacheDepot;
class Coordinator;
class Database;
class Dispatch;
class TokenSigner;
class TraceStore;
class VariableVault;
}  // namespace slipway::server

namespace slipway::server::auth {
class Accounts;
}

namespace slipway::server::login {
class RemoteLogin;
}

namespace slipway::server::http {

class EventFeed;
class WorkTreeRuns;

struct HttpOptions {
  ListenerOptions listener;
  int worker_threads = 8;
  std::string external_url;  // without a trailing slash; empty: http://<address>:<port>
  std::chrono::milliseconds poll_hold{std::chrono::seconds{30}};
  long long artifact_limit = 1LL << 30;
  std::chrono::seconds artifact_expiry{0};  // of those that name none; 0 is never
  long long webhook_limit = 5LL << 20;
  long long run_limit = 100LL << 20;
  BuildInfo build;
};

// Everything must outlive the server. `feed` observes the coordinator before that is started, and
// prepare_setup() of `accounts` was called.
struct HttpServices {
  const Clock& clock;
  Database& database;
  Coordinator& coordinator;
  Dispatch& dispatch;
  TraceStore& traces;
  BlobStore& blobs;
  CacheDepot& caches;
  EventFeed& feed;
  auth::Accounts& accounts;
  login::RemoteLogin& logins;
  JobPayloads& payloads;
  PipelineIntake& intake;
  ProjectSetup& projects;
  GitMirrors& mirrors;
  WorkTreeRuns& runs;
  const VariableVault& vault;
  const TokenSigner& signer;
  const StaticFiles& files;
  telemetry::Metrics& metrics;
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> start(HttpOptions options, HttpServices& services);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  // Answers what is held, ends streams, lets the rest finish for a few seconds.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server::http
