#include "server/intake/job_payload.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "pipeline/job_payload.h"
#include "pipeline/variables.h"
#include "server/coordinator/deployment_rules.h"
#include "server/intake/id_claims.h"
#include "server/intake/stored_variables.h"
#include "server/store/run_refs.h"

namespace slipway::server {
namespace {

using pipeline::JobSpec;
using pipeline::PlannedJob;
using pipeline::Variable;
using pipeline::Variables;

// scheme://gitlab-ci-token:<token>@host/path.git
std::string clone_url(const std::string& server, const std::string& path,
                      const std::string& token) {
  const auto host = server.find("://") + 3;
  return server.substr(0, host) + "gitlab-ci-token:" + token + "@" + server.substr(host) + "/" +
         path + ".git";
}

// What the store knows of a job that goes out.
class StoredFacts {
 public:
  StoredFacts(const Assignment& assignment, const PlannedJob& planned, const PayloadFacts& facts,
              Database& database)
      : assignment_(assignment), planned_(planned), facts_(facts), database_(database) {}

  [[nodiscard]] pipeline::JobFacts all() const {
    const JobRow& job = assignment_.job;
    pipeline::JobFacts facts;
    facts.id = job.id.value;
    facts.token = assignment_.token;
    if (job.assigned_at) facts.started_at = to_rfc3339(*job.assigned_at);
    if (job.queued_at && job.assigned_at)
      facts.seconds_in_queue = static_cast<double>(*job.assigned_at - *job.queued_at) / 1000.0;
    facts.pipeline_id = assignment_.pipeline.id.value;
    facts.pipeline_iid = assignment_.pipeline.iid;
    facts.pipeline_name = assignment_.pipeline.name;
    facts.pipeline_created_at = to_rfc3339(assignment_.pipeline.created_at);
    facts.trigger = trigger();
    const PipelineRow& row = assignment_.pipeline;
    if (!run_branch(row.ref).empty()) facts.stored_ref = row.ref;
    if (is_fork_ref(row.ref)) {
      facts.stored_ref = row.sha;  // the name goes with the merge request
      facts.cache_scope = "fork_" + fork_number(row.ref);
    }
    facts.clone_url = clone_url(facts_.server.url, assignment_.project.path, assignment_.token);
    facts.handed_on = handed_on();
    facts.dependencies = dependencies();
    facts.runner_id = assignment_.runner.id.value;
    facts.runner_description = assignment_.runner.description;
    facts.runner_tags = assignment_.runner.tags;
    facts.default_timeout = facts_.default_timeout;
    if (const auto most = assignment_.runner.maximum_timeout)
      facts.longest_timeout = std::chrono::seconds{*most};
    return facts;
  }

  // Of a job whose artifacts this one takes and that are not there any more: why this one cannot
  // run.
  [[nodiscard]] std::optional<std::string> missing_dependency() const {
    const UnixMillis now = assignment_.job.assigned_at.value_or(0);
    auto read = database_.read();
    const auto taken = [&](JobId id) -> std::optional<JobRow> {
      auto other = read->jobs.find(id);
      if (!other || other->retried || !is_taken(*other)) return std::nullopt;
      return other;
    };
    for (const RemovedArtifacts& removed :
         read->artifacts.removed_of_pipeline(assignment_.pipeline.id))
      if (const auto other = removed.archive ? taken(removed.job_id) : std::nullopt)
        return "those of job '" + other->name +
               (removed.reason == "deleted" ? "' were deleted" : "' have expired");
    for (const ArtifactRow& artifact : read->artifacts.of_pipeline(assignment_.pipeline.id)) {
      if (artifact.file_type != "archive" || !read->artifacts.is_over(artifact, now)) continue;
      if (const auto other = taken(artifact.job_id))
        return "those of job '" + other->name + "' have expired";
    }
    return std::nullopt;
  }

 private:
  pipeline::Trigger trigger() const {
    const PipelineRow& row = assignment_.pipeline;
    const ProjectRow& project = assignment_.project;
    pipeline::Trigger trigger;
    trigger.source = pipeline::parse_source(row.source).value_or(pipeline::Source::Push);
    const std::string stored = stored_branch(row.ref);
    (row.tag ? trigger.tag : trigger.branch) = stored.empty() ? row.ref : stored;
    trigger.sha = row.sha;
    trigger.before_sha = row.before_sha;
    trigger.ref_protected = row.ref_protected;
    trigger.deploy_freeze =
        database_.read()
            ->deployment_rules.frozen_until(project.id, assignment_.job.assigned_at.value_or(0))
            .has_value();
    trigger.commit_message = row.commit_message;
    trigger.commit_author = row.author_name + " <" + row.author_email + ">";
    trigger.commit_timestamp = row.committed_at ? to_rfc3339(*row.committed_at) : "";
    trigger.project = {project.id.value, project.path, project.default_branch, project.visibility,
                       project.ci_config_path};
    trigger.server = facts_.server;
    if (row.user_id)
      if (const auto user = database_.read()->users.find(*row.user_id))
        trigger.user_login = trigger.user_name = user->username;
    trigger.pipeline_variables = variables_from_json(assignment_.variables);
    return trigger;
  }

