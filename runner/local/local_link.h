// A job's link to the run on this machine that it belongs to: the log goes into a file and to who
// watches, artifacts to the results.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/files.h"
#include "runner/job_link.h"
#include "runner/local/results.h"

namespace slipway::runner {

// What the links of one job share. Must outlive them.
struct LocalJobEnds {
  const LocalResults& results;
  std::string name;
  std::filesystem::path scratch;  // a file for what is being uploaded
  std::function<void(std::string_view)> wrote;
  std::function<std::string(std::int64_t)> name_of;  // of a job that this one depends on
  UniqueFd log;
  std::optional<JobState> end;  // once the job has told it
};

class LocalLink final : public JobLink {
 public:
  explicit LocalLink(LocalJobEnds& ends) : ends_(ends) {}

  Result<JobAnswer> update(std::int64_t job, const std::string& job_token,
                           const JobState& state) override;
  Result<JobAnswer> append_trace(std::int64_t job, const std::string& job_token, long long offset,
                                 std::string bytes) override;
  Result<JobAnswer> upload(std::int64_t job, const std::string& job_token, const std::string& type,
                           const std::string& format, const std::string& filename,
                           const std::string& expire_in,
                           const std::function<std::string()>& next) override;
  Result<JobAnswer> download(std::int64_t dependency, const std::string& token,
                             const std::function<bool(std::string_view)>& take) override;
  void interrupt() override {}
  [[nodiscard]] Result<std::unique_ptr<JobLink>> another(
      std::chrono::milliseconds read_timeout) const override;

 private:
  LocalJobEnds& ends_;
};

}  // namespace slipway::runner
