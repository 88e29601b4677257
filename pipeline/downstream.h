// What a trigger job (bridge) asks for, made from its plan and the facts of its pipeline: which
// project or which files, and the variables and inputs that go along. Pure.
//
// Source: docs/ci/pipelines/downstream_pipelines.md of GitLab and its
// Gitlab::Ci::Variables::Downstream::Generator.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/configuration.h"
#include "pipeline/job_payload.h"
#include "pipeline/plan.h"

namespace slipway::pipeline {

// A file of a child pipeline that a job of this pipeline has made.
struct ArtifactFile {
  std::string job;
  std::string path;  // in the job's artifacts
  std::string name;  // under which DownstreamRequest::configuration includes it, as a local file
};

struct DownstreamRequest {
  std::string upstream;       // not "": follow the newest pipeline of that project, and make none
  std::string project;        // "": a child pipeline
  std::string branch;         // of `project`; "": its default branch
  std::string configuration;  // of a child pipeline: a pipeline file that includes its files
  std::vector<ArtifactFile> artifacts;
  Variables variables;             // the pipeline variables of what is triggered
  std::vector<InputValue> inputs;  // of the pipeline file of `project`

  [[nodiscard]] bool is_child() const { return upstream.empty() && project.empty(); }
};

// `planned` must have a bridge. InvalidInput when its variables refer to each other in a circle.
Result<DownstreamRequest> downstream_request(const PlannedJob& planned, const JobFacts& facts);

}  // namespace slipway::pipeline
