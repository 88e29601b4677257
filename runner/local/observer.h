// Who watches a local run: a terminal, a pipe, a program. Calls come from several threads, never
// two at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/lifecycle.h"

namespace slipway::runner {

struct LocalJob {
  std::int64_t id = 0;
  std::string name;
  std::string stage;
  int attempt = 1;
  pipeline::Status status = pipeline::Status::Created;
  pipeline::Reason reason;
  bool allowed_to_fail = false;  // and so no failure of the pipeline
  std::optional<int> exit_code;
  std::string text;                // what its runner says of the failure
  std::optional<double> coverage;  // in percent
  std::chrono::steady_clock::time_point started;
  std::chrono::milliseconds took{0};  // once it has ended
};

class LocalObserver {
 public:
  virtual ~LocalObserver() = default;
  // The status or the reason is another one.
  virtual void job_changed(const LocalJob& job) = 0;
  // Masked, in pieces that respect no lines.
  virtual void job_wrote(const LocalJob& job, std::string_view bytes) = 0;
  virtual void note(const std::string& text) = 0;
  // Between the two nothing else is told: the terminal is somebody else's.
  virtual void hand_over_terminal() = 0;
  virtual void take_terminal_back() = 0;
};

}  // namespace slipway::runner
