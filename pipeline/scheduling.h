// The part of the life cycle that follows every event: which jobs may start now, and which can no
// more. Used by pipeline/lifecycle only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pipeline/lifecycle.h"

namespace slipway::pipeline {

// Changes jobs and notes each change for the caller of apply().
class Moves {
 public:
  // Nothing is noted when neither status nor reason differs.
  void move(JobNode& job, Status to, Reason reason);
  // To pending, or first to waiting for its resource group.
  void enqueue(JobNode& job);
  // To pending, its resource group granted or not needed.
  void ready(JobNode& job);
  // A new try, still created.
  void add_try(const JobNode& job, std::int64_t retry_of);
  std::vector<Transition> take() { return std::move(made_); }

 private:
  std::vector<Transition> made_;
};

// Decides about every created job until nothing more follows, and sets the pipeline's status.
void schedule(PipelineState& state, Moves& moves);

// "a, b, c and 4 more"
std::string names_of(const std::vector<const JobNode*>& jobs);

}  // namespace slipway::pipeline
