// What a trigger would create: configuration and trigger in, jobs out, and for each job that is
// left out the rule that left it out.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/job.h"
#include "pipeline/limits.h"
#include "pipeline/reason.h"
#include "pipeline/repository_facts.h"
#include "pipeline/setting_variables.h"

namespace slipway::pipeline {

enum class Source : std::uint8_t {
  Push,
  Web,
  Api,
  Schedule,
  Trigger,
  Pipeline,
  ParentPipeline,
  MergeRequestEvent,
};
std::string_view to_string(Source source);  // CI_PIPELINE_SOURCE's words
Result<Source> parse_source(std::string_view text);

struct ProjectFacts {
  std::int64_t id = 0;
  std::string path;  // "group/name"
  std::string default_branch = "main";
  std::string visibility = "private";
  std::string config_path = ".gitlab-ci.yml";
};

struct ServerFacts {
  std::string url;       // external URL without a trailing slash
  std::string registry;  // prefix; "" when there is none
  std::string version;
};

// What is known of a merge request; a field that is "" is not known, and its variable not set.
struct MergeRequestFacts {
  std::string iid;
  std::string title;
  std::string description;
  std::string source_branch;
  std::string target_branch;
  std::string diff_base_sha;
  std::string labels;  // separated by commas
  std::string source_project_path;
  bool draft = false;
};

struct Trigger {
  Source source = Source::Push;
  std::string branch;  // one of branch and tag is set
  std::string tag;
  std::string sha;
  std::string before_sha;  // "" when there is none
  bool ref_protected = false;
  bool deploy_freeze = false;  // the project's deployments are frozen now
  std::string commit_message;
  std::string commit_author;     // "Name <mail>"
  std::string commit_timestamp;  // RFC 3339
  std::string tag_message;       // of an annotated tag
  std::optional<MergeRequestFacts> merge_request;
  std::string user_login;
  std::string user_name;
  std::string user_email;
  ProjectFacts project;
  ServerFacts server;
  SettingVariables project_variables;                     // and those of its groups and server
  Variables pipeline_variables;                           // given with the trigger
  std::optional<std::vector<std::string>> changed_paths;  // nullopt: not known
  // Paths of the commit; nullopt: not known (then `exists` holds).
  std::optional<std::vector<std::string>> paths;
  // For rules that look further; null: such a rule holds. Must outlive the planning.
  RepositoryFacts* repository = nullptr;

  [[nodiscard]] const std::string& ref() const { return tag.empty() ? branch : tag; }
};

struct PlannedJob {
  Job job;  // rules, only and except are not needed any more and left empty in JSON
  When when = When::OnSuccess;
  std::optional<std::chrono::seconds> start_in;
  AllowFailure allow_failure;
  std::vector<Need> needs;  // of jobs that exist in this plan
  bool dag = false;         // has `needs`, even []: does not follow its stage
  bool interruptible = false;
  // YAML variables only: global, workflow rule, job, rule; later ones override. Not expanded.
  Variables variables;
  // Predefined ones that only the event knew: of a merge request, a tag's message.
  Variables of_event;
  std::optional<SourceSpan> rule;  // the rule, only or except that let it in
};

struct LeftOutJob {
  std::string name;
  std::string stage;
  Reason reason;
  SourceSpan rule;  // where the rule stands; the job itself when no rule matched
};

struct Plan {
  std::vector<std::string> stages;  // those that have jobs, in order
  std::vector<PlannedJob> jobs;     // in stage order, then in the order of the file
  std::vector<LeftOutJob> left_out;
  std::optional<Reason> no_pipeline;  // set: there is no pipeline, and why
  SourceSpan no_pipeline_rule;
  std::string name;      // workflow:name, expanded
  Diagnostics findings;  // errors: the pipeline cannot be created (a need that does not exist)
  std::string auto_cancel_on_new_commit = "conservative";
  std::string auto_cancel_on_job_failure = "none";
};

// Whether a rule asks for files that are there, so that Trigger::paths is needed.
bool asks_for_paths(const Configuration& configuration);

// Of `limits` pipeline_jobs_limit holds for what the planned jobs have of their own.
Plan make_plan(const Configuration& configuration, const Trigger& trigger,
               const Limits& limits = {});

// A planned job as the store keeps it, and back. Reading what writing made always succeeds;
// anything else is an Error that names the field.
nlohmann::json to_json(const PlannedJob& planned);
Result<PlannedJob> planned_job_from_json(const nlohmann::json& object);

}  // namespace slipway::pipeline
