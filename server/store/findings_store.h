// What scanners found: a row for each report of a job, and one for each finding in it.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server {

class Session;

// How many findings a pipeline keeps; what is beyond is counted only.
inline constexpr long long kMostFindingsOfPipeline = 50'000;

// One report of one try of a job: a job has one of each kind.
struct FindingsReportRow {
  JobId job_id;
  std::string kind;  // "sast", "codequality", …
  PipelineId pipeline_id;
  ProjectId project_id;
  std::string job_name;
  long long findings = 0;  // that are kept
  long long left_out = 0;  // the least severe, beyond a limit
  std::string error;       // why a part of the report could not be read; "" when all was
  UnixMillis created_at = 0;
};

// What a project's `findings_gate` names as FoundRow::severity has it; nullopt for "off", and for
// what is no word of it.
std::optional<int> gate_severity(std::string_view word);

struct FoundRow {
  JobId job_id;
  std::string kind;
  long long position = 0;  // in its report, from 0
  std::string fingerprint;
  int severity = 0;  // 0 is critical, and the worst
  std::string name;
  std::string file;    // "" when the report does not say, below too
  long long line = 0;  // 0 when it does not say
  std::string subject;
  std::vector<std::string> identifiers;
  std::string scanner;
};

// The long parts of a finding.
struct FoundTexts {
  std::string description;
  std::string solution;
};

struct StoredFinding {
  FoundRow row;
  FoundTexts texts;
};

// What the reports of one kind are compared with.
struct FindingsBase {
  std::string kind;
  std::optional<PipelineId> pipeline;  // nullopt: nobody has such a report, and all is new
  std::string branch;
};

class FindingsStore {
 public:
  explicit FindingsStore(Session& session) : session_(session) {}

  // All of these look at the last try of each job only.
  [[nodiscard]] std::vector<FindingsReportRow> of_pipeline(PipelineId pipeline) const;
  // The worst first, then by file and line. `kind` is "" for all. What two jobs found is there
  // twice.
  [[nodiscard]] std::vector<FoundRow> found(PipelineId pipeline, std::string_view kind = "") const;
  [[nodiscard]] FoundTexts texts(const FoundRow& row) const;
  // The newest finished pipeline of the branch before `pipeline` that has reports of this kind.
  [[nodiscard]] std::optional<PipelineId> newest_before(ProjectId project, std::string_view branch,
                                                        PipelineId pipeline,
                                                        std::string_view kind) const;
  // How many findings of a kind, of at least this severity, `base` does not have; with nullopt all.
  [[nodiscard]] long long count_new(PipelineId pipeline, std::string_view kind, int severity,
                                    std::optional<PipelineId> base) const;

  // A later report of the job replaces an earlier one. `findings` come the worst first.
  void put(FindingsReportRow report, const std::vector<StoredFinding>& findings);

 private:
  Session& session_;
};

}  // namespace slipway::server
