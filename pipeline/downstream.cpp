#include "pipeline/downstream.h"

#include <nlohmann/json.hpp>

#include "pipeline/variables.h"

namespace slipway::pipeline {
namespace {

using nlohmann::json;

json inputs_json(const std::vector<GivenInput>& inputs) {
  json object = json::object();
  for (const GivenInput& input : inputs)
    object[input.name] = json::parse(input.json, nullptr, false);
  return object;
}

// As an include of a file that has nothing else. Its own variables are expanded when it is read.
json include_of(const ChildFile& file, const Variables& variables,
                std::vector<ArtifactFile>& artifacts) {
  if (file.kind == "project")
    return {{"project", file.from}, {"file", file.files}, {"ref", file.ref}};
  if (file.kind != "artifact") return {{file.kind, file.from}};
  const ArtifactFile& made = artifacts.emplace_back(ArtifactFile{
      expand_text(file.job, variables, true), expand_text(file.from, variables, true), ""});
  // As it is shown where the file has errors.
  artifacts.back().name = made.job + ":" + made.path;
  return {{"local", artifacts.back().name}};
}

std::string configuration_of(const Bridge& bridge, const Variables& variables,
                             std::vector<ArtifactFile>& artifacts) {
  json list = json::array();
  for (const ChildFile& file : bridge.files) {
    json include = include_of(file, variables, artifacts);
    if (file.kind == "project" && file.ref.empty()) include.erase("ref");
    const auto& inputs = file.inputs.empty() ? bridge.inputs : file.inputs;
    if (!inputs.empty()) include["inputs"] = inputs_json(inputs);
    list.push_back(std::move(include));
  }
  // JSON is YAML.
  return json{{"include", std::move(list)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Later ones override: those of the file, then those that this pipeline was given.
Variables passed_on(const Bridge& bridge, const PlannedJob& planned, const Variables& expanded,
                    const Variables& given) {
  Variables variables;
  if (bridge.forward_yaml_variables)
    for (const Variable& written : planned.variables) {
      Variable passed = written;
      // What was given with the trigger may have taken its place in this pipeline, not downstream.
      const Variable* value =
          find_variable(given, written.name) ? nullptr : find_variable(expanded, written.name);
      if (value != nullptr) passed.value = value->value;
      // Once more: references to raw ones, CI_PIPELINE_ID among them, stand as they were written.
      if (!written.raw) passed.value = expand_text(passed.value, expanded, false);
      set_variable(variables, std::move(passed));
    }
  if (bridge.forward_pipeline_variables) set_variables(variables, given);
  return variables;
}

}  // namespace

Result<DownstreamRequest> downstream_request(const PlannedJob& planned, const JobFacts& facts) {
  const Bridge& bridge = *planned.job.bridge;
  const auto variables = variables_before_run(planned, facts);
  if (!variables) return variables.error();
  DownstreamRequest request;
  request.upstream = expand_text(bridge.upstream, *variables, true);
  request.project = expand_text(bridge.project, *variables, true);
  request.branch = expand_text(bridge.branch, *variables, true);
  if (!bridge.files.empty())
    request.configuration = configuration_of(bridge, *variables, request.artifacts);
  else
    for (const GivenInput& input : bridge.inputs)
      request.inputs.push_back({input.name, input.json, true});
  request.variables = passed_on(bridge, planned, *variables, facts.trigger.pipeline_variables);
  return request;
}

}  // namespace slipway::pipeline