  [[nodiscard]] bool is_taken(const JobRow& other) const {
    return pipeline::takes_artifacts_of(planned_, other.name, other.stage_index);
  }

  // By the dotenv reports of the jobs whose artifacts this one takes, in their order.
  Variables handed_on() const {
    Variables variables;
    auto read = database_.read();
    for (const auto& [id, text] : read->artifacts.dotenv_of_pipeline(assignment_.pipeline.id)) {
      const auto other = read->jobs.find(id);
      if (!other || other->retried || !is_taken(*other)) continue;
      for (const auto& entry : nlohmann::json::parse(text))
        pipeline::set_variable(
            variables, Variable{.name = entry.at("name"), .value = entry.at("value"), .raw = true});
    }
    return variables;
  }

  std::vector<pipeline::JobDependency> dependencies() const {
    std::vector<pipeline::JobDependency> dependencies;
    auto read = database_.read();
    // Of the jobs only those that have an archive are read; the last upload of a job counts.
    std::map<JobId, ArtifactRow> archives;
    for (ArtifactRow& artifact : read->artifacts.of_pipeline(assignment_.pipeline.id))
      if (artifact.file_type == "archive")
        archives.insert_or_assign(artifact.job_id, std::move(artifact));
    for (const auto& [id, archive] : archives) {
      const auto other = read->jobs.find(id);
      if (!other || other->retried || !is_taken(*other)) continue;
      dependencies.push_back(
          {id.value, other->name, assignment_.token, archive.file_name, archive.size});
    }
    return dependencies;
  }

  const Assignment& assignment_;
  const PlannedJob& planned_;
  const PayloadFacts& facts_;
  Database& database_;
};

// `needs: {pipeline, job}`: what a job of the parent pipeline, or of another of its family, left.
class ForeignArtifacts {
 public:
  ForeignArtifacts(const Assignment& assignment, const PlannedJob& planned, Database& database)
      : assignment_(assignment), planned_(planned), database_(database) {}

  Result<void> add_to(pipeline::JobFacts& facts) const {
    if (planned_.job.foreign_needs.empty()) return {};
    const auto variables = pipeline::variables_before_run(planned_, facts);
    if (!variables) return variables.error();
    for (const pipeline::ForeignNeed& need : planned_.job.foreign_needs) {
      if (!need.project.empty() || !need.artifacts) continue;
      auto found = find(pipeline::expand_text(need.pipeline, *variables, true), need.job);
      if (!found && need.optional) continue;
      if (!found) return std::move(found).error();
      facts.dependencies.push_back(std::move(*found));
    }
    return {};
  }

 private:
  Result<pipeline::JobDependency> find(const std::string& number, const std::string& name) const {
    const std::string where = "job '" + name + "' of pipeline '" + number + "'";
    PipelineId id;
    std::from_chars(number.data(), number.data() + number.size(), id.value);
    auto read = database_.read();
    const auto pipeline = read->pipelines.find(id);
    if (!pipeline || pipeline->project_id != assignment_.project.id || !is_family(*read, id))
      return fail(ErrorKind::NotFound,
                  where + " is not of the pipelines that this one hangs together with");
    for (const JobRow& job : read->jobs.of_pipeline(id)) {
      if (job.name != name || job.retried) continue;
      const auto archive = read->artifacts.find(job.id, "archive");
      const UnixMillis now = assignment_.job.assigned_at.value_or(0);
      if (!archive || read->artifacts.is_over(*archive, now)) break;
      return pipeline::JobDependency{job.id.value, job.name, assignment_.token, archive->file_name,
                                     archive->size};
    }
    return fail(ErrorKind::NotFound, where + " has left no artifacts");
  }

  static PipelineId root_of(Stores& stores, PipelineId id) {
    constexpr int kHighest = 100;
    const auto ancestors = stores.bridges.ancestors(id, kHighest);
    return ancestors.empty() ? id : ancestors.back().upstream_id;
  }
  bool is_family(Stores& stores, PipelineId other) const {
    return root_of(stores, other) == root_of(stores, assignment_.pipeline.id);
  }

