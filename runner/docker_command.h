// The docker command, old and new ones alike, as the runner calls it.
//
// What belongs to a runner bears its label, so that a later life of it finds what an earlier one
// left behind.
#pragma once

#include <chrono>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/process.h"
#include "runner/config.h"

namespace slipway::runner {

// What the docker command itself needs, and nothing of the job.
std::map<std::string, std::string> docker_environment();

// The value for --label and --filter label=.
std::string docker_label(const std::string& runner_label);

// `arguments` without the command's own name. `more` is added to its environment, so that values
// can be handed on by name alone (`--env NAME`).
Result<CollectedOutput> docker(std::vector<std::string> arguments,
                               std::chrono::milliseconds deadline = std::chrono::seconds{60},
                               const std::map<std::string, std::string>& more = {},
                               const std::stop_token& stop = {});

// What every container of a job is told: its label, no new privileges, capabilities, limits, and
// which hosts and name servers it knows.
std::vector<std::string> docker_limits(const RunnerSettings& settings,
                                       const std::string& runner_label);

// Removes containers with their anonymous volumes, and returns when they are gone. Those that are
// not there are no mistake.
void remove_containers(const std::vector<std::string>& containers);

// Removes the containers and networks that an earlier life of this runner left.
void remove_docker_leftovers(const std::string& runner_label);

}  // namespace slipway::runner
