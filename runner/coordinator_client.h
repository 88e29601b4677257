// The runner's side of the wire protocol: one method for each call, JSON in and out.
//
// One object is used by one thread at a time, and keeps one connection alive. Source: the protocol
// of gitlab-runner, /api/v4.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/http_client.h"
#include "pipeline/job_spec.h"

namespace slipway::runner {

struct RunnerIdentity {
  std::string url;
  std::string token;
  std::string system_id;
  std::string executor;
  std::string name;
};

struct JobState {
  std::string state;  // "running", "success" or "failed"
  std::string failure_reason;
  std::optional<int> exit_code;
  std::string checksum;  // "crc32:…", only with an end state
  long long bytesize = 0;
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

class CoordinatorClient {
 public:
  // How long an answer may take: calls about jobs are answered at once, a server takes in large
  // files for a while, and a request for a job is held for five minutes at the most.
  static constexpr std::chrono::seconds kCallTimeout{30};
  static constexpr std::chrono::minutes kTransferTimeout{5};
  static constexpr std::chrono::minutes kPollTimeout{6};

  static Result<CoordinatorClient> create(RunnerIdentity identity,
                                          std::chrono::milliseconds read_timeout = kCallTimeout);

  // The runner's number. Denied when the server does not know the token.
  Result<std::int64_t> verify();
  // A job, or nullopt when there was none for as long as the server held the call.
  Result<std::optional<pipeline::JobSpec>> request_job(const std::stop_token& stop);
  Result<JobAnswer> update(std::int64_t job, const std::string& job_token, const JobState& state);
  Result<JobAnswer> append_trace(std::int64_t job, const std::string& job_token, long long offset,
                                 std::string bytes);
  // `next` gives the file's bytes piece by piece, "" at its end.
  Result<JobAnswer> upload(std::int64_t job, const std::string& job_token, const std::string& type,
                           const std::string& format, const std::string& filename,
                           const std::string& expire_in, const std::function<std::string()>& next);
  // Gives the archive of job `dependency` to `take`, piece by piece.
  Result<JobAnswer> download(std::int64_t dependency, const std::string& token,
                             const std::function<bool(std::string_view)>& take);
  // Ends a call in progress, from any thread.
  void interrupt() { http_.interrupt(); }

 private:
  CoordinatorClient(RunnerIdentity identity, HttpClient http)
      : identity_(std::move(identity)), http_(std::move(http)) {}

  RunnerIdentity identity_;
  HttpClient http_;
};

}  // namespace slipway::runner
