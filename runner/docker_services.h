// The services of a job: containers beside the job's own, on a network that only they share.
//
// Each answers there under the names that GitLab gives it: its image's path with `/` as `__` and as
// `-`, and its aliases. They are started before the job, waited for, and removed with their network
// and anonymous volumes by the destructor. Used on the job's thread.
// Source: gitlab-runner's docker executor, "services".
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "pipeline/job_spec.h"
#include "runner/config.h"
#include "runner/executor.h"

namespace slipway::runner {

class DockerServices {
 public:
  // `name` begins the names of everything that is made here. Images, aliases and values are
  // expanded; `variables` are what services may see of the job's.
  DockerServices(const RunnerSettings& settings, const Workplace& workplace,
                 std::vector<pipeline::JobImage> services,
                 std::vector<pipeline::JobVariable> variables, std::string runner_label,
                 std::string name);
  ~DockerServices();
  DockerServices(const DockerServices&) = delete;
  DockerServices& operator=(const DockerServices&) = delete;

  // Starts all of them and waits until each answers. One that does not is told with its last words,
  // and the job goes on, as people know it. An Error when a service could not be started at all.
  // `registries` is what make_docker_config() answered.
  Result<void> start(const std::map<std::string, std::string>& registries,
                     std::chrono::milliseconds deadline, const Sink& sink,
                     const std::stop_token& stop);

  // Which the job is to join, after start(): the owner's, or the services' own; "" for docker's
  // default.
  [[nodiscard]] const std::string& network() const { return network_; }
  // Whether containers have names there.
  [[nodiscard]] bool has_names() const;

  // The names under which a service answers, in order and without repeats.
  static std::vector<std::string> names_of(const pipeline::JobImage& service);

 private:
  struct Service {
    std::string container;
    std::string shown;  // its first name
  };

  [[nodiscard]] std::vector<std::string> arguments(const pipeline::JobImage& service,
                                                   const std::string& container,
                                                   const std::string& pull) const;
  Result<void> make_network();
  Result<void> start_one(const pipeline::JobImage& service,
                         const std::map<std::string, std::string>& registries,
                         std::chrono::milliseconds deadline, const Sink& sink,
                         const std::stop_token& stop);
  void wait_for(const Service& service, const Sink& sink, const std::stop_token& stop) const;
  void tell_last_words(const Service& service, const Sink& sink) const;

  const RunnerSettings& settings_;
  const Workplace& workplace_;
  std::vector<pipeline::JobImage> services_;
  std::vector<pipeline::JobVariable> variables_;
  std::string runner_label_;
  std::string name_;
  std::string network_;
  std::vector<Service> started_;
};

}  // namespace slipway::runner
