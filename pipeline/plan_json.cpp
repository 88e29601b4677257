// A planned job as the store keeps it. Rules, only and except have done their work and are left
// out.

#include <nlohmann/json.hpp>

#include "pipeline/json_fields.h"
#include "pipeline/plan.h"
#include "pipeline/plan_json_extras.h"

namespace slipway::pipeline {
namespace {

using nlohmann::json;

json variables_json(const Variables& variables) {
  json list = json::array();
  for (const Variable& variable : variables)
    list.push_back({{"name", variable.name},
                    {"value", variable.value},
                    {"raw", variable.raw},
                    {"file", variable.file},
                    {"masked", variable.masked}});
  return list;
}

json image_json(const Image& image) {
  return {{"name", image.name},
          {"entrypoint", image.entrypoint},
          {"has_entrypoint", image.has_entrypoint},
          {"pull_policy", image.pull_policy},
          {"docker_user", image.docker_user},
          {"docker_platform", image.docker_platform}};
}

json artifacts_json(const Artifacts& artifacts) {
  json reports = json::array();
  for (const Report& report : artifacts.reports)
    reports.push_back({{"type", report.type}, {"paths", report.paths}});
  return {{"name", artifacts.name},
          {"paths", artifacts.paths},
          {"exclude", artifacts.exclude},
          {"untracked", artifacts.untracked},
          {"when", to_string(artifacts.when)},
          {"expire_in", artifacts.expire_in},
          {"expose_as", artifacts.expose_as},
          {"access", artifacts.access},
          {"reports", reports}};
}

json caches_json(const std::vector<Cache>& caches) {
  json list = json::array();
  for (const Cache& cache : caches)
    list.push_back({{"key", cache.key},
                    {"key_files", cache.key_files},
                    {"key_by_commits", cache.key_by_commits},
                    {"key_prefix", cache.key_prefix},
                    {"paths", cache.paths},
                    {"untracked", cache.untracked},
                    {"unprotect", cache.unprotect},
                    {"policy", cache.policy},
                    {"when", to_string(cache.when)},
                    {"fallback_keys", cache.fallback_keys}});
  return list;
}

json services_json(const std::vector<Service>& services) {
  json list = json::array();
  for (const Service& service : services)
    list.push_back({{"image", image_json(service.image)},
                    {"alias", service.alias},
                    {"command", service.command},
                    {"variables", variables_json(service.variables)}});
  return list;
}

json needs_json(const std::vector<Need>& needs) {
  json list = json::array();
  for (const Need& need : needs)
    list.push_back({{"job", need.job}, {"artifacts", need.artifacts}, {"optional", need.optional}});
  return list;
}

json span_json(const SourceSpan& span) {
  return {{"file", span.file}, {"line", span.line}, {"column", span.column}};
}

void read_span(JsonFields& fields, SourceSpan& span) {
  fields.read("file", span.file);
  fields.read("line", span.line);
  fields.read("column", span.column);
}

void read_variables(JsonFields& fields, const char* key, Variables& variables) {
  fields.objects(key, [&](JsonFields& item) {
    Variable& variable = variables.emplace_back();
    item.read("name", variable.name);
    item.read("value", variable.value);
    item.read("raw", variable.raw);
    item.read("file", variable.file);
    item.read("masked", variable.masked);
  });
}

void read_image(JsonFields& fields, Image& image) {
  fields.read("name", image.name);
  fields.read("entrypoint", image.entrypoint);
  fields.read("has_entrypoint", image.has_entrypoint);
  fields.read("pull_policy", image.pull_policy);
  fields.read("docker_user", image.docker_user);
  fields.read("docker_platform", image.docker_platform);
}

void read_when(JsonFields& fields, UploadWhen& when) {
  std::string word;
  fields.read("when", word);
  for (const UploadWhen candidate :
       {UploadWhen::OnSuccess, UploadWhen::OnFailure, UploadWhen::Always})
    if (word == to_string(candidate)) when = candidate;
}

void read_artifacts(JsonFields& fields, Artifacts& artifacts) {
  fields.read("name", artifacts.name);
  fields.read("paths", artifacts.paths);
  fields.read("exclude", artifacts.exclude);
  fields.read("untracked", artifacts.untracked);
  fields.read("expire_in", artifacts.expire_in);
  fields.read("expose_as", artifacts.expose_as);
  fields.read("access", artifacts.access);
  read_when(fields, artifacts.when);
  fields.objects("reports", [&](JsonFields& item) {
    Report& report = artifacts.reports.emplace_back();
    item.read("type", report.type);
    item.read("paths", report.paths);
  });
}

void read_cache(JsonFields& fields, Cache& cache) {
  fields.read("key", cache.key);
  fields.read("key_files", cache.key_files);
  fields.read("key_by_commits", cache.key_by_commits);
  fields.read("key_prefix", cache.key_prefix);
  fields.read("paths", cache.paths);
  fields.read("untracked", cache.untracked);
  fields.read("unprotect", cache.unprotect);
  fields.read("policy", cache.policy);
  fields.read("fallback_keys", cache.fallback_keys);
  read_when(fields, cache.when);
}

void read_needs(JsonFields& fields, std::vector<Need>& needs) {
  fields.objects("needs", [&](JsonFields& item) {
    Need& need = needs.emplace_back();
    item.read("job", need.job);
    item.read("artifacts", need.artifacts);
    item.read("optional", need.optional);
  });
}

void read_environment(JsonFields& fields, Environment& environment) {
  fields.read("name", environment.name);
  fields.read("url", environment.url);
  fields.read("action", environment.action);
  fields.read("on_stop", environment.on_stop);
  fields.read("auto_stop_in", environment.auto_stop_in);
  fields.read("deployment_tier", environment.deployment_tier);
  fields.read("kubernetes_agent", environment.kubernetes_agent);
  fields.read("kubernetes_namespace", environment.kubernetes_namespace);
}

void read_seconds(JsonFields& fields, const char* key,
                  std::optional<std::chrono::seconds>& target) {
  std::int64_t seconds = -1;
  fields.read(key, seconds);
  if (seconds >= 0) target = std::chrono::seconds{seconds};
}

void read_job(JsonFields& fields, Job& job) {
  fields.read("name", job.name);
  fields.read("base_name", job.base_name);
  fields.read("stage", job.stage);
  fields.read("stage_index", job.stage_index);
  fields.object("at", [&](JsonFields& at) { read_span(at, job.at); });
  fields.read("script", job.script);
  fields.read("after_script", job.after_script);
  fields.objects("hooks", [&](JsonFields& item) {
    auto& [name, script] = job.hooks.emplace_back();
    item.read("name", name);
    item.read("script", script);
  });
  fields.object("image", [&](JsonFields& image) { read_image(image, job.image.emplace()); });
  fields.objects("services", [&](JsonFields& item) {
    Service& service = job.services.emplace_back();
    item.object("image", [&](JsonFields& image) { read_image(image, service.image); });
    item.read("alias", service.alias);
    item.read("command", service.command);
    read_variables(item, "variables", service.variables);
  });
  fields.read("tags", job.tags);
  fields.read("dependencies", job.dependencies);
  fields.object("artifacts",
                [&](JsonFields& item) { read_artifacts(item, job.artifacts.emplace()); });
  fields.objects("caches", [&](JsonFields& item) { read_cache(item, job.caches.emplace_back()); });
  fields.read("coverage", job.coverage);
  read_seconds(fields, "timeout", job.timeout);
  fields.object("retry", [&](JsonFields& retry) {
    retry.read("max", job.retry.max);
    retry.read("when", job.retry.when);
    retry.read("exit_codes", job.retry.exit_codes);
  });
  fields.read("resource_group", job.resource_group);
  fields.object("environment",
                [&](JsonFields& item) { read_environment(item, job.environment.emplace()); });
  read_extras(fields, job);
  fields.read("node_index", job.node_index);
  fields.read("node_total", job.node_total);
}

}  // namespace

json to_json(const PlannedJob& planned) {
  const Job& job = planned.job;
  json hooks = json::array();
  for (const auto& [name, script] : job.hooks)
    hooks.push_back({{"name", name}, {"script", script}});
  json object{
      {"name", job.name},
      {"base_name", job.base_name},
      {"stage", job.stage},
      {"stage_index", job.stage_index},
      {"at", span_json(job.at)},
      {"script", job.script},
      {"after_script", job.after_script},
      {"hooks", hooks},
      {"services", services_json(job.services)},
      {"tags", job.tags},
      {"caches", caches_json(job.caches)},
      {"coverage", job.coverage},
      {"retry",
       {{"max", job.retry.max}, {"when", job.retry.when}, {"exit_codes", job.retry.exit_codes}}},
      {"resource_group", job.resource_group},
      {"node_index", job.node_index},
      {"node_total", job.node_total}};
  if (job.image) object["image"] = image_json(*job.image);
  if (job.dependencies) object["dependencies"] = *job.dependencies;
  if (job.artifacts) object["artifacts"] = artifacts_json(*job.artifacts);
  if (job.timeout) object["timeout"] = job.timeout->count();
  if (job.environment)
    object["environment"] = {{"name", job.environment->name},
                             {"url", job.environment->url},
                             {"action", job.environment->action},
                             {"on_stop", job.environment->on_stop},
                             {"auto_stop_in", job.environment->auto_stop_in},
                             {"deployment_tier", job.environment->deployment_tier},
                             {"kubernetes_agent", job.environment->kubernetes_agent},
                             {"kubernetes_namespace", job.environment->kubernetes_namespace}};
  add_extras(job, object);
  json result{{"job", object},
              {"when", to_string(planned.when)},
              {"allow_failure", planned.allow_failure.always},
              {"allow_failure_exit_codes", planned.allow_failure.exit_codes},
              {"needs", needs_json(planned.needs)},
              {"dag", planned.dag},
              {"interruptible", planned.interruptible},
              {"variables", variables_json(planned.variables)}};
  if (!planned.of_event.empty()) result["of_event"] = variables_json(planned.of_event);
  if (planned.start_in) result["start_in"] = planned.start_in->count();
  if (planned.rule) result["rule"] = span_json(*planned.rule);
  return result;
}

Result<PlannedJob> planned_job_from_json(const json& object) {
  PlannedJob planned;
  std::optional<Error> error;
  JsonFields fields{object, "", error};
  fields.object("job", [&](JsonFields& job) { read_job(job, planned.job); });
  std::string when = "on_success";
  fields.read("when", when);
  fields.read("allow_failure", planned.allow_failure.always);
  fields.read("allow_failure_exit_codes", planned.allow_failure.exit_codes);
  read_needs(fields, planned.needs);
  fields.read("dag", planned.dag);
  fields.read("interruptible", planned.interruptible);
  read_variables(fields, "variables", planned.variables);
  read_variables(fields, "of_event", planned.of_event);
  read_seconds(fields, "start_in", planned.start_in);
  fields.object("rule", [&](JsonFields& rule) { read_span(rule, planned.rule.emplace()); });
  const auto parsed = parse_when(when);
  if (!error && !parsed) error = parsed.error();
  if (error) return *error;
  planned.when = *parsed;
  return planned;
}

}  // namespace slipway::pipeline
