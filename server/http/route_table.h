// All routes, one row each: what the server does is what stands in this table.
#pragma once

#include <vector>

#include "server/http/account_routes.h"
#include "server/http/artifact_routes.h"
#include "server/http/audit_routes.h"
#include "server/http/cache_routes.h"
#include "server/http/coverage_routes.h"
#include "server/http/delivery_routes.h"
#include "server/http/deployment_routes.h"
#include "server/http/deployment_rule_routes.h"
#include "server/http/findings_routes.h"
#include "server/http/fork_routes.h"
#include "server/http/health_routes.h"
#include "server/http/identity_routes.h"
#include "server/http/job_token_routes.h"
#include "server/http/login_routes.h"
#include "server/http/member_routes.h"
#include "server/http/outside_routes.h"
#include "server/http/page_routes.h"
#include "server/http/people_routes.h"
#include "server/http/pipeline_routes.h"
#include "server/http/project_routes.h"
#include "server/http/protection_routes.h"
#include "server/http/resource_group_routes.h"
#include "server/http/route.h"
#include "server/http/run_routes.h"
#include "server/http/runner_protocol_routes.h"
#include "server/http/runner_routes.h"
#include "server/http/schedule_routes.h"
#include "server/http/test_report_routes.h"
#include "server/http/trace_routes.h"
#include "server/http/trigger_routes.h"
#include "server/http/variable_routes.h"

namespace slipway::server::http {

struct Handlers {
  HealthRoutes health;
  IdentityRoutes identity;
  AccountRoutes accounts;
  LoginRoutes logins;
  AuditRoutes audit;
  PeopleRoutes people;
  MemberRoutes members;
  ProjectTokenRoutes project_tokens;
  ProjectRoutes projects;
  PipelineRoutes pipelines;
  RunnerRoutes runners;
  RunnerProtocolRoutes protocol;
  TraceRoutes traces;
  ArtifactRoutes artifacts;
  CacheRoutes caches;
  DeliveryRoutes deliveries;
  ForkRoutes forks;
  JobTokenRoutes job_tokens;
  VariableRoutes variables;
  ProtectionRoutes protections;
  GitRoutes git;
  BadgeRoutes badges;
  PageRoutes pages;
  ScheduleRoutes schedules;
  DeploymentRoutes deployments;
  DeploymentRuleRoutes deployment_rules;
  ResourceGroupRoutes resource_groups;
  TriggerRoutes triggers;
  RunRoutes runs;
  TestReportRoutes test_reports;
  CoverageRoutes coverage;
  FindingsRoutes findings;
};

struct BodyLimits {
  long long artifact = 1LL << 30;
  long long webhook = 5LL << 20;
  long long run = 100LL << 20;  // what of a work tree is not known here
};

// The rows refer to `handlers`, which must outlive them.
std::vector<Route> route_table(Handlers& handlers, const BodyLimits& limits);

}  // namespace slipway::server::http
