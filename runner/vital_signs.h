// What a runner tells about itself to those who watch it: /metrics in Prometheus' text format and
// /healthz, on a port of its own when the setting `runner_listen` names one.
//
// /healthz is 200 while the server answers the requests for jobs, and 503 with the reason once it
// has not for kSilentFor. Counting is thread-safe. The port is read-only, without secrets and
// without a login: it belongs on loopback or a private network. CivetWeb serves it, as it does for
// prometheus-cpp itself.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::runner {

class VitalSigns {
 public:
  // Longer than a held request for a job and the pauses after failed ones.
  static constexpr std::chrono::minutes kSilentFor{7};

  VitalSigns(int concurrent, std::string_view executor);
  ~VitalSigns();
  VitalSigns(const VitalSigns&) = delete;
  VitalSigns& operator=(const VitalSigns&) = delete;

  // `address` is HOST:PORT; port 0 takes a free one. Unavailable when it cannot be listened on.
  Result<void> serve(const std::string& address);
  [[nodiscard]] int port() const;

  // The answer to a request for a job: "" for any, else what went wrong.
  void polled(std::string_view trouble);
  void job_started();
  // `result` is success, aborted or a failure reason of the protocol.
  void job_ended(std::string_view result, std::chrono::milliseconds took);
  // Bytes that are kept for later jobs, and that were removed to make room.
  void disk_swept(long long kept, long long removed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::runner
