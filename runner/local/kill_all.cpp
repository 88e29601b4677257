#include "runner/local/kill_all.h"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "runner/docker_command.h"

namespace slipway::runner {
namespace {

struct Seen {
  int parent = 0;
  std::string command;
};

// "pid (command) state parent …", where the command may hold anything.
std::map<int, Seen> all_processes() {
  std::map<int, Seen> processes;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", failed}) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr !=
        name.data() + name.size())
      continue;
    const auto text = read_file(entry.path() / "stat");
    if (!text) continue;
    const auto open = text->find('(');
    const auto close = text->rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 > text->size())
      continue;
    Seen seen{0, text->substr(open + 1, close - open - 1)};
    std::from_chars(text->data() + close + 4, text->data() + text->size(), seen.parent);
    processes.emplace(pid, std::move(seen));
  }
  return processes;
}

bool is_below(const std::map<int, Seen>& processes, int pid, int ancestor) {
  for (auto at = processes.find(pid); at != processes.end() && at->second.parent > 1;
       at = processes.find(at->second.parent))
    if (at->second.parent == ancestor) return true;
  return false;
}

}  // namespace

void kill_all(const std::string& runner_label) {
  const auto processes = all_processes();
  bool has_docker = false;
  for (const auto& [pid, seen] : processes) {
    if (!is_below(processes, pid, ::getpid())) continue;
    if (seen.command == "docker")
      has_docker = true;
    else
      ::kill(pid, SIGKILL);
  }
  if (has_docker) remove_docker_leftovers(runner_label);
}

}  // namespace slipway::runner
