#include "cli/plan_output.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "cli/lint_output.h"

namespace slipway::cli {
namespace {

using nlohmann::json;
using namespace pipeline;

std::string place(const SourceSpan& at) {
  return at.line > 0 ? fmt::format("{}:{}", at.file, at.line) : at.file;
}

std::string list(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

void add(std::string& text, const std::string& part) {
  text += (text.empty() ? "" : ", ") + part;
}

// The rule as it is written, on one line: "if: $CI_COMMIT_TAG, when: manual".
std::string text_of(const Rule& rule) {
  std::string text;
  if (rule.condition) add(text, "if: " + *rule.condition);
  if (rule.changes) add(text, "changes: " + list(rule.changes->paths));
  if (rule.exists) add(text, "exists: " + list(rule.exists->paths));
  if (rule.when) add(text, fmt::format("when: {}", to_string(*rule.when)));
  return text.empty() ? "always" : text;
}

std::string text_of(const char* keyword, const RefPolicy& policy) {
  std::string text;
  if (policy.refs) add(text, list(*policy.refs));
  if (!policy.variables.empty()) add(text, "variables: " + list(policy.variables));
  if (policy.changes) add(text, "changes: " + list(*policy.changes));
  return fmt::format("{}: {}", keyword, text);
}

using WrittenJobs = std::unordered_map<std::string_view, const Job*>;

WrittenJobs written_jobs(const Configuration& configuration) {
  WrittenJobs jobs;
  for (const Job& job : configuration.jobs) jobs.emplace(job.name, &job);
  return jobs;
}

// What stands in the file at the place that let `planned` in; the planner keeps only the place.
std::string rule_text(const PlannedJob& planned, const WrittenJobs& written) {
  const auto found = written.find(planned.job.name);
  if (found == written.end()) return {};
  const Job& job = *found->second;
  if (job.rules)
    for (const Rule& rule : *job.rules)
      if (rule.at == *planned.rule) return text_of(rule);
  if (job.only && job.only->at == *planned.rule) return text_of("only", *job.only);
  if (job.except && job.except->at == *planned.rule) return text_of("except", *job.except);
  return {};
}

json needs_json(const PlannedJob& planned) {
  json names = json::array();
  for (const Need& need : planned.needs) names.push_back(need.job);
  return names;
}

const ChildPlan* child_of(const std::string& job, const std::vector<ChildPlan>& children) {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const ChildPlan& child) { return child.job == job; });
  return found == children.end() ? nullptr : &*found;
}

std::vector<std::string> files_of(const Bridge& bridge) {
  std::vector<std::string> files;
  for (const ChildFile& file : bridge.files)
    files.push_back(file.kind == "artifact" ? file.job + ":" + file.from : file.from);
  return files;
}

json plan_json(const Plan& plan, const Configuration& configuration,
               const std::vector<ChildPlan>& children);

json trigger_json(const PlannedJob& planned, const std::vector<ChildPlan>& children) {
  if (!planned.job.bridge) return nullptr;
  const Bridge& bridge = *planned.job.bridge;
  json child;
  if (const ChildPlan* found = child_of(planned.job.name, children)) {
    if (found->refusal.empty())
      child = plan_json(found->plan, found->configuration, found->children);
    else
      child = {{"refused", found->refusal}};
  }
  return {{"project", bridge.project},
          {"branch", bridge.branch},
          {"files", files_of(bridge)},
          {"strategy", bridge.strategy},
          {"child", std::move(child)}};
}

json job_json(const PlannedJob& planned, const WrittenJobs& written,
              const std::vector<ChildPlan>& children) {
  const Job& job = planned.job;
  json services = json::array();
  for (const Service& service : job.services) services.push_back(service.image.name);
  json variables = json::object();
  for (const Variable& variable : planned.variables) variables[variable.name] = variable.value;
  json rule;
  if (planned.rule) rule = {{"at", place(*planned.rule)}, {"text", rule_text(planned, written)}};
  return {{"name", job.name},
          {"stage", job.stage},
          {"when", to_string(planned.when)},
          {"allow_failure", planned.allow_failure.always},
          {"needs", needs_json(planned)},
          {"image", job.image ? json(job.image->name) : json()},
          {"services", std::move(services)},
          {"tags", job.tags},
          {"variables", std::move(variables)},
          {"script", job.script},
          {"rule", std::move(rule)},
          {"trigger", trigger_json(planned, children)}};
}

std::string first_line(const std::string& text) {
  const std::size_t end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end) + " …";
}

std::string indented(const std::string& text, const std::string& by) {
  std::string made;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    made += by + text.substr(begin, end - begin);
    begin = end;
  }
  return made;
}

