#include "runner/job_processes.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <thread>

#include "base/files.h"
#include "base/logging.h"
#include "runner/script.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRoot = "/sys/fs/cgroup";
constexpr const char* kMark = "SLIPWAY_JOB_MARK";
constexpr std::chrono::milliseconds kBetweenLooks{5};
constexpr int kMostLooks = 1000;

// Files of a cgroup have no length, so they are read and written as they are.
std::string text_of(const fs::path& file) {
  std::ifstream stream{file};
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

bool write_text(const fs::path& file, const std::string& text) {
  const UniqueFd fd{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
  return fd.is_open() &&
         ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::vector<int> numbers_in(const std::string& text) {
  std::istringstream stream{text};
  std::vector<int> numbers;
  for (int number = 0; stream >> number;) numbers.push_back(number);
  return numbers;
}

// Where the runner itself is in the hierarchy of `controller`; "" names version 2.
std::optional<fs::path> own_group(const std::string& controller) {
  std::istringstream lines{text_of("/proc/self/cgroup")};
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names != "," + controller + "," &&
        (controller.empty() || names.find("," + controller + ",") == std::string::npos))
      continue;
    fs::path mount = fs::path{kRoot} / controller;
    if (controller.empty() && !fs::exists(mount / "cgroup.controllers"))
      mount = fs::path{kRoot} / "unified";
    const fs::path place = mount / fs::path{line.substr(second + 1)}.relative_path();
    if (fs::exists(place / "cgroup.procs")) return place;
  }
  return std::nullopt;
}

std::optional<fs::path> make_group(const std::string& controller, const std::string& name) {
  const auto own = own_group(controller);
  if (!own) return std::nullopt;
  std::error_code failed;
  fs::create_directory(*own / name, failed);
  if (failed || ::access((*own / name / "cgroup.procs").c_str(), W_OK) != 0) return std::nullopt;
  return *own / name;
}

// In either version's file. A group of version 2 has the file only where its parent lets it.
bool set_limit(const fs::path& group, std::initializer_list<const char*> files, long long value) {
  return std::any_of(files.begin(), files.end(), [&](const char* file) {
    return write_text(group / file, std::to_string(value));
  });
}

std::optional<fs::path> limited_group(const char* controller, const std::string& name,
                                      std::initializer_list<const char*> files, long long value,
                                      const std::vector<fs::path>& known) {
  for (const fs::path& group : known)
    if (set_limit(group, files, value)) return group;
  auto made = make_group(controller, name);
  if (made && set_limit(*made, files, value)) return made;
  std::error_code ignored;
  if (made) fs::remove(*made, ignored);
  return std::nullopt;
}

// Whether the process has a program and its environment stands. One that is just being replaced by
// another program shows none for a moment, which the end of its place tells (proc(5), stat,
// env_end) from one that has an empty environment.
bool is_settled(const fs::path& process) {
  std::error_code failed;
  if (fs::read_symlink(process / "exe", failed).empty()) return true;  // the kernel's, or ended
  const std::string stat = text_of(process / "stat");
  std::istringstream fields{stat.substr(std::min(stat.rfind(')') + 1, stat.size()))};
  constexpr int kBeforeEnvStart = 47;  // of those that follow the name
  std::string skipped;
  for (int i = 0; i < kBeforeEnvStart; ++i) fields >> skipped;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  return fields >> start >> end && end != 0 && start == end;
}

struct Marked {
  std::vector<int> processes;
  bool whole = true;  // false: of some it cannot be said yet
};

Marked marked_processes(const std::string& name) {
  const std::string wanted = std::string{kMark} + "=" + name;
  Marked found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
    const std::string number = entry.path().filename();
    int pid = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), pid).ec != std::errc{})
      continue;
    const std::string environment = text_of(entry.path() / "environ");
    if (environment.empty() && !is_settled(entry.path())) found.whole = false;
    const auto at = environment.find(wanted);
    const bool is_whole =
        at != std::string::npos && (at == 0 || environment[at - 1] == '\0') &&
        (at + wanted.size() == environment.size() || environment[at + wanted.size()] == '\0');
    if (is_whole) found.processes.push_back(pid);
  }
  return found;
}

