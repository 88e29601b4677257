#include "runner/orphans.h"

#include <charconv>
#include <csignal>
#include <optional>
#include <string_view>
#include <vector>

#include "base/logging.h"
#include "runner/docker_command.h"
#include "runner/job_processes.h"
#include "runner/slot_process.h"

namespace slipway::runner {
namespace {

// "slipway-job-12-9f31…" is of job 12 when `prefix` is "slipway-job-".
std::optional<std::int64_t> job_in(std::string_view name, std::string_view prefix) {
  std::int64_t job = 0;
  if (name.substr(0, prefix.size()) != prefix) return std::nullopt;
  name.remove_prefix(prefix.size());
  if (std::from_chars(name.data(), name.data() + name.size(), job).ec != std::errc{})
    return std::nullopt;
  return job;
}

bool is_orphan(int pid, int slot, const LiveSlots& live) {
  if (live.busy.count(slot) != 0 || live.leaving.count(pid) != 0) return false;
  const auto idle = live.idle.find(slot);
  return idle == live.idle.end() || idle->second != pid;
}

// Repeated, since one that is about to be killed may start another.
void end_processes(const std::string& label, const std::function<LiveSlots()>& live) {
  constexpr int kMostLooks = 20;
  int count = 0;
  for (int look = 0; look < kMostLooks; ++look) {
    const auto marked = marked_processes();
    const LiveSlots now = live();
    int killed = 0;
    for (const auto& [pid, mark] : marked) {
      int slot = 0;
      const auto slash = mark.rfind('/');
      if (mark.substr(0, slash) != label ||
          std::from_chars(mark.data() + slash + 1, mark.data() + mark.size(), slot).ec !=
              std::errc{})
        continue;
      if (is_orphan(pid, slot, now) && ::kill(pid, SIGKILL) == 0) ++killed;
    }
    count += killed;
    if (killed == 0) break;
  }
  if (count > 0) log::warn("orphans.ended", {{"what", "processes"}, {"count", count}});
}

// Of what `list` prints, a line of id and name each, what is of no live job goes to `remove`.
void remove_from_docker(const char* what, std::vector<std::string> list,
                        std::vector<std::string> remove, const std::function<LiveSlots()>& live) {
  const auto found = docker(std::move(list));
  if (!found || !found->outcome.succeeded()) return;
  const LiveSlots now = live();
  const std::size_t fixed = remove.size();
  std::string_view rest = found->output;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const auto job = job_in(line.substr(space + 1), "slipway-job-");
    if (!job || now.jobs.count(*job) == 0) remove.emplace_back(line.substr(0, space));
  }
  if (remove.size() == fixed) return;
  log::warn("orphans.ended", {{"what", what}, {"count", remove.size() - fixed}});
  (void)docker(std::move(remove));
}

}  // namespace

void end_orphans(const std::string& runner_label, ExecutorKind executor,
                 const std::function<LiveSlots()>& live) {
  end_processes(runner_label, live);
  const std::string groups = "slipway-" + runner_label + "-";
  JobProcesses::sweep(groups, [&](const std::string& name) {
    const auto job = job_in(name, groups);
    return job && live().jobs.count(*job) != 0;
  });
  if (executor != ExecutorKind::Docker) return;
  const std::string filter = "label=" + docker_label(runner_label);
  remove_from_docker("containers",
                     {"ps", "--all", "--filter", filter, "--format", "{{.ID}} {{.Names}}"},
                     {"rm", "--force", "--volumes"}, live);
  remove_from_docker("networks",
                     {"network", "ls", "--filter", filter, "--format", "{{.ID}} {{.Name}}"},
                     {"network", "rm"}, live);
  remove_from_docker("volumes",
                     {"volume", "ls", "--filter", filter, "--format", "{{.Name}} {{.Name}}"},
                     {"volume", "rm"}, live);
}

}  // namespace slipway::runner
