#include "server/intake/job_payload.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "pipeline/report_kind.h"
#include "pipeline/variables.h"

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

Variables trigger_variables(const std::string& json) {
  Variables variables;
  const auto list = nlohmann::json::parse(json, nullptr, false);
  if (!list.is_array()) return variables;
  for (const auto& item : list)
    if (item.is_object() && item.contains("key") && item.contains("value"))
      variables.push_back(Variable{.name = item["key"].get<std::string>(),
                                   .value = item["value"].get<std::string>()});
  return variables;
}

class Builder {
 public:
  Builder(const Assignment& assignment, const PlannedJob& planned, const PayloadFacts& facts,
          Database& database)
      : assignment_(assignment), planned_(planned), facts_(facts), database_(database) {}

  Result<JobSpec> build() {
    spec_.id = assignment_.job.id.value;
    spec_.token = assignment_.token;
    spec_.name = planned_.job.name;
    spec_.stage = planned_.job.stage;
    spec_.pipeline_id = assignment_.pipeline.id.value;
    spec_.project_id = assignment_.project.id.value;
    spec_.project_full_path = assignment_.project.path;
    spec_.project_name = assignment_.project.path.substr(assignment_.project.path.rfind('/') + 1);
    if (assignment_.job.queued_at && assignment_.job.assigned_at)
      spec_.time_in_queue_seconds =
          static_cast<double>(*assignment_.job.assigned_at - *assignment_.job.queued_at) / 1000.0;
    timeout();
    auto expanded = variables();
    if (!expanded) return std::move(expanded).error();
    git(*expanded);
    steps();
    images();
    artifacts();
    caches();
    dependencies();
    spec_.token_mask_prefixes = {"glpat-", "glrt-", "glcbt-"};
    spec_.failure_reasons = {"unknown_failure",       "script_failure",
                             "runner_system_failure", "job_execution_timeout",
                             "image_pull_failure",    "runner_configuration_error",
                             "runner_interrupted"};
    return std::move(spec_);
  }

 private:
  void timeout() {
    auto timeout = planned_.job.timeout.value_or(facts_.default_timeout);
    const auto most = assignment_.runner.maximum_timeout;
    if (most && *most > 0) timeout = std::min(timeout, std::chrono::seconds{*most});
    spec_.timeout = std::max<std::int64_t>(1, timeout.count());
  }

  pipeline::Trigger trigger() const {
    const PipelineRow& row = assignment_.pipeline;
    const ProjectRow& project = assignment_.project;
    pipeline::Trigger trigger;
    trigger.source = pipeline::parse_source(row.source).value_or(pipeline::Source::Push);
    (row.tag ? trigger.tag : trigger.branch) = row.ref;
    trigger.sha = row.sha;
    trigger.before_sha = row.before_sha;
    trigger.ref_protected = row.ref_protected;
    trigger.commit_message = row.commit_message;
    trigger.commit_author = row.author_name + " <" + row.author_email + ">";
    trigger.commit_timestamp = row.committed_at ? to_rfc3339(*row.committed_at) : "";
    trigger.project = {project.id.value, project.path, project.default_branch, project.visibility,
                       project.ci_config_path};
    trigger.server = facts_.server;
    if (row.user_id)
      if (const auto user = database_.read()->users.find(*row.user_id))
        trigger.user_login = trigger.user_name = user->username;
    return trigger;
  }

  // GitLab's order, later ones overriding: predefined, those of the job's run, YAML, then what was
  // given with the trigger.
  Result<Variables> variables() {
    Variables all = pipeline::predefined_variables(trigger());
    for (const Variable& variable : pipeline::job_variables(planned_))
      pipeline::set_variable(all, variable);
    run_variables(all);
    for (const Variable& variable : planned_.variables) pipeline::set_variable(all, variable);
    // What earlier jobs hand on overrides the file, and what was given with the trigger overrides
    // that.
    for (Variable& variable : handed_on()) pipeline::set_variable(all, std::move(variable));
    for (const Variable& variable : trigger_variables(assignment_.variables))
      pipeline::set_variable(all, variable);
    auto expanded = pipeline::expand_variables(all);
    if (!expanded) return std::move(expanded).error().in(planned_.job.name);
    for (const Variable& variable : *expanded)
      spec_.variables.push_back({variable.name, variable.value, !variable.masked, variable.file,
                                 variable.masked, variable.raw});
    return expanded;
  }

