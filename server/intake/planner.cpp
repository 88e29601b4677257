#include "server/intake/planner.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "pipeline/lint/yaml_text.h"
#include "pipeline/variables.h"
#include "pipeline/work.h"
#include "server/forge/forge.h"
#include "server/intake/stored_variables.h"
#include "server/store/run_refs.h"

namespace slipway::server {
namespace {

constexpr std::size_t kCachedFiles = 256;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Columns and JSON hold UTF-8; a commit may hold anything.
std::string valid_utf8(const std::string& text) {
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

std::string merge_request_json(const pipeline::MergeRequestFacts& facts) {
  nlohmann::json object{{"iid", std::atoll(facts.iid.c_str())},
                        {"title", facts.title},
                        {"source_branch", facts.source_branch},
                        {"target_branch", facts.target_branch}};
  if (!facts.source_project_path.empty()) object["source_project"] = facts.source_project_path;
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

NewPipeline pipeline_for(const PlanRequest& request, const CommitInfo& commit,
                         const pipeline::Trigger& trigger) {
  NewPipeline made;
  PipelineRow& row = made.row;
  row.project_id = request.project.id;
  row.source = request.work_tree ? "run" : pipeline::to_string(request.source);
  row.ref = request.ref;
  row.tag = request.is_tag;
  row.ref_protected = trigger.ref_protected;
  row.sha = request.sha;
  row.before_sha = request.before_sha;
  row.commit_message = valid_utf8(commit.message);
  row.commit_title = first_line(row.commit_message);
  row.author_name = valid_utf8(commit.author_name);
  row.author_email = valid_utf8(commit.author_email);
  row.committed_at = commit.authored_at;
  row.user_id = request.user;
  made.variables = variables_to_json(request.variables);
  if (request.merge_request) row.merge_request = merge_request_json(*request.merge_request);
  return made;
}

void give_reason(NewPipeline& made, const pipeline::Reason& reason) {
  made.row.reason_code = pipeline::to_string(reason.code);
  made.row.reason_text = reason.text;
}

// "3 problems, the first in .gitlab-ci.yml:2: …"
pipeline::Reason invalid_reason(const pipeline::Diagnostics& findings) {
  std::string first;
  std::size_t count = 0;
  for (const pipeline::Diagnostic& finding : findings) {
    if (finding.severity != pipeline::Severity::Error) continue;
    if (++count > 1) continue;
    first = finding.span.file + ":" + std::to_string(finding.span.line) + ": " + finding.message;
  }
  return pipeline::make_reason(
      pipeline::ReasonCode::ConfigurationInvalid,
      count > 1 ? first + " (and " + std::to_string(count - 1) + " more)" : first);
}

// A key made from files is the hash of what they hold at that commit; those that are not there
// count for nothing, and without any the key is the default one. Source:
// Gitlab::Ci::Pipeline::Seed:: Build::Cache.
void settle_cache_keys(pipeline::Plan& plan, const Mirrors& mirrors, std::int64_t project,
                       const std::string& sha) {
  for (pipeline::PlannedJob& planned : plan.jobs)
    for (pipeline::Cache& cache : planned.job.caches) {
      if (cache.key_files.empty()) continue;
      std::string ids;
      for (const std::string& file : cache.key_files)
        if (const auto id = mirrors.file_id(project, sha, file)) ids += *id + '\n';
      const std::string hash = ids.empty() ? "default" : sha256_hex(ids).substr(0, 40);
      cache.key = cache.key_prefix.empty() ? hash : cache.key_prefix + "-" + hash;
    }
}

// Whoever starts a pipeline by hand is told at once which inputs are missing or wrong.
std::optional<Error> refused_inputs(const PlanRequest& request,
                                    const pipeline::Diagnostics& findings) {
  switch (request.source) {
    case pipeline::Source::Api:
    case pipeline::Source::Web:
    case pipeline::Source::Trigger:
    case pipeline::Source::Schedule:
    case pipeline::Source::Pipeline: break;
    case pipeline::Source::Push:
    case pipeline::Source::ParentPipeline:
    case pipeline::Source::MergeRequestEvent: return std::nullopt;
  }
  std::string refused;
  for (const pipeline::Diagnostic& finding : findings)
    if (finding.code == "input" && finding.span.file == request.project.ci_config_path)
      refused += (refused.empty() ? "" : "; ") + finding.message;
  if (refused.empty()) return std::nullopt;
  return fail(ErrorKind::InvalidInput, refused);
}

// From a fork only what everybody may read is included: its logs may be read by everybody.
ProjectRow as_includer(const PlanRequest& request) {
  ProjectRow asking = request.project;
  if (is_fork_ref(request.ref)) asking.visibility = "public";
  return asking;
}

// What includes may use: what is predefined, the settings', and what was given with the trigger.
pipeline::ReadOptions read_options(const PlanRequest& request, const pipeline::Trigger& trigger,
                                   const pipeline::Limits& limits) {
  return {pipeline::include_variables(trigger), request.inputs, trigger.changed_paths,
          trigger.repository, limits};
}

// Each job as it would be if its rules let it in and changed nothing.
std::vector<pipeline::PlannedJob> jobs_of_file(const pipeline::Configuration& configuration) {
  std::vector<pipeline::PlannedJob> jobs;
  for (const pipeline::Job& job : configuration.jobs) {
    pipeline::PlannedJob& planned = jobs.emplace_back();
    planned.job = job;
    planned.when = job.when.value_or(pipeline::When::OnSuccess);
    planned.allow_failure = job.allow_failure.value_or(pipeline::AllowFailure{});
    planned.needs = job.needs.value_or(std::vector<pipeline::Need>{});
  }
  return jobs;
}

}  // namespace

std::vector<FindingRow> finding_rows(const pipeline::Diagnostics& findings) {
  std::vector<FindingRow> rows;
  for (const pipeline::Diagnostic& finding : findings)
    rows.push_back({std::string{pipeline::to_string(finding.severity)}, finding.code,
                    valid_utf8(finding.message), finding.span.file, finding.span.line,
                    finding.span.column, valid_utf8(finding.hint)});
  return rows;
}

pipeline::Trigger Planner::trigger_of(const PlanRequest& request, const CommitInfo& commit) const {
  pipeline::Trigger trigger;
  trigger.source = request.source;
  // Whoever may run a work tree, or has forked the repository, decides what is in it: its branch's
  // name lends it no trust.
  const std::string stored = stored_branch(request.ref);
  (request.is_tag ? trigger.tag : trigger.branch) = stored.empty() ? request.ref : stored;
  trigger.sha = request.sha;
  trigger.before_sha = request.before_sha;
  trigger.ref_protected =
      stored.empty() && vault_.is_protected(request.project.id, request.ref,
                                            request.is_tag ? RefKind::Tag : RefKind::Branch);
  trigger.deploy_freeze = facts_.is_frozen && facts_.is_frozen(request.project.id);
  trigger.commit_message = commit.message;
  trigger.commit_author = commit.author_name + " <" + commit.author_email + ">";
  trigger.commit_timestamp = to_rfc3339(commit.authored_at);
  if (request.is_tag)
    trigger.tag_message =
        mirrors_.tag_message(request.project.id.value, request.ref).value_or(std::string{});
  trigger.user_login = request.user_login;
  trigger.user_name = request.user_login;
  trigger.project = {request.project.id.value, request.project.path, request.project.default_branch,
                     request.project.visibility, request.project.ci_config_path};
  trigger.server = facts_.server;
  trigger.pipeline_variables = request.variables;
  if (request.merge_request) add_merge_request(request, trigger);
  // Changes are known for a push to a branch that was there before; otherwise the clause holds.
  const bool pushed = (request.source == pipeline::Source::Push ||
                       request.source == pipeline::Source::ParentPipeline) &&
                      !request.is_tag;
  if (pushed && !request.before_sha.empty()) {
    auto changed =
        mirrors_.changed_paths(request.project.id.value, request.before_sha, request.sha);
    if (changed) trigger.changed_paths = std::move(*changed);
  }
  return trigger;
}

// What such a pipeline changes is what its branch has changed since it left the target branch, and
// it is protected when both branches are.
void Planner::add_merge_request(const PlanRequest& request, pipeline::Trigger& trigger) const {
  const std::int64_t project = request.project.id.value;
  auto& facts = trigger.merge_request.emplace(*request.merge_request);
  trigger.ref_protected =
      trigger.ref_protected &&
      vault_.is_protected(request.project.id, facts.target_branch, RefKind::Branch);
  const auto target = mirrors_.resolve(project, facts.target_branch);
  if (!target) return;
  if (const auto base = mirrors_.merge_base(project, target->sha, request.sha); base && *base)
    facts.diff_base_sha = **base;
  if (auto changed = mirrors_.changed_since(project, target->sha, request.sha))
    trigger.changed_paths = std::move(*changed);
}

Result<Planner::Outcome> Planner::configuration(const PlanRequest& request,
                                                const pipeline::Trigger& trigger,
                                                CommitFiles& files) {
  const std::int64_t project = request.project.id.value;
  if (request.child) {
    files.add(request.child->files);
    return Outcome{std::make_shared<const pipeline::ReadOutcome>(
        pipeline::read_configuration(request.child->text, request.child->name, files,
                                     read_options(request, trigger, includes_.limits)))};
  }
  const std::string& path = request.project.ci_config_path;
  const std::string key = std::to_string(project) + ":" + request.sha + ":" + path;
  if (request.inputs.empty()) {
    const std::lock_guard lock{mutex_};
    if (const auto known = cache_.find(key); known != cache_.end()) return known->second;
  }
  auto text = files.local_file(path);
  if (!text && text.error().kind == ErrorKind::TooLarge)
    return Outcome{std::make_shared<const pipeline::ReadOutcome>(
        pipeline::refuse_large_file(path, includes_.limits))};
  if (!text) return std::move(text).error();
  auto outcome = std::make_shared<const pipeline::ReadOutcome>(pipeline::read_configuration(
      *text, path, files, read_options(request, trigger, includes_.limits)));
  // What is included, and what inputs expand, can hang on the trigger: such files are not kept.
  if (request.inputs.empty() && text->find("include") == std::string::npos &&
      text->find("spec") == std::string::npos) {
    const std::lock_guard lock{mutex_};
    if (cache_.size() >= kCachedFiles) cache_.clear();
    cache_[key] = outcome;
  }
  return Outcome{outcome};
}

Result<Planned> Planner::plan(const PlanRequest& request) {
  const pipeline::Work work;
  auto commit = mirrors_.commit(request.project.id.value, request.sha);
  if (!commit) return std::move(commit).error();
  pipeline::Trigger trigger = trigger_of(request, *commit);
  if (!is_fork_ref(request.ref)) {
    auto settings = vault_.for_jobs(request.project, trigger.ref_protected);
    if (!settings) return std::move(settings).error();
    trigger.project_variables = std::move(*settings);
  }
  NewPipeline made = pipeline_for(request, *commit, trigger);
  const bool by_event = request.source == pipeline::Source::Push ||
                        request.source == pipeline::Source::MergeRequestEvent;
  if (request.skip || (by_event && !request.work_tree && asks_to_skip(commit->message))) {
    give_reason(made, pipeline::make_reason(pipeline::ReasonCode::SkipCi));
    return Planned{std::move(made), std::nullopt};
  }
  const ProjectRow asking = as_includer(request);
  CommitFiles files{
      mirrors_, asking, request.sha, includes_, facts_.server.url, request.user.value_or(UserId{})};
  trigger.repository = &files;
  auto outcome = configuration(request, trigger, files);
  if (!outcome && outcome.error().kind == ErrorKind::NotFound)
    return Planned{std::nullopt,
                   NoPipeline{pipeline::make_reason(pipeline::ReasonCode::ConfigurationMissing,
                                                    request.project.ci_config_path)}};
  if (!outcome) return std::move(outcome).error();
  made.findings = finding_rows((*outcome)->findings);
  if (!(*outcome)->configuration) {
    if (const auto refused = refused_inputs(request, (*outcome)->findings)) return *refused;
    give_reason(made, invalid_reason((*outcome)->findings));
    return Planned{std::move(made), std::nullopt};
  }
  const pipeline::Configuration& configuration = *(*outcome)->configuration;
  if (pipeline::asks_for_paths(configuration)) {
    auto paths = mirrors_.paths(request.project.id.value, request.sha);
    if (paths) trigger.paths = std::move(*paths);
  }
  auto plan = std::make_shared<pipeline::Plan>(
      pipeline::make_plan(configuration, trigger, includes_.limits));
  settle_cache_keys(*plan, mirrors_, request.project.id.value, request.sha);
  if (plan->no_pipeline) return Planned{std::nullopt, NoPipeline{*plan->no_pipeline}};
  for (FindingRow& row : finding_rows(plan->findings)) made.findings.push_back(std::move(row));
  if (pipeline::has_errors(plan->findings)) give_reason(made, invalid_reason(plan->findings));
  made.plan = std::move(plan);
  return Planned{std::move(made), std::nullopt};
}

LintReport Planner::lint(const PlanRequest& request, const std::optional<std::string>& content,
                         Simulate simulate) {
  const pipeline::Work work;
  const std::int64_t project = request.project.id.value;
  const std::string& path = request.project.ci_config_path;
  CommitFiles files{mirrors_,  request.project,   request.sha,
                    includes_, facts_.server.url, request.user.value_or(UserId{})};
  LintReport report;
  const auto refuse = [&](const char* code, std::string message, SourceSpan at) {
    report.findings.push_back(
        {pipeline::Severity::Error, code, std::move(message), std::move(at), {}});
    return report;
  };
  const auto text = content ? Result<std::string>{*content} : files.local_file(path);
  if (!text && text.error().kind == ErrorKind::TooLarge)
    return refuse("too_big", pipeline::file_too_big(includes_.limits), {path, 0, 0});
  if (!text) return refuse("empty", "Please provide content of " + path, {path, 0, 0});
  const auto commit = mirrors_.commit(project, request.sha);
  pipeline::Trigger trigger = commit ? trigger_of(request, *commit) : pipeline::Trigger{};
  trigger.repository = commit ? &files : nullptr;
  auto settings = vault_.for_jobs(request.project, false);
  if (!settings) return refuse("variables", settings.error().message, {path, 0, 0});
  trigger.project_variables = std::move(*settings);
  pipeline::ReadOptions how;
  how.limits = includes_.limits;
  if (commit) how = read_options(request, trigger, includes_.limits);
  auto outcome = pipeline::read_configuration(*text, path, files, how);
  report.findings = std::move(outcome.findings);
  if (!outcome.configuration) return report;
  report.merged_yaml = pipeline::lint::merged_yaml(*outcome.tree);
  if (simulate == Simulate::no || !commit) {
    report.jobs = jobs_of_file(*outcome.configuration);
    return report;
  }
  if (auto paths = mirrors_.paths(project, request.sha)) trigger.paths = std::move(*paths);
  auto plan = pipeline::make_plan(*outcome.configuration, trigger, includes_.limits);
  std::move(plan.findings.begin(), plan.findings.end(), std::back_inserter(report.findings));
  report.left_out = std::move(plan.left_out);
  if (plan.no_pipeline)
    return refuse("no_pipeline", plan.no_pipeline->text, std::move(plan.no_pipeline_rule));
  report.jobs = std::move(plan.jobs);
  return report;
}

}  // namespace slipway::server
