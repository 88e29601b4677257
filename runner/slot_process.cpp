#include "runner/slot_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>
#include <system_error>

#include "runner/job_processes.h"
#include "runner/slot.h"

namespace slipway::runner {
namespace {

constexpr int kListener = 3;

struct SpawnTerms {
  SpawnTerms() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnTerms(const SpawnTerms&) = delete;
  SpawnTerms& operator=(const SpawnTerms&) = delete;
  ~SpawnTerms() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
  }
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

std::vector<std::string> environment_for(const std::string& label, int index) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at)
    if (const std::string variable{*at}; variable.compare(0, 8, "SLIPWAY_") != 0)
      variables.push_back(variable);
  variables.push_back(std::string{kSlotMark} + "=" + label + "/" + std::to_string(index));
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<int> start_slot_process(int index, const std::string& label, const SlotLogs& logs,
                               UniqueFd listener) {
  std::vector<std::string> arguments{
      "slipway",     "runner",   "slot",         std::to_string(index),
      "--log-level", logs.level, "--log-format", logs.format};
  std::vector<std::string> environment = environment_for(label, index);
  SpawnTerms terms;
  ::posix_spawn_file_actions_addopen(&terms.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&terms.files, listener.get(), kListener);
  ::posix_spawn_file_actions_addclosefrom_np(&terms.files, kListener + 1);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&terms.attributes, &none);
  ::posix_spawnattr_setsigdefault(&terms.attributes, &all);
  ::posix_spawnattr_setflags(&terms.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int pid = -1;
  // The program as it runs, also when another stands in its place by now.
  const int failed = ::posix_spawn(&pid, "/proc/self/exe", &terms.files, &terms.attributes,
                                   pointers_to(arguments).data(), pointers_to(environment).data());
  if (failed != 0)
    return errno_error("cannot start a process for slot " + std::to_string(index), failed);
  return pid;
}

void be_slot_process(int index) {
  ::prctl(PR_SET_NAME, "slipway-slot");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &end, nullptr);
  const UniqueFd signals{::signalfd(-1, &end, SFD_CLOEXEC | SFD_NONBLOCK)};
  ::fcntl(kListener, F_SETFD, FD_CLOEXEC);
  SlotOptions options;
  options.index = index;
  options.end_fd = signals.get();
  options.after_job = end_adopted_processes;
  Slot{UniqueFd{kListener}, std::move(options)}.run();
}

std::vector<std::pair<int, std::string>> marked_processes() {
  const std::string wanted = std::string{kSlotMark} + "=";
  std::vector<std::pair<int, std::string>> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", ignored}) {
    const std::string number = entry.path().filename();
    int pid = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), pid).ec != std::errc{})
      continue;
    std::ifstream environment{entry.path() / "environ"};
    for (std::string variable; std::getline(environment, variable, '\0');)
      if (variable.compare(0, wanted.size(), wanted) == 0)
        found.emplace_back(pid, variable.substr(wanted.size()));
  }
  return found;
}

}  // namespace slipway::runner
