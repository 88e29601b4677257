#include "pipeline/job_spec.h"

#include <nlohmann/json.hpp>

#include "pipeline/json_fields.h"

namespace slipway::pipeline {
namespace {

using nlohmann::json;

json list_or_null(const std::vector<std::string>& items) {
  return items.empty() ? json(nullptr) : json(items);
}
json list_or_null(const std::optional<std::vector<std::string>>& items) {
  return items ? json(*items) : json(nullptr);
}

json variables_json(const std::vector<JobVariable>& variables) {
  json list = json::array();
  for (const JobVariable& variable : variables)
    list.push_back({{"key", variable.key},
                    {"value", variable.value},
                    {"public", variable.is_public},
                    {"file", variable.file},
                    {"masked", variable.masked},
                    {"raw", variable.raw}});
  return list;
}

json image_json(const JobImage& image) {
  json options = json::object();
  if (!image.docker_user.empty()) options["docker"]["user"] = image.docker_user;
  if (!image.docker_platform.empty()) options["docker"]["platform"] = image.docker_platform;
  json object{{"name", image.name},
              {"entrypoint", list_or_null(image.entrypoint)},
              {"command", list_or_null(image.command)},
              {"ports", json::array()},
              {"pull_policy", list_or_null(image.pull_policy)},
              {"executor_opts", options}};
  if (!image.alias.empty()) object["alias"] = image.alias;
  if (!image.variables.empty()) object["variables"] = variables_json(image.variables);
  return object;
}

json steps_json(const JobSpec& spec) {
  json list = json::array();
  for (const JobStep& step : spec.steps)
    list.push_back({{"name", step.name},
                    {"script", step.script},
                    {"timeout", step.timeout},
                    {"when", step.when},
                    {"allow_failure", step.allow_failure}});
  return list;
}

json artifacts_json(const JobSpec& spec) {
  json list = json::array();
  for (const JobArtifact& artifact : spec.artifacts)
    list.push_back({{"name", artifact.name},
                    {"untracked", artifact.untracked},
                    {"paths", artifact.paths},
                    {"exclude", list_or_null(artifact.exclude)},
                    {"when", artifact.when},
                    {"artifact_type", artifact.artifact_type},
                    {"artifact_format", artifact.artifact_format},
                    {"expire_in", artifact.expire_in}});
  return list;
}

json caches_json(const JobSpec& spec) {
  json list = json::array();
  for (const JobCache& cache : spec.caches)
    list.push_back({{"key", cache.key},
                    {"untracked", cache.untracked},
                    {"policy", cache.policy},
                    {"paths", cache.paths},
                    {"when", cache.when},
                    {"fallback_keys", cache.fallback_keys}});
  return list;
}

json credentials_json(const JobSpec& spec) {
  json list = json::array();
  for (const JobCredential& credential : spec.credentials)
    list.push_back({{"type", credential.type},
                    {"url", credential.url},
                    {"username", credential.username},
                    {"password", credential.password}});
  return list;
}

json dependencies_json(const JobSpec& spec) {
  json list = json::array();
  for (const JobDependency& dependency : spec.dependencies) {
    json file = nullptr;
    if (!dependency.filename.empty())
      file = {{"filename", dependency.filename}, {"size", dependency.size}};
    list.push_back({{"id", dependency.id},
                    {"name", dependency.name},
                    {"token", dependency.token},
                    {"artifacts_file", file}});
  }
  return list;
}

json hooks_json(const JobSpec& spec) {
  json list = json::array();
  for (const auto& [name, script] : spec.hooks)
    list.push_back({{"name", name}, {"script", script}});
  return list;
}

void read_variable(JsonFields& fields, JobVariable& variable) {
  fields.read("key", variable.key);
  fields.read("value", variable.value);
  fields.read("public", variable.is_public);
  fields.read("file", variable.file);
  fields.read("masked", variable.masked);
  fields.read("raw", variable.raw);
}

template <typename T, typename Read>
void read_list(JsonFields& fields, const char* key, std::vector<T>& target, const Read& read) {
  fields.objects(key, [&](JsonFields& item) {
    target.emplace_back();
    read(item, target.back());
  });
}

void read_image(JsonFields& fields, JobImage& image) {
  fields.read("name", image.name);
  fields.read("alias", image.alias);
  fields.read("entrypoint", image.entrypoint);
  fields.read("command", image.command);
  fields.read("pull_policy", image.pull_policy);
  fields.object("executor_opts", [&](JsonFields& options) {
    options.object("docker", [&](JsonFields& docker) {
      docker.read("user", image.docker_user);
      docker.read("platform", image.docker_platform);
    });
  });
  read_list(fields, "variables", image.variables, read_variable);
}

void read_step(JsonFields& fields, JobStep& step) {
  fields.read("name", step.name);
  fields.read("script", step.script);
  fields.read("timeout", step.timeout);
  fields.read("when", step.when);
  fields.read("allow_failure", step.allow_failure);
}

void read_artifact(JsonFields& fields, JobArtifact& artifact) {
  fields.read("name", artifact.name);
  fields.read("untracked", artifact.untracked);
  fields.read("paths", artifact.paths);
  fields.read("exclude", artifact.exclude);
  fields.read("when", artifact.when);
  fields.read("artifact_type", artifact.artifact_type);
  fields.read("artifact_format", artifact.artifact_format);
  fields.read("expire_in", artifact.expire_in);
}

void read_cache(JsonFields& fields, JobCache& cache) {
  fields.read("key", cache.key);
  fields.read("untracked", cache.untracked);
  fields.read("policy", cache.policy);
  fields.read("paths", cache.paths);
  fields.read("when", cache.when);
  fields.read("fallback_keys", cache.fallback_keys);
}

void read_dependency(JsonFields& fields, JobDependency& dependency) {
  fields.read("id", dependency.id);
  fields.read("name", dependency.name);
  fields.read("token", dependency.token);
  fields.object("artifacts_file", [&](JsonFields& file) {
    file.read("filename", dependency.filename);
    file.read("size", dependency.size);
  });
}

void read_facts(JsonFields& fields, JobSpec& spec) {
  fields.object("job_info", [&](JsonFields& info) {
    info.read("name", spec.name);
    info.read("stage", spec.stage);
    info.read("pipeline_id", spec.pipeline_id);
    info.read("project_id", spec.project_id);
    info.read("project_name", spec.project_name);
    info.read("project_full_path", spec.project_full_path);
    info.read("time_in_queue_seconds", spec.time_in_queue_seconds);
  });
  fields.object("git_info", [&](JsonFields& git) {
    git.read("repo_url", spec.repo_url);
    git.read("ref", spec.ref);
    git.read("sha", spec.sha);
    git.read("before_sha", spec.before_sha);
    git.read("ref_type", spec.ref_type);
    git.read("refspecs", spec.refspecs);
    git.read("depth", spec.depth);
    git.read("protected", spec.ref_protected);
  });
  fields.object("runner_info", [&](JsonFields& info) { info.read("timeout", spec.timeout); });
  fields.object("features", [&](JsonFields& features) {
    features.read("trace_sections", spec.trace_sections);
    features.read("token_mask_prefixes", spec.token_mask_prefixes);
    features.read("failure_reasons", spec.failure_reasons);
  });
}

}  // namespace

json to_json(const JobSpec& spec) {
  return {{"id", spec.id},
          {"token", spec.token},
          {"allow_git_fetch", spec.allow_git_fetch},
          {"job_info",
           {{"id", spec.id},
            {"name", spec.name},
            {"stage", spec.stage},
            {"pipeline_id", spec.pipeline_id},
            {"project_id", spec.project_id},
            {"project_name", spec.project_name},
            {"project_full_path", spec.project_full_path},
            {"time_in_queue_seconds", spec.time_in_queue_seconds},
            {"project_jobs_running_on_instance_runners_count", "0"}}},
          {"git_info",
           {{"repo_url", spec.repo_url},
            {"repo_object_format", "sha1"},
            {"ref", spec.ref},
            {"sha", spec.sha},
            {"before_sha", spec.before_sha},
            {"ref_type", spec.ref_type},
            {"refspecs", spec.refspecs},
            {"depth", spec.depth},
            {"protected", spec.ref_protected}}},
          {"runner_info", {{"timeout", spec.timeout}}},
          {"inputs", json::array()},
          {"variables", variables_json(spec.variables)},
          {"steps", steps_json(spec)},
          {"image", spec.image ? image_json(*spec.image) : json(nullptr)},
          {"services",
           [&] {
             json list = json::array();
             for (const JobImage& service : spec.services) list.push_back(image_json(service));
             return list;
           }()},
          {"artifacts", artifacts_json(spec)},
          {"cache", caches_json(spec)},
          {"credentials", credentials_json(spec)},
          {"dependencies", dependencies_json(spec)},
          {"features",
           {{"trace_sections", spec.trace_sections},
            {"token_mask_prefixes", spec.token_mask_prefixes},
            {"failure_reasons", spec.failure_reasons}}},
          {"hooks", hooks_json(spec)}};
}

Result<JobSpec> job_spec_from_json(const json& object) {
  JobSpec spec;
  std::optional<Error> error;
  JsonFields fields{object, "", error};
  fields.read("id", spec.id);
  fields.read("token", spec.token);
  fields.read("allow_git_fetch", spec.allow_git_fetch);
  read_facts(fields, spec);
  read_list(fields, "variables", spec.variables, read_variable);
  read_list(fields, "steps", spec.steps, read_step);
  fields.object("image", [&](JsonFields& image) { read_image(image, spec.image.emplace()); });
  read_list(fields, "services", spec.services, read_image);
  read_list(fields, "artifacts", spec.artifacts, read_artifact);
  read_list(fields, "cache", spec.caches, read_cache);
  fields.objects("credentials", [&](JsonFields& item) {
    JobCredential& credential = spec.credentials.emplace_back();
    item.read("type", credential.type);
    item.read("url", credential.url);
    item.read("username", credential.username);
    item.read("password", credential.password);
  });
  read_list(fields, "dependencies", spec.dependencies, read_dependency);
  fields.objects("hooks", [&](JsonFields& item) {
    auto& [name, script] = spec.hooks.emplace_back();
    item.read("name", name);
    item.read("script", script);
  });
  if (!error && spec.id <= 0) error = fail(ErrorKind::InvalidInput, "'id' must be a job's number");
  if (error) return *error;
  return spec;
}

}  // namespace slipway::pipeline
