// Jobs for the tests of the life cycle.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "pipeline/lifecycle.h"

namespace slipway::pipeline::test {

inline JobNode node(std::int64_t id, std::string name, int stage, When when = When::OnSuccess) {
  JobNode job;
  job.id = id;
  job.name = std::move(name);
  job.stage_index = stage;
  job.when = when;
  return job;
}

}  // namespace slipway::pipeline::test
