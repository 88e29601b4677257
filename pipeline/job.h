// A job as the pipeline file describes it, typed and checked, with defaults and bases applied.
//
// Plain values; the source is docs/ci/yaml of GitLab, whose words are kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pipeline/shared.h"

namespace slipway::pipeline {

enum class When : std::uint8_t { OnSuccess, OnFailure, Always, Manual, Delayed, Never };
std::string_view to_string(When when);
Result<When> parse_when(std::string_view text);

struct Variable {
  std::string name;
  std::string value;
  bool raw = false;   // `expand: false`
  bool file = false;  // the value goes into a file, the variable holds its path
  bool masked = false;

  bool operator==(const Variable&) const = default;
};

// In order; a later entry of a name overrides an earlier one.
using Variables = std::vector<Variable>;
// The last entry of that name, or null.
const Variable* find_variable(const Variables& variables, std::string_view name);
// Overrides in place, or appends.
void set_variable(Variables& variables, Variable variable);
void set_variables(Variables& variables, const Variables& more);

struct Image {
  std::string name;
  std::vector<std::string> entrypoint;
  bool has_entrypoint = false;  // `entrypoint: [""]` differs from none
  std::vector<std::string> pull_policy;
  std::string docker_user;
  std::string docker_platform;
};

struct Service {
  Image image;
  std::string alias;
  std::vector<std::string> command;
  Variables variables;
};

enum class UploadWhen : std::uint8_t { OnSuccess, OnFailure, Always };
std::string_view to_string(UploadWhen when);

struct Report {
  std::string type;  // "junit", "dotenv", "cobertura", …
  std::vector<std::string> paths;
};

struct Artifacts {
  std::string name;
  std::vector<std::string> paths;
  std::vector<std::string> exclude;
  bool untracked = false;
  UploadWhen when = UploadWhen::OnSuccess;
  std::string expire_in;  // as written; "" is the server's default
  std::string expose_as;
  std::string access = "all";  // who may download: all, developer, maintainer, none
  std::vector<Report> reports;
};

struct Cache {
  std::string key = "default";
  std::vector<std::string> key_files;
  bool key_by_commits = false;  // `files_commits`: the last commits of the files, not their content
  std::string key_prefix;
  std::vector<std::string> paths;
  bool untracked = false;
  bool unprotect = false;  // protected and other branches share it
  std::string policy = "pull-push";
  UploadWhen when = UploadWhen::OnSuccess;
  std::vector<std::string> fallback_keys;
};

struct Need {
  std::string job;  // name of an instance, after parallel jobs are expanded
  bool artifacts = true;
  bool optional = false;
  SourceSpan at;
};

// Artifacts of a job in another pipeline.
struct ForeignNeed {
  std::string project;  // with `ref`: of the latest successful pipeline there
  std::string ref;
  std::string pipeline;  // or the number of a pipeline, mostly a variable
  std::string job;
  bool artifacts = true;
  bool optional = false;
  SourceSpan at;
};

struct AllowFailure {
  bool always = false;
  std::vector<int> exit_codes;  // allowed when the job fails with one of these
};

struct Retry {
  int max = 0;
  std::vector<std::string> when;  // GitLab's words; empty with no exit codes: on any failure
  std::vector<int> exit_codes;
};

struct Changes {
  std::vector<std::string> paths;
  std::string regexp;  // instead of paths
  std::string compare_to;
};

struct Exists {
  std::vector<std::string> paths;
  std::string regexp;   // instead of paths
  std::string project;  // "" is this one
  std::string ref;
};

struct AutoCancel {
  std::string on_new_commit;  // "" where not said
  std::string on_job_failure;
};

struct Rule {
  std::optional<std::string> condition;  // `if`
  std::optional<Changes> changes;
  std::optional<Exists> exists;
  std::optional<When> when;
  std::optional<std::chrono::seconds> start_in;
  std::optional<AllowFailure> allow_failure;
  Variables variables;
  std::optional<std::vector<Need>> needs;
  std::optional<bool> interruptible;
  AutoCancel auto_cancel;  // of workflow rules
  SourceSpan at;
};

// `only` or `except`.
struct RefPolicy {
  std::optional<std::vector<std::string>> refs;
  std::vector<std::string> variables;  // expressions
  std::optional<std::vector<std::string>> changes;
  bool kubernetes_active = false;
  SourceSpan at;
};

struct Environment {
  std::string name;
  std::string url;
  std::string action = "start";
  std::string on_stop;
  std::string auto_stop_in;
  std::string deployment_tier;
  std::string kubernetes_agent;
  std::string kubernetes_namespace;
  SourceSpan on_stop_at;
};

// A value given to an input, as JSON because it may be of any type.
struct GivenInput {
  std::string name;
  std::string json;

