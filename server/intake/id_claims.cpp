#include "server/intake/id_claims.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/variables.h"
#include "server/store/run_refs.h"

namespace slipway::server {
namespace {

using nlohmann::json;

std::string number(std::int64_t value) {
  return std::to_string(value);
}

std::string ref_path(const PipelineRow& row) {
  if (!stored_branch(row.ref).empty()) return row.ref;
  if (row.tag) return "refs/tags/" + row.ref;
  const auto request = json::parse(row.merge_request, nullptr, false);
  if (request.is_object())
    return "refs/merge-requests/" + number(request.value("iid", std::int64_t{0})) + "/head";
  return "refs/heads/" + row.ref;
}

void add_environment(json& claims, const pipeline::PlannedJob& planned, bool is_protected) {
  if (!planned.job.environment) return;
  const pipeline::Environment& environment = *planned.job.environment;
  claims["environment"] = environment.name;
  claims["environment_protected"] = is_protected ? "true" : "false";
  claims["environment_action"] = environment.action;
  claims["deployment_tier"] = environment.deployment_tier.empty()
                                  ? pipeline::environment_tier(environment.name)
                                  : environment.deployment_tier;
}

}  // namespace

json id_claims(const Assignment& assignment, const pipeline::PlannedJob& planned,
               const pipeline::JobFacts& facts, std::chrono::seconds longest,
               bool environment_protected) {
  const PipelineRow& pipeline = assignment.pipeline;
  const ProjectRow& project = assignment.project;
  const pipeline::ServerFacts& server = facts.trigger.server;
  // Of a work tree its whole name: as `main` it would open what is open to the branch.
  const std::string& ref = pipeline.ref;
  const std::string type = pipeline.tag ? "tag" : "branch";
  const long long now = assignment.job.assigned_at.value_or(0) / 1000;
  const auto life = std::min(pipeline::job_timeout(planned, facts), longest);
  const std::string host = server.url.substr(server.url.find("://") + 3);
  json claims{{"iss", server.url},
              {"sub", "project_path:" + project.path + ":ref_type:" + type + ":ref:" + ref},
              {"iat", now},
              {"nbf", now - 5},  // as GitLab has it, for clocks that are behind
              {"exp", now + life.count()},
              {"namespace_path", project.path.substr(0, project.path.rfind('/'))},
              {"project_id", number(project.id.value)},
              {"project_path", project.path},
              {"project_visibility", project.visibility},
              {"pipeline_id", number(pipeline.id.value)},
              {"pipeline_source", pipeline.source},
              {"job_id", number(assignment.job.id.value)},
              {"ref", ref},
              {"ref_type", type},
              {"ref_path", ref_path(pipeline)},
              {"ref_protected", assignment.job.ref_protected ? "true" : "false"},
              {"sha", pipeline.sha},
              {"runner_id", assignment.runner.id.value},
              {"runner_environment", "self-hosted"},
              {"ci_config_ref_uri", host + "/" + project.path + "//" + project.ci_config_path +
                                        "@" + ref_path(pipeline)},
              {"ci_config_sha", pipeline.sha}};
  if (pipeline.user_id) {
    claims["user_id"] = number(pipeline.user_id->value);
    claims["user_login"] = facts.trigger.user_login;
  }
  add_environment(claims, planned, environment_protected);
  return claims;
}

}  // namespace slipway::server
