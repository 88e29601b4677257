#include "server/http/server.h"

#include "server/auth/access_tokens.h"
#include "server/auth/accounts.h"
#include "server/auth/password_pool.h"
#include "server/auth/people.h"
#include "server/auth/sessions.h"
#include "server/http/coordinator_writer.h"
#include "server/http/event_feed.h"
#include "server/http/gate.h"
#include "server/http/route_table.h"

namespace slipway::server::http {

namespace {

Handlers make_handlers(const HttpOptions& options, HttpServices& s, WorkerPool& workers,
                       auth::Sessions& sessions, auth::AccessTokens& tokens, auth::People& people,
                       auth::PasswordPool& passwords) {
  const Viewer::Parts viewing{s.database, s.clock, sessions, tokens};
  const auto& url = options.external_url;
  return {
      HealthRoutes{s.database, s.coordinator, s.dispatch, s.metrics, s.clock, options.build},
      IdentityRoutes{s.signer, s.clock, url},
      AccountRoutes{s.database, s.accounts, sessions, tokens, passwords,
                    options.listener.over_https},
      LoginRoutes{s.logins, sessions, passwords, options.listener.over_https},
      AuditRoutes{s.database},
      PeopleRoutes{s.database, people, url},
      MemberRoutes{s.database, s.coordinator, s.clock},
      ProjectTokenRoutes{s.database, tokens},
      ProjectRoutes{s.database, s.coordinator, s.projects, s.intake, s.clock, url},
      PipelineRoutes{s.database, s.coordinator, s.intake, s.clock, url},
      RunnerRoutes{s.database, s.coordinator, s.clock, url},
      RunnerProtocolRoutes{s.coordinator, s.dispatch, s.traces, s.payloads, workers, s.clock,
                           options.poll_hold},
      TraceRoutes{s.database, s.coordinator, s.traces, s.feed, viewing},
      ArtifactRoutes{s.database,
                     s.coordinator,
                     s.blobs,
                     s.clock,
                     {options.artifact_limit, options.artifact_expiry},
                     options.external_url},
      CacheRoutes{s.database, s.coordinator, s.caches},
      DeliveryRoutes{s.database, s.coordinator, s.intake},
      ForkRoutes{s.database, s.coordinator, s.intake},
      JobTokenRoutes{s.database, s.coordinator, s.clock, url},
      VariableRoutes{s.database, s.coordinator, s.vault},
      ProtectionRoutes{s.database, s.coordinator},
      GitRoutes{s.mirrors},
      BadgeRoutes{s.database},
      PageRoutes{s.files, s.feed, viewing},
      ScheduleRoutes{s.database, s.coordinator, s.clock},
      DeploymentRoutes{s.database, s.coordinator, s.clock, url},
      DeploymentRuleRoutes{s.database, s.coordinator, s.clock},
      ResourceGroupRoutes{s.database, s.coordinator},
      TriggerRoutes{s.database, s.coordinator, s.intake, s.clock, url},
      RunRoutes{s.database, s.runs, s.clock, url},
      TestReportRoutes{s.database, s.blobs, s.clock},
      CoverageRoutes{s.database, s.blobs},
      FindingsRoutes{s.database, s.blobs},
  };
}

}  // namespace

struct HttpServer::State {
  State(const HttpOptions& options, HttpServices& services)
      : writer(services.coordinator),
        sessions(services.database, writer, services.clock),
        tokens(services.database, writer, services.clock),
        people(writer),
        workers(options.worker_threads),
        gate(sessions, tokens, services.coordinator, services.database, services.clock,
             options.external_url),
        handlers(make_handlers(options, services, workers, sessions, tokens, people, passwords)),
        front(route_table(handlers,
                          {options.artifact_limit, options.webhook_limit, options.run_limit}),
              gate, &services.metrics) {}

  CoordinatorWriter writer;
  auth::Sessions sessions;
  auth::AccessTokens tokens;
  auth::People people;
  auth::PasswordPool passwords;
  WorkerPool workers;
  AuthGate gate;
  Handlers handlers;
  Front front;
  std::unique_ptr<Listener> listener;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpOptions options, HttpServices& services) {
  options.listener.over_https = options.external_url.starts_with("https://");
  if (options.external_url.empty())
    options.external_url =
        "http://" + options.listener.address + ":" + std::to_string(options.listener.port);
  auto state = std::make_unique<State>(options, services);
  auto listener = Listener::start(options.listener, state->front, state->workers);
  if (!listener) return std::move(listener).error();
  state->listener = std::move(*listener);
  return std::unique_ptr<HttpServer>{new HttpServer{std::move(state)}};
}

std::uint16_t HttpServer::port() const {
  return state_->listener->port();
}

void HttpServer::stop() {
  if (state_->listener) state_->listener->stop();
}

}  // namespace slipway::server::http