// A process that forks while the others are killed is caught by the next look.
template <typename List>
bool kill_until_none(const List& list) {
  for (int look = 0; look < kMostLooks; ++look) {
    const std::vector<int> left = list();
    if (left.empty()) return true;
    for (const int pid : left) ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return false;
}

bool empty_group(const fs::path& group) {
  const auto list = [&] { return numbers_in(text_of(group / "cgroup.procs")); };
  if (list().empty()) return true;
  (void)write_text(group / "cgroup.kill", "1");  // where the kernel has it
  return kill_until_none(list);
}

void end_group(const fs::path& group) {
  const bool ended = empty_group(group);
  std::error_code failed;
  for (int look = 0; look < 20; ++look) {
    fs::remove(group, failed);
    if (!failed) return;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  log::warn("processes.left", {{"group", group.string()}, {"ended", ended}});
}

bool takes_orphans_in() {
  int answer = 0;
  return ::prctl(PR_GET_CHILD_SUBREAPER, &answer) == 0 && answer != 0;
}

double figure(const std::string& text) {
  double value = 0;
  std::istringstream{text} >> value;
  return value;
}

}  // namespace

void end_adopted_processes() {
  siginfo_t ended{};
  for (int look = 0; look < kMostLooks; ++look) {
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) return;  // there is none
    std::error_code ignored;
    for (const auto& thread : fs::directory_iterator{"/proc/self/task", ignored})
      for (const int child : numbers_in(text_of(thread.path() / "children")))
        ::kill(child, SIGKILL);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

Result<JobProcesses> JobProcesses::make(const std::string& name, const ProcessLimits& limits) {
  JobProcesses made{name, {}};
  if (!takes_orphans_in())
    for (const char* controller : {"", "pids", "freezer"})
      if (auto group = make_group(controller, name)) {
        made.groups_.push_back(std::move(*group));
        break;
      }
  const auto limit = [&](const char* controller, std::initializer_list<const char*> files,
                         long long value, const char* setting) -> Result<void> {
    if (value == 0) return {};
    auto group = limited_group(controller, name, files, value, made.groups_);
    if (!group)
      return fail(ErrorKind::InvalidInput,
                  std::string{setting} + " cannot be enforced: the runner may not set limits in " +
                      kRoot)
          .with_hint("it needs a cgroup of its own whose controllers it may use, or to be root");
    if (std::find(made.groups_.begin(), made.groups_.end(), *group) == made.groups_.end())
      made.groups_.push_back(std::move(*group));
    return {};
  };
  if (auto set = limit("memory", {"memory.max", "memory.limit_in_bytes"}, limits.memory,
                       "runner_shell_memory");
      !set)
    return std::move(set).error();
  if (auto set = limit("pids", {"pids.max"}, limits.processes, "runner_shell_pids"); !set)
    return std::move(set).error();
  return made;
}

JobProcesses::JobProcesses(JobProcesses&& other) noexcept
    : name_(std::exchange(other.name_, {})), groups_(std::exchange(other.groups_, {})) {}

JobProcesses::~JobProcesses() {
  if (name_.empty()) return;
  end_all();
  for (const fs::path& group : groups_) end_group(group);
}

std::string JobProcesses::enter_line() const {
  std::string line;
  for (const fs::path& group : groups_)
    line += "echo $$ 2>/dev/null > " + shell_quoted((group / "cgroup.procs").string()) + " || :\n";
  return line;
}

bool JobProcesses::holds(int pid) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const fs::path& group) {
    const auto members = numbers_in(text_of(group / "cgroup.procs"));
    return std::find(members.begin(), members.end(), pid) != members.end();
  });
}

std::map<std::string, std::string> JobProcesses::environment() const {
  if (!groups_.empty()) return {};
  return {{kMark, name_}};
}

void JobProcesses::end_all() const {
  for (const fs::path& group : groups_) (void)empty_group(group);
  if (takes_orphans_in()) return end_adopted_processes();
  if (!groups_.empty()) return;
  for (int look = 0; look < kMostLooks; ++look) {
    const Marked left = marked_processes(name_);
    if (left.processes.empty() && left.whole) return;
    for (const int pid : left.processes) ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

std::string JobProcesses::memory_words() const {
  for (const fs::path& group : groups_) {
    double kills = 0;
    for (const char* file : {"memory.events", "memory.oom_control"}) {
      std::istringstream lines{text_of(group / file)};
      std::string name;
      for (double value = 0; lines >> name >> value;)
        if (name == "oom_kill") kills += value;
    }
    if (kills < 1) continue;
    const auto either = [&](const char* second, const char* first) {
      return figure(text_of(group / (fs::exists(group / second) ? second : first)));
    };
    constexpr double kMega = 1 << 20;
    return fmt::format(
        "the job ran out of memory: its limit is {:.0f} MiB, its peak {:.0f} MiB; the kernel "
        "killed what took most",
        either("memory.max", "memory.limit_in_bytes") / kMega,
        either("memory.peak", "memory.max_usage_in_bytes") / kMega);
  }
  return {};
}

void JobProcesses::sweep(const std::string& prefix,
                         const std::function<bool(const std::string& name)>& is_live) {
  for (const char* controller : {"", "pids", "freezer", "memory"}) {
    const auto own = own_group(controller);
    if (!own) continue;
    std::vector<fs::path> left;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator{*own, failed})
      if (entry.path().filename().string().compare(0, prefix.size(), prefix) == 0)
        left.push_back(entry.path());
    left.erase(std::remove_if(left.begin(), left.end(),
                              [&](const fs::path& group) { return is_live(group.filename()); }),
               left.end());
    if (!left.empty())
      log::warn("processes.left_over", {{"groups", left.size()}, {"in", own->string()}});
    for (const fs::path& group : left) end_group(group);
  }
}

}  // namespace slipway::runner
