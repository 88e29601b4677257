// A job's artifacts on their way: those of earlier jobs fetched into its work tree, its own packed
// and sent.
//
// Lives as long as one transfer, on the job's thread. A stop request ends a call in progress, and
// no call takes longer than the job has time.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pipeline/job_spec.h"
#include "runner/executor.h"
#include "runner/job_link.h"
#include "runner/job_transfer.h"

namespace slipway::runner {

class ArtifactTransfer {
 public:
  // `link` is the one of the job's log, which is busy; `say` writes into the job's log; `expanded`
  // replaces the job's variables in a text; a download is tried so many times.
  ArtifactTransfer(const JobLink& link, const pipeline::JobSpec& spec, const Workplace& workplace,
                   Sink say, std::function<std::string(const std::string&)> expanded,
                   std::stop_token stop, std::chrono::milliseconds time_left,
                   int download_attempts);

  // Of all jobs that the specification depends on.
  Result<void> download();
  Result<void> upload(const std::vector<pipeline::JobArtifact>& artifacts);
  // What was done since this was asked last.
  JobTransfers take_transfers() { return std::exchange(transfers_, {}); }

 private:
  // What there is to send: the file and the name under which it goes.
  struct Packed {
    std::filesystem::path file;
    std::string name;
    std::size_t files = 0;
  };

  [[nodiscard]] Result<std::unique_ptr<JobLink>> connect() const;
  Result<void> download_one(JobLink& link, const pipeline::JobDependency& dependency);
  Result<void> upload_one(JobLink& link, const pipeline::JobArtifact& artifact);
  Result<void> fetch(JobLink& link, const pipeline::JobDependency& dependency,
                     const std::filesystem::path& file) const;
  Result<void> send(JobLink& link, const pipeline::JobArtifact& artifact,
                    const Packed& packed) const;
  JobTransfer& begin(std::string_view kind, std::string name);
  // Without a file when nothing matches.
  [[nodiscard]] Result<Packed> pack(const pipeline::JobArtifact& artifact) const;
  [[nodiscard]] std::vector<std::string> all_expanded(std::vector<std::string> texts) const;

  const JobLink& origin_;
  const pipeline::JobSpec& spec_;
  const Workplace& workplace_;
  Sink say_;
  std::function<std::string(const std::string&)> expanded_;
  std::stop_token stop_;
  std::chrono::milliseconds time_left_;
  int download_attempts_;
  JobTransfers transfers_;
};

}  // namespace slipway::runner
