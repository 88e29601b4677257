// From a commit and what triggered it to a pipeline that the coordinator can make: the file is read
// at that commit, with its includes, and planned.
//
// Thread-safe; blocks on git and files.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "pipeline/configuration.h"
#include "pipeline/plan.h"
#include "server/coordinator/coordinator.h"
#include "server/git/mirror.h"
#include "server/intake/commit_files.h"
#include "server/store/project_store.h"
#include "server/variables/vault.h"

namespace slipway::server {

struct PlannerFacts {
  pipeline::ServerFacts server;
  // Whether the project's deployments are frozen now; unset: they never are.
  std::function<bool(ProjectId)> is_frozen = {};
};

// The pipeline file of a child pipeline, which stands in no commit.
struct ChildConfiguration {
  std::string text;
  std::string name;                          // of the trigger job
  std::map<std::string, std::string> files;  // local files beside those of the commit
};

// What is to be planned; the mirror has the commit.
struct PlanRequest {
  ProjectRow project;
  pipeline::Source source = pipeline::Source::Push;
  std::string ref;         // a branch or tag, or one of server/store/run_refs.h
  bool work_tree = false;  // not of a commit that anybody pushed
  bool skip = false;       // who pushed asks for it, as a commit's [skip ci] does
  bool is_tag = false;
  std::string sha;
  std::string before_sha;                    // "" when there is none
  pipeline::Variables variables;             // given with the trigger
  std::vector<pipeline::InputValue> inputs;  // of the pipeline file, given likewise
  std::optional<UserId> user;
  std::string user_login;
  std::optional<pipeline::MergeRequestFacts> merge_request;  // that it is a pipeline of
  std::optional<ChildConfiguration> child;  // instead of the project's pipeline file
};

// No pipeline results, and why: workflow rules, no file, no jobs.
struct NoPipeline {
  pipeline::Reason reason;
};

struct Planned {
  std::optional<NewPipeline> pipeline;  // also for an invalid file and for [skip ci]
  std::optional<NoPipeline> none;
};

// What a pipeline file is, without a pipeline.
struct LintReport {
  pipeline::Diagnostics findings;
  std::string merged_yaml;                 // "" when it cannot be expanded
  std::vector<pipeline::PlannedJob> jobs;  // all of the file, or those that the event would create
  std::vector<pipeline::LeftOutJob> left_out;  // by the event
};
enum class Simulate : bool { no, yes };

class Planner {
 public:
  // `mirrors` and `vault` must outlive it.
  Planner(Mirrors& mirrors, const VariableVault& vault, PlannerFacts facts,
          IncludeAccess includes = {})
      : mirrors_(mirrors),
        vault_(vault),
        facts_(std::move(facts)),
        includes_(std::move(includes)) {}

  // InvalidInput for inputs that were given by hand and that the file does not take.
  Result<Planned> plan(const PlanRequest& request);
  // About `content` as the project's pipeline file, or about that file itself, at the commit of
  // `request` (a sha of "" is no commit). Protected variables take no part: the file may be
  // anyone's, and what it makes of them is shown.
  LintReport lint(const PlanRequest& request, const std::optional<std::string>& content,
                  Simulate simulate);

 private:
  using Outcome = std::shared_ptr<const pipeline::ReadOutcome>;

  // Read anew for each commit; the same commit is read once.
  Result<Outcome> configuration(const PlanRequest& request, const pipeline::Trigger& trigger,
                                CommitFiles& files);
  pipeline::Trigger trigger_of(const PlanRequest& request, const CommitInfo& commit) const;
  void add_merge_request(const PlanRequest& request, pipeline::Trigger& trigger) const;

  Mirrors& mirrors_;
  const VariableVault& vault_;
  PlannerFacts facts_;
  IncludeAccess includes_;
  std::mutex mutex_;
  std::unordered_map<std::string, Outcome> cache_;
};

std::vector<FindingRow> finding_rows(const pipeline::Diagnostics& findings);

}  // namespace slipway::server
