// What a job that runs has of whoever handed it out: the way of its log, its result and its
// artifacts. To a server that is the wire protocol (CoordinatorClient); a pipeline that runs on
// this machine is its own.
//
// One object is used by one thread at a time, but for interrupt().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "runner/job_transfer.h"

namespace slipway::runner {

struct JobState {
  std::string state;  // "running", "success" or "failed"
  std::string failure_reason;
  std::optional<int> exit_code;
  std::string checksum;  // "crc32:…", only with an end state
  long long bytesize = 0;
  std::string text;             // of a failure: what the reason's word does not say, as a sentence
  JobTransfers transfers = {};  // with an end state
};

// What an answer about a job means for it.
struct JobAnswer {
  int status = 0;                 // HTTP
  std::string job_status;         // Job-Status header, "" when absent
  std::optional<long long> size;  // of a 416: what the server has
  std::string message;            // of a refusal: the server's words, if any

  // The job is not ours any more: stop at once.
  [[nodiscard]] bool is_lost() const {
    return status == 403 || status == 404 || job_status == "canceled" || job_status == "failed";
  }
  [[nodiscard]] bool is_canceling() const { return job_status == "canceling"; }
};

class JobLink {
 public:
  virtual ~JobLink() = default;
  virtual Result<JobAnswer> update(std::int64_t job, const std::string& job_token,
                                   const JobState& state) = 0;
  virtual Result<JobAnswer> append_trace(std::int64_t job, const std::string& job_token,
                                         long long offset, std::string bytes) = 0;
  // `next` gives the file's bytes piece by piece, "" at its end.
  virtual Result<JobAnswer> upload(std::int64_t job, const std::string& job_token,
                                   const std::string& type, const std::string& format,
                                   const std::string& filename, const std::string& expire_in,
                                   const std::function<std::string()>& next) = 0;
  // Gives the archive of job `dependency` to `take`, piece by piece.
  virtual Result<JobAnswer> download(std::int64_t dependency, const std::string& token,
                                     const std::function<bool(std::string_view)>& take) = 0;
  // Ends a call in progress, from any thread.
  virtual void interrupt() = 0;
  // Another way to the same place, for another thread; no call over it takes longer than that.
  [[nodiscard]] virtual Result<std::unique_ptr<JobLink>> another(
      std::chrono::milliseconds read_timeout) const = 0;
};

}  // namespace slipway::runner