  bool operator==(const GivenInput&) const = default;
};

// One file of a child pipeline.
struct ChildFile {
  std::string kind;  // "local", "template", "remote", "component", "project" or "artifact"
  std::string from;  // path or address; of "project" the project's path
  std::vector<std::string> files;  // of "project"
  std::string ref;                 // of "project"
  std::string job;                 // of "artifact": whose artifact it is
  std::vector<GivenInput> inputs;
};

// What a trigger job starts: a pipeline of another project, or a child pipeline from `files`.
struct Bridge {
  std::string project;
  std::string branch;
  std::vector<ChildFile> files;
  std::string strategy;  // "", "depend" or "mirror"
  bool forward_yaml_variables = true;
  bool forward_pipeline_variables = false;
  std::vector<GivenInput> inputs;
  std::string upstream;  // `needs: {pipeline: group/project}`: takes over that pipeline's status
};

struct ReleaseLink {
  std::string name;
  std::string url;
  std::string filepath;
  std::string link_type;
};

struct Release {
  std::string tag_name;
  std::string tag_message;
  std::string name;
  std::string description;  // text, or the path of a file with it
  std::string ref;
  std::string released_at;
  std::vector<std::string> milestones;
  std::vector<ReleaseLink> links;
};

struct Secret {
  std::string name;      // of the variable
  std::string provider;  // "vault", "gcp_secret_manager", …
  std::string where;     // what the provider is asked for, as JSON
  bool file = true;
  std::string token;
};

struct IdToken {
  std::string name;  // of the variable
  std::vector<std::string> audiences;
};

struct Pages {
  std::string publish = "public";
  std::string path_prefix;
  std::string expire_in;
};

struct JobInput {
  std::string name;
  std::string type = "string";
  std::string default_json;
  std::string description;
  std::vector<std::string> options_json;
  std::string regex;
};

struct Job {
  std::string name;       // of the instance: "test 1/3", "build: [linux, x64]"
  std::string base_name;  // as written in the file
  std::string stage = "test";
  int stage_index = 0;  // in Configuration::stages
  SourceSpan at;

  std::vector<std::string> script;  // before_script first, then script; one entry a list item
  std::vector<std::string> after_script;
  std::vector<std::pair<std::string, std::vector<std::string>>> hooks;

  Shared<Image> image;
  std::vector<Service> services;
  std::vector<std::string> tags;
  Variables variables;  // the job's own, with matrix variables
  bool inherit_all_variables = true;
  std::vector<std::string> inherited_variables;  // when not all

  std::optional<When> when;  // as written at job level
  std::optional<std::chrono::seconds> start_in;
  std::optional<AllowFailure> allow_failure;
  Shared<std::vector<Rule>> rules;
  Shared<RefPolicy> only;
  Shared<RefPolicy> except;

  std::optional<std::vector<Need>> needs;
  std::vector<ForeignNeed> foreign_needs;
  std::optional<std::vector<std::string>> dependencies;

  Shared<Artifacts> artifacts;
  std::vector<Cache> caches;
  std::string coverage;  // the expression without its slashes; "" without
  std::optional<std::chrono::seconds> timeout;
  Retry retry;
  std::optional<bool> interruptible;
  std::string resource_group;
  Shared<Environment> environment;

  Shared<Bridge> bridge;                // set: a trigger job, which has no script
  std::vector<std::string> steps_json;  // `run`, instead of a script
  Shared<Release> release;
  std::vector<Secret> secrets;
  std::vector<IdToken> id_tokens;
  std::vector<JobInput> inputs;
  Shared<Pages> pages;
  std::string manual_confirmation;  // asked before a manual job is started

  int node_index = 0;  // CI_NODE_INDEX from 1; 0 when the job is not parallel
  int node_total = 1;
};

}  // namespace slipway::pipeline
