#include "runner/docker_command.h"

#include <algorithm>
#include <thread>

#include "base/logging.h"
#include "runner/slot_process.h"

namespace slipway::runner {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Of what `list` prints, all is handed to `remove`.
void remove_all(const char* what, std::vector<std::string> list, std::vector<std::string> remove) {
  const auto found = docker(std::move(list));
  if (!found || !found->outcome.succeeded()) return;
  const auto ids = lines_of(found->output);
  if (ids.empty()) return;
  log::warn("docker.left_over", {{"what", what}, {"count", ids.size()}});
  remove.insert(remove.end(), ids.begin(), ids.end());
  (void)docker(std::move(remove));
}

}  // namespace

std::map<std::string, std::string> docker_environment() {
  return environment_subset({"PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT",
                             "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", kSlotMark});
}

std::string docker_label(const std::string& runner_label) {
  return "slipway.runner=" + runner_label;
}

std::vector<std::string> docker_limits(const RunnerSettings& settings,
                                       const std::string& runner_label) {
  std::vector<std::string> arguments{"--label",        docker_label(runner_label),
                                     "--security-opt", "no-new-privileges",
                                     "--pids-limit",   std::to_string(settings.docker_pids)};
  const auto add_each = [&](const char* flag, const std::vector<std::string>& values) {
    for (const std::string& value : values) arguments.push_back(flag + ("=" + value));
  };
  add_each("--cap-drop", settings.docker_cap_drop);
  add_each("--cap-add", settings.docker_cap_add);
  add_each("--add-host", settings.docker_extra_hosts);
  add_each("--dns", settings.docker_dns);
  add_each("--dns-search", settings.docker_dns_search);
  if (!settings.docker_shm_size.empty())
    arguments.push_back("--shm-size=" + settings.docker_shm_size);
  if (!settings.docker_memory.empty()) {
    arguments.push_back("--memory=" + settings.docker_memory);
    // Without it a job may take as much again of the swap, and slow down what shares the disk.
    arguments.push_back("--memory-swap=" + settings.docker_memory);
  }
  if (!settings.docker_cpus.empty()) arguments.push_back("--cpus=" + settings.docker_cpus);
  return arguments;
}

Result<CollectedOutput> docker(std::vector<std::string> arguments,
                               std::chrono::milliseconds deadline,
                               const std::map<std::string, std::string>& more,
                               const std::stop_token& stop) {
  ProcessSpec spec;
  spec.argv = std::move(arguments);
  spec.argv.insert(spec.argv.begin(), "docker");
  spec.env = docker_environment();
  // The command's own come first: a job cannot lead it to another engine.
  spec.env.insert(more.begin(), more.end());
  // But for its folder, which the runner makes itself, and which no variable of a job can name.
  if (const auto folder = more.find("DOCKER_CONFIG"); folder != more.end())
    spec.env["DOCKER_CONFIG"] = folder->second;
  spec.deadline = deadline;
  constexpr std::size_t kMostOutput = std::size_t{16} << 20U;
  return collect_process(spec, kMostOutput, stop);
}

void remove_containers(const std::vector<std::string>& containers) {
  constexpr int kAttempts = 50;
  constexpr std::chrono::milliseconds kBetween{100};
  std::vector<std::string> arguments{"rm", "--force", "--volumes"};
  arguments.insert(arguments.end(), containers.begin(), containers.end());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto done = docker(arguments);
    // A container that removes itself just now is refused, and is not gone yet.
    const bool waits = done && done->output.find("already in progress") != std::string::npos;
    if (!waits) return;
    std::this_thread::sleep_for(kBetween);
  }
  log::warn("docker.not_removed", {{"containers", containers.size()}});
}

void remove_docker_leftovers(const std::string& runner_label) {
  const std::string filter = "label=" + docker_label(runner_label);
  remove_all("containers", {"ps", "--all", "--quiet", "--filter", filter},
             {"rm", "--force", "--volumes"});
  remove_all("networks", {"network", "ls", "--quiet", "--filter", filter}, {"network", "rm"});
}

}  // namespace slipway::runner