  void run_variables(Variables& all) const {
    const std::string page = facts_.server.url + "/" + assignment_.project.path + "/-/";
    const auto add = [&](const char* name, std::string value) {
      pipeline::set_variable(all, Variable{.name = name, .value = std::move(value), .raw = true});
    };
    const std::string job = std::to_string(assignment_.job.id.value);
    const std::string pipeline = std::to_string(assignment_.pipeline.id.value);
    add("CI_JOB_ID", job);
    add("CI_JOB_URL", page + "jobs/" + job);
    add("CI_PIPELINE_ID", pipeline);
    add("CI_PIPELINE_IID", std::to_string(assignment_.pipeline.iid));
    add("CI_PIPELINE_URL", page + "pipelines/" + pipeline);
    add("CI_PIPELINE_CREATED_AT", to_rfc3339(assignment_.pipeline.created_at));
    if (!assignment_.pipeline.name.empty()) add("CI_PIPELINE_NAME", assignment_.pipeline.name);
    if (assignment_.job.assigned_at)
      add("CI_JOB_STARTED_AT", to_rfc3339(*assignment_.job.assigned_at));
    add("CI_RUNNER_ID", std::to_string(assignment_.runner.id.value));
    add("CI_RUNNER_DESCRIPTION", assignment_.runner.description);
    add("CI_RUNNER_TAGS", nlohmann::json(assignment_.runner.tags).dump());
    const auto secret = [&](const char* name, std::string value) {
      pipeline::set_variable(
          all, Variable{.name = name, .value = std::move(value), .raw = true, .masked = true});
    };
    secret("CI_JOB_TOKEN", assignment_.token);
    secret("CI_REPOSITORY_URL",
           clone_url(facts_.server.url, assignment_.project.path, assignment_.token));
  }

  void git(const Variables& variables) {
    const PipelineRow& row = assignment_.pipeline;
    spec_.repo_url = clone_url(facts_.server.url, assignment_.project.path, assignment_.token);
    spec_.ref = row.ref;
    spec_.sha = row.sha;
    spec_.before_sha = row.before_sha.empty() ? std::string(40, '0') : row.before_sha;
    spec_.ref_type = row.tag ? "tag" : "branch";
    spec_.ref_protected = row.ref_protected;
    if (const Variable* depth = pipeline::find_variable(variables, "GIT_DEPTH"))
      std::from_chars(depth->value.data(), depth->value.data() + depth->value.size(), spec_.depth);
    spec_.depth = std::max<std::int64_t>(0, spec_.depth);
    const std::string own = "refs/pipelines/" + std::to_string(row.id.value);
    if (spec_.depth == 0)
      spec_.refspecs = {"+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"};
    else if (row.tag)
      spec_.refspecs = {"+refs/tags/" + row.ref + ":refs/tags/" + row.ref};
    else
      spec_.refspecs = {"+refs/heads/" + row.ref + ":refs/remotes/origin/" + row.ref};
    // By its id: the mirror keeps commits, not a ref for each pipeline.
    spec_.refspecs.push_back("+" + row.sha + ":" + own);
  }

  void steps() {
    const pipeline::Job& job = planned_.job;
    spec_.steps.push_back({"script", job.script, spec_.timeout, "on_success", false});
    if (!job.after_script.empty())
      spec_.steps.push_back({"after_script", job.after_script, spec_.timeout, "always", true});
    spec_.hooks = job.hooks;
  }

  static pipeline::JobImage image_of(const pipeline::Image& image) {
    pipeline::JobImage made;
    made.name = image.name;
    if (image.has_entrypoint) made.entrypoint = image.entrypoint;
    made.pull_policy = image.pull_policy;
    made.docker_user = image.docker_user;
    made.docker_platform = image.docker_platform;
    return made;
  }

  void images() {
    if (planned_.job.image) spec_.image = image_of(*planned_.job.image);
    for (const pipeline::Service& service : planned_.job.services) {
      pipeline::JobImage made = image_of(service.image);
      made.alias = service.alias;
      if (!service.command.empty()) made.command = service.command;
      for (const Variable& variable : service.variables)
        made.variables.push_back({variable.name, variable.value, true, false, false, false});
      spec_.services.push_back(std::move(made));
    }
  }

