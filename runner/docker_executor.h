// Runs a job in one container of its own, through the docker command.
//
// The container is unprivileged, may gain no privileges, sees of the host only the job's work tree,
// and is removed whatever happens. The script comes on standard input, so neither the arguments nor
// the environment of the docker command hold anything of the job's variables.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/job_spec.h"
#include "runner/config.h"
#include "runner/docker_images.h"
#include "runner/docker_services.h"
#include "runner/executor.h"

namespace slipway::runner {

class DockerExecutor final : public Executor {
 public:
  // Image and services are expanded; `service_variables` are those of the job that services may
  // see. `runner_label` marks what belongs to this runner; for `volume_scope` see docker_volumes().
  // A container that does not start is tried so many times.
  DockerExecutor(const RunnerSettings& settings, Workplace workplace, pipeline::JobImage image,
                 std::vector<pipeline::JobImage> services,
                 std::vector<pipeline::JobVariable> service_variables, RegistryAccess access,
                 std::string runner_label, std::string volume_scope, std::int64_t job,
                 int attempts);
  ~DockerExecutor() override;

  Result<void> prepare(std::chrono::milliseconds deadline, const Sink& sink,
                       const std::stop_token& stop) override;
  Result<ScriptOutcome> run(const JobScripts& scripts, std::chrono::milliseconds deadline,
                            const Sink& sink, const std::stop_token& stop) override;

 private:
  Result<ScriptOutcome> run_once(const JobScripts& scripts, std::chrono::milliseconds deadline,
                                 const Sink& sink, const std::stop_token& stop);
  [[nodiscard]] std::vector<std::string> arguments(
      const std::vector<std::filesystem::path>& borrowed) const;
  [[nodiscard]] Result<ScriptOutcome> never_started(int exit_code, const std::string& words) const;
  [[nodiscard]] bool ask_to_end() const;
  void end_when_asked(const std::stop_token& stop, const std::stop_token& lost,
                      const std::stop_token& finished, std::stop_source& abandon) const;
  void kill() const;
  [[nodiscard]] std::filesystem::path mark(const char* name) const;
  [[nodiscard]] Result<void> make_marks() const;

  const RunnerSettings& settings_;
  Workplace workplace_;
  pipeline::JobImage image_;
  RegistryAccess access_;
  std::map<std::string, std::string> registries_;  // what docker is told of them
  std::string pull_;                               // `docker run --pull`
  std::vector<std::string> volumes_;
  std::string runner_label_;
  std::string volume_scope_;
  std::string container_;
  DockerServices services_;  // removed after the container that uses them
  bool may_exist_ = false;
  int attempts_;
};

}  // namespace slipway::runner
