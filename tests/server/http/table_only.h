// The route table of a running fixture, for tests that look at its rows.
#pragma once

#include <vector>

#include "server/auth/password_pool.h"
#include "server/auth/people.h"
#include "server/http/route_table.h"
#include "tests/server/http/api_fixture.h"

namespace slipway::server::http {

// The table without a server: its handlers are never called.
struct TableOnly {
  test::ApiFixture& api;
  auth::Sessions sessions{*api.database, *api.writer, api.clock};
  auth::AccessTokens tokens{*api.database, *api.writer, api.clock};
  auth::People people{*api.writer};
  Viewer::Parts viewing{*api.database, api.clock, sessions, tokens};
  auth::PasswordPool passwords{1};
  WorkerPool workers{1};
  Handlers handlers{
      HealthRoutes{*api.database, *api.coordinator, *api.dispatch, api.metrics, api.clock, {}},
      IdentityRoutes{api.signer, api.clock, ""},
      AccountRoutes{*api.database, *api.accounts, sessions, tokens, passwords, false},
      LoginRoutes{*api.logins, sessions, passwords, false},
      AuditRoutes{*api.database},
      PeopleRoutes{*api.database, people, ""},
      MemberRoutes{*api.database, *api.coordinator, api.clock},
      ProjectTokenRoutes{*api.database, tokens},
      ProjectRoutes{*api.database, *api.coordinator, api.outside, api.outside, api.clock, ""},
      PipelineRoutes{*api.database, *api.coordinator, api.outside, api.clock, ""},
      RunnerRoutes{*api.database, *api.coordinator, api.clock, ""},
      RunnerProtocolRoutes{*api.coordinator, *api.dispatch, *api.traces, api.outside, workers,
                           api.clock, std::chrono::seconds{1}},
      TraceRoutes{*api.database, *api.coordinator, *api.traces, *api.feed, viewing},
      ArtifactRoutes{*api.database, *api.coordinator, *api.blobs, api.clock, {}, ""},
      CacheRoutes{*api.database, *api.coordinator, *api.caches},
      DeliveryRoutes{*api.database, *api.coordinator, api.outside},
      ForkRoutes{*api.database, *api.coordinator, api.outside},
      JobTokenRoutes{*api.database, *api.coordinator, api.clock, ""},
      VariableRoutes{*api.database, *api.coordinator, *api.vault},
      ProtectionRoutes{*api.database, *api.coordinator},
      GitRoutes{api.outside},
      BadgeRoutes{*api.database},
      PageRoutes{api.outside, *api.feed, viewing},
      ScheduleRoutes{*api.database, *api.coordinator, api.clock},
      DeploymentRoutes{*api.database, *api.coordinator, api.clock, ""},
      DeploymentRuleRoutes{*api.database, *api.coordinator, api.clock},
      ResourceGroupRoutes{*api.database, *api.coordinator},
      TriggerRoutes{*api.database, *api.coordinator, api.outside, api.clock, ""},
      RunRoutes{*api.database, api.outside, api.clock, ""},
      TestReportRoutes{*api.database, *api.blobs, api.clock},
      CoverageRoutes{*api.database, *api.blobs},
      FindingsRoutes{*api.database, *api.blobs}};
  std::vector<Route> routes = route_table(handlers, {});
};

}  // namespace slipway::server::http
