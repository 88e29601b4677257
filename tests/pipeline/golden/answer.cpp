// The words in which a golden case states what it expects.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "pipeline/coverage.h"
#include "pipeline/lint/warnings.h"
#include "pipeline/variables.h"
#include "tests/pipeline/golden/case_file.h"
#include "tests/pipeline/golden/world.h"
#include "tests/pipeline/support.h"

namespace slipway::pipeline::golden {
namespace {

using nlohmann::json;

std::string one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\n");
  return text;
}

std::string shown(const json& value) {
  return value.is_string() ? one_line(value.get<std::string>()) : value.dump();
}

std::string needs_shown(const std::vector<Need>& needs) {
  std::vector<std::string> names;
  for (const Need& need : needs)
    names.push_back(need.job + (need.artifacts ? "" : " without artifacts"));
  return "[" + fmt::format("{}", fmt::join(names, ", ")) + "]";
}

std::string variables_shown(const Variables& variables) {
  std::vector<std::string> pairs;
  for (const Variable& variable : variables) pairs.push_back(variable.name + "=" + variable.value);
  return fmt::format("{}", fmt::join(pairs, " "));
}

// "image.name", "caches.0.key": first among what the planner decided, then in the job.
const json* look_up(const json& planned, const std::string& path) {
  for (const json* at : {&planned, &planned.at("job")}) {
    std::istringstream names{path};
    for (std::string name; at != nullptr && std::getline(names, name, '.');) {
      if (at->is_array() && !name.empty() &&
          std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
        const std::size_t index = std::stoul(name);
        at = index < at->size() ? &(*at)[index] : nullptr;
      } else {
        at = at->is_object() && at->contains(name) ? &(*at)[name] : nullptr;
      }
    }
    if (at != nullptr) return at;
  }
  return nullptr;
}

std::string field_of(const PlannedJob& planned, const json& object, const std::string& name) {
  if (name == "needs") return planned.dag ? needs_shown(planned.needs) : "(none)";
  if (name == "rule") return planned.rule ? std::to_string(planned.rule->line) : "(none)";
  if (name == "variables") return variables_shown(planned.variables);
  if (name[0] == '$') {
    const Variable* variable = find_variable(planned.variables, name.substr(1));
    return variable == nullptr ? "(not set)" : one_line(variable->value);
  }
  const json* value = look_up(object, name);
  return value == nullptr ? "(none)" : shown(*value);
}

struct Wanted {
  std::map<std::string, std::vector<std::string>> fields;  // of each job, as the case has them
  bool stages = false;
  bool name = false;
  bool auto_cancel = false;
};

bool begins(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

Wanted wanted_by(const std::string& expected) {
  Wanted wanted;
  std::istringstream lines{expected};
  for (std::string line; std::getline(lines, line);) {
    wanted.stages = wanted.stages || begins(line, "stages: ");
    wanted.name = wanted.name || begins(line, "name: ");
    wanted.auto_cancel = wanted.auto_cancel || begins(line, "auto_cancel: ");
    std::size_t at = line.find(" | ");
    std::vector<std::string>& fields = wanted.fields[line.substr(0, at)];
    while (at != std::string::npos) {
      const std::size_t start = at + 3;
      at = line.find(" | ", start);
      fields.push_back(line.substr(start, line.find('=', start) - start));
    }
  }
  return wanted;
}

std::string findings_shown(const Diagnostics& findings, Severity severity) {
  std::string text;
  for (const Diagnostic& finding : findings)
    if (finding.severity == severity)
      text += fmt::format("{}{}: {}\n",
                          finding.span.file == ".gitlab-ci.yml" ? "" : finding.span.file + ":",
                          finding.span.line, one_line(finding.message));
  return text;
}

std::string plan_shown(const Plan& plan, const Wanted& wanted) {
  std::string text;
  if (wanted.name) text += "name: " + plan.name + "\n";
  if (wanted.auto_cancel)
    text += fmt::format("auto_cancel: {} {}\n", plan.auto_cancel_on_new_commit,
                        plan.auto_cancel_on_job_failure);
  if (wanted.stages) text += fmt::format("stages: {}\n", fmt::join(plan.stages, ", "));
  for (const PlannedJob& planned : plan.jobs) {
    text += planned.job.name;
    const auto fields = wanted.fields.find(planned.job.name);
    const json object = to_json(planned);
    if (fields != wanted.fields.end())
      for (const std::string& name : fields->second)
        text += " | " + name + "=" + field_of(planned, object, name);
    text += "\n";
  }
  for (const LeftOutJob& job : plan.left_out)
    text += fmt::format("left out: {} ({})\n", job.name, to_string(job.reason.code));
  for (const Diagnostic& finding : plan.findings)
    if (finding.severity == Severity::Error) text += "error: " + finding.message + "\n";
  if (plan.no_pipeline) text += fmt::format("no pipeline: {}\n", to_string(plan.no_pipeline->code));
  return text;
}

// What `slipway lint --strict` says beside errors.
std::string strict_shown(const Case& one, const ReadOutcome& outcome) {
  Diagnostics findings = outcome.findings;
  for (Diagnostic& finding :
       lint::warnings(outcome, [&](const std::string& file) -> std::string_view {
         const auto other = one.files.find(file);
         return other == one.files.end() ? one.text : other->second;
       }))
    findings.push_back(std::move(finding));
  sort_by_place(findings);
  return findings_shown(findings, Severity::Warning);
}

// What the expression of the only job finds in the file "log".
std::string coverage_shown(const Case& one) {
  const Configuration configuration = test::configuration_of(one.text);
  const auto expression = CoverageExpression::compile(configuration.jobs.front().coverage);
  if (!expression) return "refused: " + expression.error().message + "\n";
  const auto figure = expression->match(one.files.at("log"));
  return figure ? fmt::format("{}\n", *figure) : "none\n";
}

// "--input name=value" of the marker.
std::vector<InputValue> inputs_of(const std::string& marker) {
  std::vector<InputValue> inputs;
  std::istringstream words{marker};
  for (std::string word; words >> word;) {
    if (word != "--input" || !(words >> word)) continue;
    const auto equals = word.find('=');
    inputs.push_back(InputValue{word.substr(0, equals), word.substr(equals + 1)});
  }
  return inputs;
}

// "--compare REF=a,b" of the marker: what differs from REF.
std::map<std::string, std::vector<std::string>> comparisons_of(const std::string& marker) {
  std::map<std::string, std::vector<std::string>> comparisons;
  std::istringstream words{marker};
  for (std::string word; words >> word;) {
    if (word != "--compare" || !(words >> word)) continue;
    const auto equals = word.find('=');
    std::istringstream paths{word.substr(equals + 1)};
    auto& changed = comparisons[word.substr(0, equals)];
    for (std::string path; std::getline(paths, path, ',');) changed.push_back(path);
  }
  return comparisons;
}

}  // namespace

std::string answer(const Case& one, const Expectation& expectation) {
  if (expectation.marker == "coverage") return coverage_shown(one);
  const auto colon = expectation.marker.find(" : ");
  Trigger trigger = parse_event(expectation.marker.substr(0, colon));
  World world{one.files, comparisons_of(expectation.marker)};
  trigger.repository = &world;
  ReadOptions options;
  options.variables = include_variables(trigger);
  options.changed_paths = trigger.changed_paths;
  options.inputs = inputs_of(expectation.marker);
  options.repository = &world;
  const ReadOutcome outcome = read_configuration(one.text, ".gitlab-ci.yml", world, options);
  if (expectation.marker.rfind("lint", 0) == 0)
    return findings_shown(outcome.findings, Severity::Error);
  if (expectation.marker.rfind("strict", 0) == 0) return strict_shown(one, outcome);
  if (expectation.marker.rfind("warnings", 0) == 0)
    return findings_shown(outcome.findings, Severity::Warning);
  if (!outcome.configuration)
    return "not valid\n" + findings_shown(outcome.findings, Severity::Error);
  const Plan plan = make_plan(*outcome.configuration, trigger);
  if (colon != std::string::npos) return story_of(plan, expectation.marker.substr(colon + 3));
  return plan_shown(plan, wanted_by(expectation.expected));
}

}  // namespace slipway::pipeline::golden