std::string trigger_text(const Bridge& bridge) {
  std::string text;
  if (!bridge.upstream.empty())
    text = "follows the newest pipeline of " + bridge.upstream;
  else if (!bridge.project.empty())
    text = "a pipeline of " + bridge.project +
           (bridge.branch.empty() ? "" : ", branch " + bridge.branch);
  else
    text = fmt::format("a child pipeline of {}", fmt::join(files_of(bridge), ", "));
  return bridge.strategy.empty() ? text : text + ", strategy " + bridge.strategy;
}

std::string job_text(const PlannedJob& planned, const WrittenJobs& written,
                     const std::vector<ChildPlan>& children) {
  const Job& job = planned.job;
  std::string text = fmt::format("  {}  {}", job.name, to_string(planned.when));
  if (planned.start_in) text += fmt::format(" in {} s", planned.start_in->count());
  if (planned.allow_failure.always) text += ", may fail";
  text += "\n";
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("    {:<9} {}\n", name, value);
  };
  if (planned.dag) {
    std::vector<std::string> names;
    for (const Need& need : planned.needs) names.push_back(need.job);
    line("needs", names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", ")));
  }
  if (planned.rule)
    line("rule", fmt::format("{} ({})", rule_text(planned, written), place(*planned.rule)));
  if (job.image) line("image", job.image->name);
  for (const Service& service : job.services) line("service", service.image.name);
  if (!job.tags.empty()) line("tags", fmt::format("{}", fmt::join(job.tags, ", ")));
  for (const Variable& variable : planned.variables)
    line("variable", variable.name + "=" + first_line(variable.value));
  for (const std::string& command : job.script) line("script", first_line(command));
  if (job.bridge) line("trigger", trigger_text(*job.bridge));
  if (const ChildPlan* child = child_of(job.name, children))
    text +=
        child->refusal.empty()
            ? indented(plan_as_text(child->plan, child->configuration, child->children), "      ")
            : "      not planned: " + child->refusal + "\n";
  return text;
}

json outcome_json(bool created, const Reason& reason) {
  return {{"created", created},
          {"reason", {{"code", to_string(reason.code)}, {"text", reason.text}}},
          {"stages", json::array()},
          {"jobs", json::array()},
          {"left_out", json::array()}};
}

}  // namespace

std::string plan_as_text(const Plan& plan, const Configuration& configuration,
                         const std::vector<ChildPlan>& children) {
  const WrittenJobs written = written_jobs(configuration);
  std::string text;
  if (!plan.name.empty()) text += "pipeline: " + plan.name + "\n";
  const std::string* stage = nullptr;
  for (const PlannedJob& job : plan.jobs) {  // in the order of their stages
    if (stage == nullptr || *stage != job.job.stage) text += job.job.stage + "\n";
    stage = &job.job.stage;
    text += job_text(job, written, children);
  }
  if (!plan.left_out.empty()) text += "left out\n";
  for (const LeftOutJob& job : plan.left_out)
    text += fmt::format("  {}  {} ({})\n", job.name, job.reason.text, place(job.rule));
  if (plan.no_pipeline) {
    text += "no pipeline: " + plan.no_pipeline->text;
    if (plan.no_pipeline_rule.line > 0) text += " (" + place(plan.no_pipeline_rule) + ")";
    text += "\n";
  }
  return text;
}

namespace {

json plan_json(const Plan& plan, const Configuration& configuration,
               const std::vector<ChildPlan>& children) {
  const WrittenJobs written = written_jobs(configuration);
  json jobs = json::array();
  for (const PlannedJob& job : plan.jobs) jobs.push_back(job_json(job, written, children));
  json left_out = json::array();
  for (const LeftOutJob& job : plan.left_out)
    left_out.push_back({{"name", job.name},
                        {"code", to_string(job.reason.code)},
                        {"text", job.reason.text},
                        {"at", place(job.rule)}});
  json object = outcome_json(!plan.no_pipeline, plan.no_pipeline.value_or(Reason{}));
  object["stages"] = plan.stages;
  object["jobs"] = std::move(jobs);
  object["left_out"] = std::move(left_out);
  return object;
}

}  // namespace

std::string plan_as_json(const Plan& plan, const Configuration& configuration,
                         const std::vector<ChildPlan>& children) {
  return dumped(plan_json(plan, configuration, children));
}

std::string refused_plan_as_json(const Diagnostics& findings) {
  const auto error = std::find_if(findings.begin(), findings.end(), [](const Diagnostic& finding) {
    return finding.severity == Severity::Error;
  });
  json object = outcome_json(false, make_reason(ReasonCode::ConfigurationInvalid,
                                                error == findings.end() ? "" : error->message));
  object["findings"] = findings_json(findings);
  return dumped(object);
}

}  // namespace slipway::cli
