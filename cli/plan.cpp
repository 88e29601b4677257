#include "cli/plan.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/lint.h"
#include "pipeline/plan.h"
#include "pipeline/variables.h"

namespace slipway::cli {
namespace {

struct PlanOptions {
  std::string path;
  std::string event = "push";
  std::string branch;
  std::string tag;
  std::string default_branch = "main";
  std::vector<std::string> changed;
  std::vector<std::string> variables;
  bool json = false;
};

std::string place(const SourceSpan& at) {
  return at.line > 0 ? fmt::format("{}:{}", at.file, at.line) : at.file;
}

Result<pipeline::Trigger> trigger_of(const PlanOptions& options) {
  pipeline::Trigger trigger;
  if (options.event == "tag" && options.tag.empty())
    return fail(ErrorKind::InvalidInput, "--event tag needs --tag NAME");
  if (options.event == "merge_request") {
    trigger.source = pipeline::Source::MergeRequestEvent;
  } else if (options.event != "tag") {
    auto source = pipeline::parse_source(options.event);
    if (!source) return std::move(source).error();
    trigger.source = *source;
  }
  trigger.tag = options.tag;
  trigger.project.default_branch = options.default_branch;
  if (trigger.tag.empty())
    trigger.branch = options.branch.empty() ? options.default_branch : options.branch;
  if (!options.changed.empty()) trigger.changed_paths = options.changed;
  for (const std::string& given : options.variables) {
    const auto equals = given.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(ErrorKind::InvalidInput, "--var must be NAME=VALUE, not '" + given + "'");
    set_variable(trigger.pipeline_variables, {given.substr(0, equals), given.substr(equals + 1)});
  }
  return trigger;
}

std::string remarks(const pipeline::PlannedJob& job) {
  std::string text;
  if (job.when != pipeline::When::OnSuccess) text += fmt::format("  {}", to_string(job.when));
  if (job.allow_failure.always) text += "  may fail";
  if (job.dag) {
    text += "  needs";
    for (std::size_t i = 0; i < job.needs.size(); ++i)
      text += (i == 0 ? " " : ", ") + job.needs[i].job;
    if (job.needs.empty()) text += " nothing";
  }
  if (job.rule) text += fmt::format("  ({})", place(*job.rule));
  return text;
}

void print(const pipeline::Plan& plan) {
  if (!plan.name.empty()) std::cout << "pipeline: " << plan.name << "\n";
  for (const std::string& stage : plan.stages) {
    std::cout << stage << "\n";
    for (const pipeline::PlannedJob& job : plan.jobs)
      if (job.job.stage == stage) std::cout << "  " << job.job.name << remarks(job) << "\n";
  }
  if (!plan.left_out.empty()) std::cout << "left out\n";
  for (const pipeline::LeftOutJob& job : plan.left_out)
    std::cout << "  " << job.name << "  " << job.reason.text << " (" << place(job.rule) << ")\n";
  if (plan.no_pipeline) {
    std::cout << "no pipeline: " << plan.no_pipeline->text;
    if (plan.no_pipeline_rule.line > 0) std::cout << " (" << place(plan.no_pipeline_rule) << ")";
    std::cout << "\n";
  }
}

nlohmann::json location(const SourceSpan& at) {
  return {{"file", at.file}, {"line", at.line}, {"column", at.column}};
}

nlohmann::json reason_json(const pipeline::Reason& reason) {
  return {{"code", to_string(reason.code)}, {"text", reason.text}};
}

nlohmann::json as_json(const pipeline::Plan& plan) {
  nlohmann::json json{{"stages", plan.stages},
                      {"jobs", nlohmann::json::array()},
                      {"left_out", nlohmann::json::array()},
                      {"no_pipeline", nullptr}};
  for (const pipeline::PlannedJob& job : plan.jobs) json["jobs"].push_back(to_json(job));
  for (const pipeline::LeftOutJob& job : plan.left_out)
    json["left_out"].push_back({{"name", job.name},
                                {"stage", job.stage},
                                {"reason", reason_json(job.reason)},
                                {"rule", location(job.rule)}});
  if (plan.no_pipeline) {
    json["no_pipeline"] = reason_json(*plan.no_pipeline);
    json["no_pipeline"]["rule"] = location(plan.no_pipeline_rule);
  }
  return json;
}

int plan(const PlanOptions& options) {
  const auto trigger = trigger_of(options);
  if (!trigger) {
    print_error(trigger.error());
    return kUsage;
  }
  pipeline::Variables for_includes = pipeline::predefined_variables(*trigger);
  for (const pipeline::Variable& variable : trigger->pipeline_variables)
    set_variable(for_includes, variable);
  const auto read = read_pipeline_file(options.path, for_includes);
  if (!read) {
    print_error(read.error());
    return kUsage;
  }
  if (!read->outcome.configuration)
    return show_findings(read->outcome.findings, *read, options.json ? Form::Json : Form::Text);
  // Standard output is the plan's, for scripts.
  std::cerr << rendered(read->outcome.findings, *read);
  const auto planned = pipeline::make_plan(*read->outcome.configuration, *trigger);
  if (has_errors(planned.findings))
    return show_findings(planned.findings, *read, options.json ? Form::Json : Form::Text);
  if (options.json)
    std::cout << as_json(planned).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
              << "\n";
  else
    print(planned);
  return kOk;
}

}  // namespace

CLI::App* add_plan_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("plan", "print the jobs that an event would create, and why not others");
  command->footer(
      "Without --changed the changed paths are not known, and every `changes` holds.\n\nExamples:\n"
      "  slipway plan --event push --branch feature\n"
      "  slipway plan --event tag --tag v1.0\n"
      "  slipway plan .gitlab-ci.yml --changed docs/index.md --var DEPLOY=yes --json");
  const auto options = std::make_shared<PlanOptions>();
  command->add_option("path", options->path, "file, or directory with a .gitlab-ci.yml (.)");
  command->add_option("--event", options->event, "what happened (push)")
      ->check(CLI::IsMember({"push", "tag", "merge_request", "schedule", "web", "api", "trigger"}));
  command->add_option("--branch", options->branch, "the branch (the default branch)");
  command->add_option("--tag", options->tag, "the tag");
  command->add_option("--default-branch", options->default_branch, "of the project (main)");
  command->add_option("--changed", options->changed, "a changed path; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--var", options->variables, "NAME=VALUE; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "print JSON");
  command->callback([options, &exit_code] { exit_code = plan(*options); });
  return command;
}

}  // namespace slipway::cli
