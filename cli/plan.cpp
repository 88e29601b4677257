#include "cli/plan.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/child_plans.h"
#include "cli/commands.h"
#include "cli/lint.h"
#include "cli/local_project.h"
#include "cli/plan_output.h"
#include "pipeline/lint/yaml_text.h"
#include "pipeline/plan.h"
#include "pipeline/variables.h"
#include "pipeline/work.h"

namespace slipway::cli {
namespace {

struct PlanOptions {
  std::string path;
  std::string event = "push";
  std::string branch;
  std::string tag;
  std::string default_branch = "main";
  std::string target_branch;
  std::vector<std::string> changed;
  std::vector<std::string> variables;
  bool json = false;
  bool merged = false;
  IncludeOptions includes;
};

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
  if (!options.target_branch.empty() && options.event != "merge_request")
    return fail(ErrorKind::InvalidInput, "--target-branch is for --event merge_request");
  if (trigger.tag.empty())
    trigger.branch = options.branch.empty() ? options.default_branch : options.branch;
  if (trigger.source == pipeline::Source::MergeRequestEvent) {
    pipeline::MergeRequestFacts& merge = trigger.merge_request.emplace();
    merge.iid = "1";
    merge.source_branch = trigger.branch;
    merge.target_branch =
        options.target_branch.empty() ? options.default_branch : options.target_branch;
  }
  if (!options.changed.empty()) trigger.changed_paths = options.changed;
  for (const std::string& given : options.variables) {
    const auto equals = given.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(ErrorKind::InvalidInput, "--var must be NAME=VALUE, not '" + given + "'");
    set_variable(trigger.pipeline_variables, {given.substr(0, equals), given.substr(equals + 1)});
  }
  return trigger;
}

int refuse(const pipeline::Diagnostics& findings, const ReadFile& read, bool json) {
  if (!json) return show_findings(findings, read, Form::Text);
  std::cout << refused_plan_as_json(findings);
  return kInvalid;
}

int plan(const PlanOptions& options) {
  auto trigger = trigger_of(options);
  if (!trigger) {
    print_error(trigger.error());
    return kUsage;
  }
  auto project = LocalProject::around(options.path, options.includes);
  if (!project) {
    print_error(project.error());
    return kUsage;
  }
  trigger->repository = &(*project)->repository();
  // A merge request changes what its target does not have; of other events that is not known.
  if (trigger->merge_request && !trigger->changed_paths)
    if (auto changed = trigger->repository->changed_since(trigger->merge_request->target_branch))
      trigger->changed_paths = std::move(*changed);
  std::optional<pipeline::Work> work{std::in_place};  // of reading and planning together
  pipeline::Variables for_includes = pipeline::predefined_variables(*trigger);
  set_variables(for_includes, trigger->pipeline_variables);
  const auto read = read_pipeline_file(**project, options.includes,
                                       {for_includes, {}, trigger->changed_paths, nullptr});
  if (!read) {
    print_error(read.error());
    return kUsage;
  }
  if (!read->outcome.configuration) return refuse(read->outcome.findings, *read, options.json);
  // Standard output is the plan's, for scripts.
  std::cerr << rendered(read->outcome.findings, *read);
  if (options.merged) {
    std::cout << pipeline::lint::merged_yaml(*read->outcome.tree);
    return kOk;
  }
  const pipeline::Configuration& configuration = *read->outcome.configuration;
  if (pipeline::asks_for_paths(configuration))
    if (auto paths = (*project)->includes().local_paths()) trigger->paths = std::move(*paths);
  const auto planned = pipeline::make_plan(configuration, *trigger, (*project)->limits());
  if (has_errors(planned.findings)) return refuse(planned.findings, *read, options.json);
  std::cerr << rendered(planned.findings, *read);
  work.reset();  // each child has its own
  const auto children = child_plans(planned, *trigger, **project);
  std::cout << (options.json ? plan_as_json(planned, configuration, children)
                             : plan_as_text(planned, configuration, children));
  return kOk;
}

}  // namespace

CLI::App* add_plan_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("plan", "print the jobs that an event would create, and why not others");
  command->footer(
      "Without --changed the changed paths are not known, and every `changes` holds, but for a "
      "merge\n"
      "request and for `compare_to`: git says what differs from the branch. `exists` looks at the "
      "files\n"
      "of the working tree.\n\nExamples:\n"
      "  slipway plan --event push --branch feature\n"
      "  slipway plan --event tag --tag v1.0\n"
      "  slipway plan .gitlab-ci.yml --changed docs/index.md --var DEPLOY=yes --json\n"
      "  slipway plan --merged");
  const auto options = std::make_shared<PlanOptions>();
  command->add_option("path", options->path,
                      "file, directory with a .gitlab-ci.yml (.), or - for standard input");
  command->add_option("--event", options->event, "what happened (push)")
      ->check(CLI::IsMember({"push", "tag", "merge_request", "schedule", "web", "api", "trigger"}));
  command->add_option("--branch", options->branch, "the branch (the default branch)");
  command->add_option("--tag", options->tag, "the tag");
  command->add_option("--default-branch", options->default_branch, "of the project (main)");
  command->add_option("--target-branch", options->target_branch,
                      "of a merge request (the default branch)");
  command->add_option("--changed", options->changed, "a changed path; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--var", options->variables, "NAME=VALUE; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  auto* json = command->add_flag("--json", options->json, "print JSON");
  command
      ->add_flag("--merged", options->merged,
                 "print the file with includes, extends and references resolved")
      ->excludes(json);
  add_include_options(*command, options->includes);
  command->callback([options, &exit_code] { exit_code = plan(*options); });
  return command;
}

}  // namespace slipway::cli
