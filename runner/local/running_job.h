// A job of a local run while it has a thread. Used by LocalRun only.
#pragma once

#include <memory>
#include <stop_token>
#include <thread>

#include "pipeline/job_spec.h"
#include "runner/config.h"
#include "runner/local/local_link.h"
#include "runner/local/observer.h"

namespace slipway::runner {

struct RunningJob {
  int slot = 0;
  LocalJob job;  // as it was when it started; for the job's own thread
  RunnerSettings settings;
  pipeline::JobSpec spec;
  std::unique_ptr<LocalJobEnds> ends;
  std::stop_source stop;
  std::thread thread;
};

}  // namespace slipway::runner
