// Pipelines: what was triggered, from which commit, how it went, and what was left out of it.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

struct PipelineRow {
  PipelineId id;
  std::int64_t iid = 0;  // counts within the project, from 1; given by insert()
  ProjectId project_id;
  std::string status = "created";  // GitLab's words
  std::string reason_code;         // of pipeline/reason
  std::string reason_text;
  std::string source;  // "push", "web", "api", …
  std::string ref;     // short name of the branch or tag
  bool tag = false;
  bool ref_protected = false;
  std::string sha;
  std::string before_sha;
  std::string name;  // of `workflow: name`; "" without
  // JSON: {"iid","title","source_branch","target_branch"}; "" when it is of no merge request.
  std::string merge_request;
  std::string commit_title;
  std::string commit_message;
  std::string author_name;
  std::string author_email;
  std::optional<UnixMillis> committed_at;
  std::optional<UserId> user_id;
  bool cancel_on_failure = false;              // workflow:auto_cancel:on_job_failure: all
  std::string on_new_commit = "conservative";  // of workflow:auto_cancel
  std::optional<double> coverage;              // mean over its jobs, in per cent
  // What became of the project's `findings_gate`: "passed", "failed", or "" while nothing is said.
  std::string findings_gate;
  std::string findings_gate_text;
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
  std::optional<UnixMillis> started_at;
  std::optional<UnixMillis> finished_at;
};

// A job of the file that this pipeline does not have, and why.
struct LeftOutRow {
  std::string name;
  std::string stage;
  std::string reason_code;
  std::string reason_text;
  std::string file;
  int line = 0;
};

// What planning had to say about the file.
struct FindingRow {
  std::string severity;  // "error" or "warning"
  std::string code;
  std::string message;
  std::string file;
  int line = 0;
  int column = 0;
  std::string hint;
};

struct PipelineDetails {
  std::vector<std::string> stages;  // in order, also those without jobs
  std::vector<LeftOutRow> left_out;
  std::vector<FindingRow> findings;
  std::string variables = "[]";  // JSON: variables given with the trigger
};

struct PipelineFilter {
  std::string ref;  // "" means any, here and below
  std::string status;
  std::string source;
  std::string sha;
  // Who triggered it; the commit's author where nobody of this server did.
  std::string username;
  // Somewhere in the commit's title or author, the ref or the name, the beginning of the commit's
  // id, or "#12" for the number in the project. Whatever its case.
  std::string search;
  std::string scope;            // GitLab's: running, pending, finished, branches or tags
  std::string order_by = "id";  // one of pipeline_orders()
  bool ascending = false;
};

// What a list of pipelines may be ordered by and cut to, in GitLab's words.
const std::vector<std::string>& pipeline_orders();
const std::vector<std::string>& pipeline_scopes();

// How a pipeline ended or stands, for the trend of a branch.
struct TrendPoint {
  PipelineId pipeline_id;
  std::int64_t iid = 0;
  std::string status;
  std::string author_name;
  std::string username;  // of the user who triggered it; "" without
  UnixMillis created_at = 0;
  std::optional<UnixMillis> started_at;
  std::optional<UnixMillis> finished_at;
};

struct CoveragePoint {
  PipelineId pipeline_id;
  std::int64_t iid = 0;
  std::string ref;
  std::string sha;
  double coverage = 0;
  UnixMillis created_at = 0;
};

class PipelineStore {
 public:
  explicit PipelineStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<PipelineRow> find(PipelineId id) const;
  // Newest first, when the filter does not say otherwise.
  [[nodiscard]] Page<PipelineRow> list(ProjectId project, const PipelineFilter& filter,
                                       PageRequest page) const;
  // Of the branch or tag itself; what a merge request from it made is not looked at, here and in
  // what follows.
  [[nodiscard]] std::optional<PipelineRow> newest(ProjectId project, std::string_view ref) const;
  // Of all pipelines of the project that have not ended, or ended after `since`.
  [[nodiscard]] std::vector<std::string> commits_since(ProjectId project, UnixMillis since) const;
  // The newest `limit` of a ref, oldest first.
  [[nodiscard]] std::vector<TrendPoint> trend(ProjectId project, std::string_view ref,
                                              int limit) const;
  // Whether a later pipeline of the same commit and source exists.
  [[nodiscard]] bool has_successor(const PipelineRow& row) const;
  // The newest finished one of `ref` that has a coverage.
  [[nodiscard]] std::optional<double> newest_coverage(ProjectId project,
                                                      std::string_view ref) const;
  // Oldest first, the last `limit`; "" means every ref.
  [[nodiscard]] std::vector<CoveragePoint> coverage_history(ProjectId project, std::string_view ref,
                                                            int limit) const;
  // Those that may still change, oldest first: what the coordinator holds in memory.
  [[nodiscard]] std::vector<PipelineRow> unfinished() const;
  [[nodiscard]] PipelineDetails details(PipelineId id) const;
  // Of the details only these; "[]" when there are none.
  [[nodiscard]] std::string variables(PipelineId id) const;
  // Status and how many, for the gauges.
  [[nodiscard]] std::vector<std::pair<std::string, long long>> count_by_status() const;

  // Sets id and iid in `row`.
  PipelineId insert(PipelineRow& row, const PipelineDetails& details);
  // What changes while it lives: status, reason, coverage, times.
  void update_state(const PipelineRow& row);

 private:
  Session& session_;
};

}  // namespace slipway::server
