// The shell scripts that jobs run as. Everything that comes from a job's variables or file names is
// quoted; only the commands of the pipeline file stand as they were written.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::runner {

// Whether a shell takes it as the name of a variable.
bool is_variable_name(std::string_view name);

// For a POSIX shell: in single quotes, any byte but NUL.
std::string shell_quoted(std::string_view text);

struct Script {
  // In order; a name that no shell takes is left out.
  std::vector<std::pair<std::string, std::string>> variables;
  std::string directory;  // where the commands run
  std::vector<std::string> commands;
};

// Exports, `set -eo pipefail`, the directory, and each command after a line that shows it in green.
// Runs in bash as well as in a plain POSIX sh.
std::string script_text(const Script& script);

// For a shell that reads its commands from standard input, which the commands themselves must not
// read: `first` and then, whatever became of it, `second` ("" for none), each in a shell of its
// own. Ends with the exit code of the first. `between` is printed between the two.
//
// It talks with the runner through files in `marks`: it makes `started` at once, to tell a script
// that failed from one that never began, `ended` with the exit code of the first, and `memory` with
// what the cgroup says of a container whose script failed (oom_kill, limit, peak); a file
// `canceled` there makes CI_JOB_STATUS of the second say so. The second has five minutes.
std::string driver_text(const std::string& marks, const std::string& first,
                        const std::string& between, const std::string& second);

}  // namespace slipway::runner
