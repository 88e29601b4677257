// What few jobs have beside a script, as the store keeps it: triggers, steps, releases, secrets, …
//
// A part of plan_json.cpp, in a file of its own for its length. Include only from .cpp files.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "pipeline/job.h"
#include "pipeline/json_fields.h"

namespace slipway::pipeline {

// Adds a key only for what the job has.
void add_extras(const Job& job, nlohmann::json& object);
void read_extras(JsonFields& fields, Job& job);

}  // namespace slipway::pipeline
