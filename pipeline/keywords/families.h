// One reader for each family of keywords; each takes the keyword's value and says where it stands.
// nullopt means that a finding was made.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/job.h"
#include "pipeline/keywords/fields.h"

namespace slipway::pipeline::keywords {

// script, before_script, after_script: a string or nested lists of strings.
std::optional<std::vector<std::string>> read_script(const Node& node, const Place& place);

// image.cpp
std::optional<Image> read_image(const Node& node, const Place& place);
std::optional<std::vector<Service>> read_services(const Node& node, const Place& place);

// variables.cpp: global variables may be described and have options; those of rules are plain.
enum class Described : std::uint8_t { no, yes, scalars };
std::optional<Variables> read_variables(const Node& node, const Place& place, Described described);

// artifacts.cpp
UploadWhen upload_when_in(const Node& node, const Place& place);
std::optional<Artifacts> read_artifacts(const Node& node, const Place& place);

// cache.cpp
std::optional<std::vector<Cache>> read_caches(const Node& node, const Place& place);

// control.cpp: `words` are those that may stand here.
std::optional<When> read_when(const Node& node, const std::vector<std::string>& words,
                              const Place& place);
// `place` is the job's.
std::optional<AllowFailure> read_allow_failure(const Node& node, const Place& place);
std::optional<Retry> read_retry(const Node& node, const Place& place);
std::optional<std::string> read_coverage(const Node& node, const Place& place);

// environment.cpp
std::optional<Environment> read_environment(const Node& node, const Place& place);

// trigger.cpp
std::optional<Bridge> read_trigger(const Node& node, const Place& place);
std::vector<GivenInput> read_given_inputs(const Node& node, const Place& place);

// release.cpp, secrets.cpp, inputs.cpp
std::optional<Release> read_release(const Node& node, const Place& place);
std::optional<std::vector<Secret>> read_secrets(const Node& node, const Place& place);
std::optional<std::vector<IdToken>> read_id_tokens(const Node& node, const Place& place);
std::optional<std::vector<JobInput>> read_job_inputs(const Node& node, const Place& place);

// steps.cpp: each step of `run` as JSON.
std::optional<std::vector<std::string>> read_run(const Node& node, const Place& place);

// pages.cpp: `pages`, `publish` and a job of the name `pages`; `place` is the job's.
std::optional<Pages> read_pages(const Node& node, const Place& place);
void read_job_pages(const Node& node, const std::string& name, const Place& place, Job& job);

// needs.cpp: names are as written; see parallel.cpp for instances.
struct WrittenNeed {
  Need need;
  std::vector<Variables> matrix;  // selects instances; empty: all
};
struct WrittenNeeds {
  std::vector<WrittenNeed> jobs;
  std::vector<ForeignNeed> foreign;
  std::string upstream;  // of `{pipeline: group/project}` without a job
  SourceSpan upstream_at;
};
enum class NeedsOf : std::uint8_t { Job, Bridge, Rule };
std::optional<WrittenNeeds> read_needs(const Node& node, NeedsOf of, const Place& place);

// parallel.cpp: what distinguishes each instance of a job.
struct Instance {
  std::string suffix;  // " 1/3" or ": [linux, x64]"
  Variables variables;
};
std::optional<std::vector<Instance>> read_parallel(const Node& node, const Place& place);

// rules.cpp
enum class RuleKind : std::uint8_t { Job, Workflow };
// Needs inside a rule are as written too, so they come beside it.
struct WrittenRule {
  Rule rule;
  std::optional<std::vector<WrittenNeed>> needs;
  bool only_when = false;  // `{when: …}` and nothing else
};
// `place` is that of the job or the workflow.
std::optional<std::vector<WrittenRule>> read_rules(const Node& node, const Place& place,
                                                   RuleKind kind);
AutoCancel read_auto_cancel(const Node& node, const Place& place);
std::optional<RefPolicy> read_ref_policy(const Node& node, const Place& place);

}  // namespace slipway::pipeline::keywords
