#include "runner/local/debug_shell.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <vector>

#include "pipeline/variables.h"
#include "runner/docker_command.h"

namespace slipway::runner {
namespace {

// The variables travel in the environment, so no file of them is left behind.
std::vector<std::string> environment_of(const std::map<std::string, std::string>& base,
                                        const Script& at) {
  auto environment = base;
  for (const auto& [name, value] : at.variables)
    if (is_variable_name(name)) environment[name] = value;
  std::vector<std::string> lines;
  lines.reserve(environment.size());
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> docker_arguments(const RunnerSettings& settings,
                                          const pipeline::JobSpec& spec, const Script& at,
                                          const std::string& runner_label) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : at.variables) values[name] = value;
  std::string image = spec.image ? spec.image->name : settings.default_image;
  const std::string temporary = at.directory + ".tmp";
  std::vector<std::string> arguments{"docker",
                                     "run",
                                     "--rm",
                                     "--interactive",
                                     "--tty",
                                     "--label",
                                     docker_label(runner_label),
                                     "--workdir",
                                     at.directory,
                                     "--volume",
                                     at.directory + ":" + at.directory,
                                     "--volume",
                                     temporary + ":" + temporary};
  for (const auto& [name, value] : at.variables) {
    if (!is_variable_name(name) || name == "PATH" || name == "HOME") continue;
    arguments.emplace_back("--env");
    arguments.push_back(name);
  }
  if (spec.image && !spec.image->docker_user.empty()) {
    arguments.emplace_back("--user");
    arguments.push_back(spec.image->docker_user);
  }
  arguments.insert(arguments.end(),
                   {"--entrypoint", "sh", pipeline::expand_on_runner(image, values), "-c",
                    "if command -v bash >/dev/null 2>&1; then exec bash -i; else exec sh -i; fi"});
  return arguments;
}

}  // namespace

void open_debug_shell(const RunnerSettings& settings, const pipeline::JobSpec& spec,
                      const Script& at, const std::string& runner_label) {
  std::vector<std::string> arguments{"bash", "-i"};
  auto base = environment_subset(
      {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL", "TERM"});
  if (settings.executor == ExecutorKind::Docker) {
    arguments = docker_arguments(settings, spec, at, runner_label);
    base.merge(docker_environment());
  }
  auto environment = environment_of(base, at);
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  sigset_t none{};
  ::sigemptyset(&none);
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addchdir_np(&actions, at.directory.c_str());
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, arguments.front().c_str(), &actions, &attributes,
                                    pointers_to(arguments).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace slipway::runner