  const Assignment& assignment_;
  const PlannedJob& planned_;
  Database& database_;
};

bool is_environment_protected(Database& database, const Assignment& assignment) {
  const auto rules = database.read()->deployment_rules.protections(assignment.project.id);
  return rule_for(rules, assignment.job.environment).has_value();
}

Result<PlannedJob> planned_job(const Assignment& assignment) {
  const auto json = nlohmann::json::parse(assignment.plan, nullptr, false);
  if (json.is_discarded())
    return fail(
        ErrorKind::Internal,
        "the stored plan of job " + std::to_string(assignment.job.id.value) + " cannot be read");
  return pipeline::planned_job_from_json(json);
}

}  // namespace

Result<JobSpec> JobPayload::make(const Assignment& assignment) const {
  auto planned = planned_job(assignment);
  if (!planned) return std::move(planned).error();
  const StoredFacts stored{assignment, *planned, facts_, database_};
  if (auto missing = stored.missing_dependency()) return fail(ErrorKind::NotFound, *missing);
  // As the ref stood when the pipeline was made: a job keeps the trust that it was given then. One
  // of a fork gets none of them: what looks harmless in the settings may open something.
  auto settings = is_fork_ref(assignment.pipeline.ref)
                      ? Result<pipeline::SettingVariables>{pipeline::SettingVariables{}}
                      : vault_.for_jobs(assignment.project, assignment.job.ref_protected);
  if (!settings) return std::move(settings).error();
  pipeline::JobFacts facts = stored.all();
  facts.trigger.project_variables = std::move(*settings);
  if (auto added = ForeignArtifacts{assignment, *planned, database_}.add_to(facts); !added)
    return std::move(added).error();
  if (auto added = add_id_tokens(assignment, *planned, facts); !added)
    return std::move(added).error();
  auto spec = pipeline::make_job_spec(*planned, facts);
  if (!spec) return spec;
  auto given =
      pipeline::chosen(facts.trigger.project_variables, pipeline::environment_name(*planned));
  std::erase_if(given, [&](const pipeline::SettingVariable* one) {
    return pipeline::find_variable(facts.trigger.pipeline_variables, one->variable.name) != nullptr;
  });
  if (auto recorded = record_uses(assignment, given); !recorded) return std::move(recorded).error();
  if (auto recorded = record_url(assignment, *planned, facts); !recorded)
    return std::move(recorded).error();
  return spec;
}

Result<void> JobPayload::record_url(const Assignment& assignment, const PlannedJob& planned,
                                    const pipeline::JobFacts& facts) const {
  if (!planned.job.environment || planned.job.environment->url.empty()) return {};
  const auto variables = pipeline::variables_before_run(planned, facts);
  if (!variables) return variables.error();
  const auto* written = pipeline::find_variable(*variables, "CI_ENVIRONMENT_URL");
  if (written == nullptr) return {};
  // What nobody knows yet stays, for the end of the job.
  const std::string url =
      pipeline::expand_nested(written->value, pipeline::Scope{&*variables}, false);
  return coordinator_.write<void>([&](WriteTransaction& transaction) -> Result<void> {
    auto deployment = transaction.stores.deployments.of_job(assignment.job.id);
    if (!deployment || deployment->url == url) return {};
    deployment->url = url;
    transaction.stores.deployments.update(*deployment);
    return {};
  });
}

Result<void> JobPayload::add_id_tokens(const Assignment& assignment, const PlannedJob& planned,
                                       pipeline::JobFacts& facts) const {
  // A fork's branch is called as its author likes, so its job could pass for one of the project.
  if (planned.job.id_tokens.empty() || facts_.signer == nullptr ||
      is_fork_ref(assignment.pipeline.ref))
    return {};
  const auto variables = pipeline::variables_before_run(planned, facts);
  if (!variables) return variables.error();
  for (const pipeline::IdToken& wanted : planned.job.id_tokens) {
    auto claims = id_claims(assignment, planned, facts, TokenSigner::kLongestLife,
                            is_environment_protected(database_, assignment));
    claims["jti"] = random_hex(16);
    auto audiences = nlohmann::json::array();
    for (const std::string& audience : wanted.audiences)
      audiences.push_back(pipeline::expand_text(audience, *variables, true));
    claims["aud"] = audiences.size() == 1 ? audiences[0] : audiences;
    auto token = facts_.signer->sign(claims);
    if (!token) return std::move(token).error();
    pipeline::set_variable(
        facts.id_tokens,
        Variable{.name = wanted.name, .value = std::move(*token), .raw = true, .masked = true});
  }
  return {};
}

Result<void> JobPayload::record_uses(
    const Assignment& assignment,
    const std::vector<const pipeline::SettingVariable*>& given) const {
  if (given.empty()) return {};
  std::vector<VariableId> ids;
  for (const pipeline::SettingVariable* one : given) ids.push_back(VariableId{one->id});
  auto written = coordinator_.write<void>([&](WriteTransaction& transaction) -> Result<void> {
    for (const VariableRow& row :
         transaction.stores.variables.for_project(assignment.project.id, assignment.project.path)) {
      if (std::find(ids.begin(), ids.end(), row.id) == ids.end()) continue;
      transaction.stores.variables.used({0, row.id, assignment.job.id, assignment.runner.id,
                                         to_string(row.owner()), row.key, row.environment_scope,
                                         transaction.now});
    }
    return {};
  });
  if (written) return {};
  return fail(ErrorKind::Internal,
              "which variables the job gets could not be recorded: " + written.error().message);
}

Result<pipeline::DownstreamRequest> JobPayload::downstream(const Assignment& bridge) const {
  auto planned = planned_job(bridge);
  if (!planned) return std::move(planned).error();
  if (!planned->job.bridge)
    return fail(ErrorKind::Internal, "job '" + bridge.job.name + "' triggers nothing");
  return pipeline::downstream_request(*planned,
                                      StoredFacts{bridge, *planned, facts_, database_}.all());
}

}  // namespace slipway::server
