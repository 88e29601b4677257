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
#include "runner/job_link.h"

namespace slipway::runner {

struct RunnerIdentity {
  std::string url;
  std::string token;
  std::string system_id;
  std::string executor;
  std::string name;
};

// A job as the server hands it out.
struct HandedJob {
  std::int64_t id = 0;
  std::string token;
  std::string payload;  // JSON, as pipeline/job_spec.h reads it
};

class CoordinatorClient final : public JobLink {
 public:
  // How long an answer may take: calls about jobs are answered at once, and a request for a job is
  // held for five minutes at the most.
  static constexpr std::chrono::seconds kCallTimeout{30};
  static constexpr std::chrono::minutes kPollTimeout{6};

  static Result<CoordinatorClient> create(RunnerIdentity identity,
                                          std::chrono::milliseconds read_timeout = kCallTimeout);

  // The runner's number. Denied when the server does not know the token.
  Result<std::int64_t> verify();
  // A job, or nullopt when there was none for as long as the server held the call.
  Result<std::optional<HandedJob>> request_job(const std::stop_token& stop);
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
  void interrupt() override { http_.interrupt(); }
  [[nodiscard]] Result<std::unique_ptr<JobLink>> another(
      std::chrono::milliseconds read_timeout) const override;

 private:
  CoordinatorClient(RunnerIdentity identity, HttpClient http)
      : identity_(std::move(identity)), http_(std::move(http)) {}

  RunnerIdentity identity_;
  HttpClient http_;
};

}  // namespace slipway::runner