  void artifacts() {
    if (!planned_.job.artifacts) return;
    const pipeline::Artifacts& artifacts = *planned_.job.artifacts;
    if (!artifacts.paths.empty() || artifacts.untracked)
      spec_.artifacts.push_back({artifacts.name.empty() ? "artifacts" : artifacts.name,
                                 artifacts.untracked, artifacts.paths, artifacts.exclude,
                                 std::string{to_string(artifacts.when)}, "archive", "zip",
                                 artifacts.expire_in});
    for (const pipeline::Report& report : artifacts.reports) {
      const pipeline::ReportKind kind = pipeline::report_kind(report.type);
      spec_.artifacts.push_back({std::string{kind.file_name},
                                 false,
                                 report.paths,
                                 {},
                                 "always",
                                 report.type,
                                 std::string{kind.format},
                                 artifacts.expire_in});
    }
  }

  void caches() {
    for (const pipeline::Cache& cache : planned_.job.caches)
      spec_.caches.push_back(
          {cache.key + (cache.unprotect || !spec_.ref_protected ? "-non_protected" : "-protected"),
           cache.untracked, cache.policy, cache.paths, std::string{to_string(cache.when)},
           cache.fallback_keys});
  }

  // Whether the archive of `other` is wanted: by dependencies, by needs, or because it is earlier.
  bool depends_on(const JobRow& other) const {
    const pipeline::Job& job = planned_.job;
    if (job.dependencies && std::find(job.dependencies->begin(), job.dependencies->end(),
                                      other.name) == job.dependencies->end())
      return false;
    if (!planned_.dag) return other.stage_index < assignment_.job.stage_index;
    return std::any_of(
        planned_.needs.begin(), planned_.needs.end(),
        [&](const pipeline::Need& need) { return need.job == other.name && need.artifacts; });
  }

  // By the dotenv reports of the jobs whose artifacts this one takes, in their order.
  Variables handed_on() const {
    Variables variables;
    auto read = database_.read();
    for (const auto& [id, text] : read->artifacts.dotenv_of_pipeline(assignment_.pipeline.id)) {
      const auto other = read->jobs.find(id);
      if (!other || other->retried || !depends_on(*other)) continue;
      for (const auto& entry : nlohmann::json::parse(text))
        pipeline::set_variable(
            variables, Variable{.name = entry.at("name"), .value = entry.at("value"), .raw = true});
    }
    return variables;
  }

  void dependencies() {
    auto read = database_.read();
    // Of the jobs only those that have an archive are read; the last upload of a job counts.
    std::map<JobId, ArtifactRow> archives;
    for (ArtifactRow& artifact : read->artifacts.of_pipeline(assignment_.pipeline.id))
      if (artifact.file_type == "archive")
        archives.insert_or_assign(artifact.job_id, std::move(artifact));
    for (const auto& [id, archive] : archives) {
      const auto other = read->jobs.find(id);
      if (!other || other->retried || !depends_on(*other)) continue;
      spec_.dependencies.push_back(
          {id.value, other->name, assignment_.token, archive.file_name, archive.size});
    }
  }

  const Assignment& assignment_;
  const PlannedJob& planned_;
  const PayloadFacts& facts_;
  Database& database_;
  JobSpec spec_;
};

}  // namespace

Result<JobSpec> JobPayload::make(const Assignment& assignment) const {
  const auto json = nlohmann::json::parse(assignment.plan, nullptr, false);
  if (json.is_discarded())
    return fail(
        ErrorKind::Internal,
        "the stored plan of job " + std::to_string(assignment.job.id.value) + " cannot be read");
  auto planned = pipeline::planned_job_from_json(json);
  if (!planned) return std::move(planned).error();
  // Neither has a script, so a runner would end it as a success at once.
  if (planned->job.bridge)
    return fail(ErrorKind::Unavailable, "this server does not trigger pipelines yet");
  if (!planned->job.steps_json.empty())
    return fail(ErrorKind::Unavailable, "this server does not run steps yet");
  return Builder{assignment, *planned, facts_, database_}.build();
}

}  // namespace slipway::server
