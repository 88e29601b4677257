// All processes of one shell job, wherever they went. In a slot, to which orphans come back, they
// are its children; elsewhere they are in a cgroup of the job's own where the runner may make one
// (version 2, or 1), else known by a variable of their environment, which daemons inherit too. To
// move into a cgroup takes the kernel 10 to 30 ms when nobody has lately, so that a slot makes one
// for limits alone. What is left of them is killed when the job ends, and limits hold for all
// together.
//
// Used on the job's thread. What a slot that was killed left behind is swept by its agent.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::runner {

struct ProcessLimits {
  long long memory = 0;  // bytes; 0 is no limit
  long long processes = 0;
};

// Kills what has become a child of this process, a child subreaper, because its own parents are
// gone, and what comes after it. Only while no child of its own runs.
void end_adopted_processes();

class JobProcesses {
 public:
  // `name` is a file name that no other job has, beginning with a runner's prefix. InvalidInput
  // when a limit is asked for that this machine does not let the runner set.
  static Result<JobProcesses> make(const std::string& name, const ProcessLimits& limits);
  // As on a machine that has no cgroups for the runner.
  static JobProcesses unconfined(std::string name) { return {std::move(name), {}}; }
  ~JobProcesses();
  JobProcesses(JobProcesses&& other) noexcept;
  JobProcesses& operator=(JobProcesses&&) = delete;

  // The first line of a script: the shell moves itself over. "" without a cgroup.
  [[nodiscard]] std::string enter_line() const;
  // To be added to the environment of the first process.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  // Whether the process is in the job's cgroup.
  [[nodiscard]] bool holds(int pid) const;

  // Kills what is left, and returns when it is gone. The destructor does so too.
  void end_all() const;

  // A sentence with the figures when the kernel has killed for want of memory, else "".
  [[nodiscard]] std::string memory_words() const;

  // Ends and removes the groups whose names begin with `prefix`, but for those that `is_live` says;
  // it is asked once all have been looked for.
  static void sweep(const std::string& prefix,
                    const std::function<bool(const std::string& name)>& is_live);

 private:
  JobProcesses(std::string name, std::vector<std::filesystem::path> groups)
      : name_(std::move(name)), groups_(std::move(groups)) {}

  std::string name_;
  std::vector<std::filesystem::path> groups_;  // of each hierarchy in use; empty without rights
};

}  // namespace slipway::runner
