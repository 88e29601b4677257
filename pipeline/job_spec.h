// What a runner is handed: the answer to POST /api/v4/jobs/request, as GitLab's runner reads it.
//
// Both sides use it. Writing gives exactly the types that gitlab-runner decodes (a wrong type makes
// it drop the job) and never a `run` key. Reading ignores unknown keys, takes missing ones and
// nulls as empty, and answers a wrong type with an Error that names the path ("image.entrypoint").
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway::pipeline {

struct JobVariable {
  std::string key;
  std::string value;
  bool is_public = true;
  bool file = false;
  bool masked = false;
  bool raw = false;
};

struct JobStep {
  std::string name;  // "script" or "after_script"
  std::vector<std::string> script;
  std::int64_t timeout = 3600;  // seconds
  std::string when = "on_success";
  bool allow_failure = false;
};

struct JobImage {
  std::string name;
  std::string alias;
  std::optional<std::vector<std::string>> entrypoint;  // nullopt: the image's own
  std::optional<std::vector<std::string>> command;
  std::vector<std::string> pull_policy;
  std::string docker_user;
  std::string docker_platform;
  std::vector<JobVariable> variables;
};

struct JobArtifact {
  std::string name;
  bool untracked = false;
  std::vector<std::string> paths;
  std::vector<std::string> exclude;
  std::string when = "on_success";
  std::string artifact_type = "archive";
  std::string artifact_format = "zip";
  std::string expire_in;
};

struct JobCache {
  std::string key;
  bool untracked = false;
  std::string policy = "pull-push";
  std::vector<std::string> paths;
  std::string when = "on_success";
  std::vector<std::string> fallback_keys;
};

struct JobCredential {
  std::string type = "registry";
  std::string url;
  std::string username;
  std::string password;
};

struct JobDependency {
  std::int64_t id = 0;
  std::string name;
  std::string token;
  std::string filename;  // "": nothing to download
  std::int64_t size = 0;
};

struct JobSpec {
  std::int64_t id = 0;
  std::string token;
  bool allow_git_fetch = true;
  // job_info
  std::string name;
  std::string stage;
  std::int64_t pipeline_id = 0;
  std::int64_t project_id = 0;
  std::string project_name;
  std::string project_full_path;
  double time_in_queue_seconds = 0;
  // git_info
  std::string repo_url;
  std::string ref;
  std::string sha;
  std::string before_sha;
  std::string ref_type = "branch";
  std::vector<std::string> refspecs;
  std::int64_t depth = 20;  // 0: everything
  bool ref_protected = false;
  // runner_info
  std::int64_t timeout = 3600;  // seconds, never 0

  std::vector<JobVariable> variables;
  std::vector<JobStep> steps;
  std::optional<JobImage> image;
  std::vector<JobImage> services;
  std::vector<JobArtifact> artifacts;
  std::vector<JobCache> caches;
  std::vector<JobCredential> credentials;
  std::vector<JobDependency> dependencies;
  std::vector<std::pair<std::string, std::vector<std::string>>> hooks;
  // features
  bool trace_sections = true;
  std::vector<std::string> token_mask_prefixes;
  std::vector<std::string> failure_reasons;
};

nlohmann::json to_json(const JobSpec& spec);
Result<JobSpec> job_spec_from_json(const nlohmann::json& object);

}  // namespace slipway::pipeline
