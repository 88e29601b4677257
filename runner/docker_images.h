// How images come to this machine: by which policies, and with whose credentials.
//
// Credentials are put together for one job in a folder of the docker command's own kind, which only
// the runner's user can read and which goes with the job: from the job's DOCKER_AUTH_CONFIG, the
// runner's setting, the configuration of the runner's user, and what the server sent along; the
// first that names a registry wins. Programs that know credentials are taken from the user's
// configuration alone: a job could otherwise choose what runs here.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/job_spec.h"
#include "runner/config.h"
#include "runner/docker_kept.h"
#include "runner/executor.h"

namespace slipway::runner {

struct RegistryAccess {
  std::string of_job;     // DOCKER_AUTH_CONFIG of the job, "" without
  std::string of_runner;  // the runner's setting
  std::vector<pipeline::JobCredential> of_server;
};

// Writes the folder and answers the docker command's variables for it: none when there is nothing
// to add to the user's own configuration. InvalidInput when a text is not what docker writes.
Result<std::map<std::string, std::string>> make_docker_config(const std::filesystem::path& folder,
                                                              const RegistryAccess& access);

// The policies to be tried in turn for an image that asks for `wanted`: "always", "if-not-present",
// "never". InvalidInput when the runner's owner does not allow one of them.
Result<std::vector<std::string>> pull_policies(const RunnerSettings& settings,
                                               const std::vector<std::string>& wanted);

// Whether the globs of `allowed` let a job use the image; no glob lets it use any. `setting` names
// them. InvalidInput otherwise.
Result<void> check_allowed(const std::string& image, const std::vector<std::string>& allowed,
                           const char* setting);

// Gets the image here by the first policy that works, and answers what `docker run --pull` is to be
// told. With one policy alone that is left to `docker run`. NotFound when none works. `kept` is
// told of an image that was fetched.
Result<std::string> get_image(const std::string& image, const std::string& platform,
                              const std::vector<std::string>& policies,
                              const std::map<std::string, std::string>& environment,
                              std::chrono::milliseconds deadline, const Sink& sink,
                              const std::stop_token& stop, const DockerKept& kept);

// Whether docker's words say that an image is not to be had, rather than that docker failed.
bool says_no_image(std::string_view words);

}  // namespace slipway::runner
