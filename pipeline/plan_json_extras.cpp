#include "pipeline/plan_json_extras.h"

#include <nlohmann/json.hpp>

namespace slipway::pipeline {
namespace {

using nlohmann::json;

json inputs_json(const std::vector<GivenInput>& inputs) {
  json list = json::array();
  for (const GivenInput& input : inputs)
    list.push_back({{"name", input.name}, {"json", input.json}});
  return list;
}

void read_inputs(JsonFields& fields, std::vector<GivenInput>& inputs) {
  fields.objects("inputs", [&](JsonFields& item) {
    GivenInput& input = inputs.emplace_back();
    item.read("name", input.name);
    item.read("json", input.json);
  });
}

json bridge_json(const Bridge& bridge) {
  json files = json::array();
  for (const ChildFile& file : bridge.files)
    files.push_back({{"kind", file.kind},
                     {"from", file.from},
                     {"files", file.files},
                     {"ref", file.ref},
                     {"job", file.job},
                     {"inputs", inputs_json(file.inputs)}});
  return {{"project", bridge.project},
          {"branch", bridge.branch},
          {"files", files},
          {"strategy", bridge.strategy},
          {"forward_yaml_variables", bridge.forward_yaml_variables},
          {"forward_pipeline_variables", bridge.forward_pipeline_variables},
          {"inputs", inputs_json(bridge.inputs)},
          {"upstream", bridge.upstream}};
}

void read_bridge(JsonFields& fields, Bridge& bridge) {
  fields.read("project", bridge.project);
  fields.read("branch", bridge.branch);
  fields.objects("files", [&](JsonFields& item) {
    ChildFile& file = bridge.files.emplace_back();
    item.read("kind", file.kind);
    item.read("from", file.from);
    item.read("files", file.files);
    item.read("ref", file.ref);
    item.read("job", file.job);
    read_inputs(item, file.inputs);
  });
  fields.read("strategy", bridge.strategy);
  fields.read("forward_yaml_variables", bridge.forward_yaml_variables);
  fields.read("forward_pipeline_variables", bridge.forward_pipeline_variables);
  read_inputs(fields, bridge.inputs);
  fields.read("upstream", bridge.upstream);
}

json release_json(const Release& release) {
  json links = json::array();
  for (const ReleaseLink& link : release.links)
    links.push_back({{"name", link.name},
                     {"url", link.url},
                     {"filepath", link.filepath},
                     {"link_type", link.link_type}});
  return {{"tag_name", release.tag_name},
          {"tag_message", release.tag_message},
          {"name", release.name},
          {"description", release.description},
          {"ref", release.ref},
          {"released_at", release.released_at},
          {"milestones", release.milestones},
          {"links", links}};
}

void read_release(JsonFields& fields, Release& release) {
  fields.read("tag_name", release.tag_name);
  fields.read("tag_message", release.tag_message);
  fields.read("name", release.name);
  fields.read("description", release.description);
  fields.read("ref", release.ref);
  fields.read("released_at", release.released_at);
  fields.read("milestones", release.milestones);
  fields.objects("links", [&](JsonFields& item) {
    ReleaseLink& link = release.links.emplace_back();
    item.read("name", link.name);
    item.read("url", link.url);
    item.read("filepath", link.filepath);
    item.read("link_type", link.link_type);
  });
}

void add_credentials(const Job& job, json& object) {
  json secrets = json::array();
  for (const Secret& secret : job.secrets)
    secrets.push_back({{"name", secret.name},
                       {"provider", secret.provider},
                       {"where", secret.where},
                       {"file", secret.file},
                       {"token", secret.token}});
  if (!secrets.empty()) object["secrets"] = secrets;
  json tokens = json::array();
  for (const IdToken& token : job.id_tokens)
    tokens.push_back({{"name", token.name}, {"audiences", token.audiences}});
  if (!tokens.empty()) object["id_tokens"] = tokens;
}

void read_credentials(JsonFields& fields, Job& job) {
  fields.objects("secrets", [&](JsonFields& item) {
    Secret& secret = job.secrets.emplace_back();
    item.read("name", secret.name);
    item.read("provider", secret.provider);
    item.read("where", secret.where);
    item.read("file", secret.file);
    item.read("token", secret.token);
  });
  fields.objects("id_tokens", [&](JsonFields& item) {
    IdToken& token = job.id_tokens.emplace_back();
    item.read("name", token.name);
    item.read("audiences", token.audiences);
  });
}

void add_job_inputs(const Job& job, json& object) {
  json inputs = json::array();
  for (const JobInput& input : job.inputs)
    inputs.push_back({{"name", input.name},
                      {"type", input.type},
                      {"default", input.default_json},
                      {"description", input.description},
                      {"options", input.options_json},
                      {"regex", input.regex}});
  if (!inputs.empty()) object["inputs"] = inputs;
}

void read_job_inputs(JsonFields& fields, Job& job) {
  fields.objects("inputs", [&](JsonFields& item) {
    JobInput& input = job.inputs.emplace_back();
    item.read("name", input.name);
    item.read("type", input.type);
    item.read("default", input.default_json);
    item.read("description", input.description);
    item.read("options", input.options_json);
    item.read("regex", input.regex);
  });
}

void add_foreign_needs(const Job& job, json& object) {
  json needs = json::array();
  for (const ForeignNeed& need : job.foreign_needs)
    needs.push_back({{"project", need.project},
                     {"ref", need.ref},
                     {"pipeline", need.pipeline},
                     {"job", need.job},
                     {"artifacts", need.artifacts},
                     {"optional", need.optional}});
  if (!needs.empty()) object["foreign_needs"] = needs;
}

void read_foreign_needs(JsonFields& fields, Job& job) {
  fields.objects("foreign_needs", [&](JsonFields& item) {
    ForeignNeed& need = job.foreign_needs.emplace_back();
    item.read("project", need.project);
    item.read("ref", need.ref);
    item.read("pipeline", need.pipeline);
    item.read("job", need.job);
    item.read("artifacts", need.artifacts);
    item.read("optional", need.optional);
  });
}

}  // namespace

void add_extras(const Job& job, json& object) {
  if (job.bridge) object["bridge"] = bridge_json(*job.bridge);
  if (!job.steps_json.empty()) object["steps"] = job.steps_json;
  if (job.release) object["release"] = release_json(*job.release);
  if (job.pages)
    object["pages"] = {{"publish", job.pages->publish},
                       {"path_prefix", job.pages->path_prefix},
                       {"expire_in", job.pages->expire_in}};
  if (!job.manual_confirmation.empty()) object["manual_confirmation"] = job.manual_confirmation;
  add_credentials(job, object);
  add_job_inputs(job, object);
  add_foreign_needs(job, object);
}

void read_extras(JsonFields& fields, Job& job) {
  fields.object("bridge", [&](JsonFields& item) { read_bridge(item, job.bridge.emplace()); });
  fields.read("steps", job.steps_json);
  fields.object("release", [&](JsonFields& item) { read_release(item, job.release.emplace()); });
  fields.object("pages", [&](JsonFields& item) {
    Pages& pages = job.pages.emplace();
    item.read("publish", pages.publish);
    item.read("path_prefix", pages.path_prefix);
    item.read("expire_in", pages.expire_in);
  });
  fields.read("manual_confirmation", job.manual_confirmation);
  read_credentials(fields, job);
  read_job_inputs(fields, job);
  read_foreign_needs(fields, job);
}

}  // namespace slipway::pipeline
