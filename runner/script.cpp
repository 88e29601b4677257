#include "runner/script.h"

#include <algorithm>
#include <cctype>

namespace slipway::runner {
namespace {

// As GitLab's runner shows it: the first line of a longer command.
std::string shown(const std::string& command) {
  const auto end = command.find('\n');
  const bool collapsed = end != std::string::npos && end + 1 < command.size();
  return "\x1b[32;1m$ " + command.substr(0, end) +
         (collapsed ? " # collapsed multi-line command" : "") + "\x1b[0;m";
}

// Of the cgroup that a container sees as its own, in both versions' words, by the shell alone.
constexpr const char* kMemoryFigures = R"(
g=/sys/fs/cgroup
for f in $g/memory.events $g/memory/memory.oom_control; do
if [ -r $f ]; then while read -r n v; do if [ "$n" = oom_kill ]; then echo oom_kill $v; fi; done < $f; fi
done
for p in limit:$g/memory.max limit:$g/memory/memory.limit_in_bytes peak:$g/memory.peak peak:$g/memory/memory.max_usage_in_bytes; do
if [ -r ${p#*:} ]; then read -r v < ${p#*:}; echo ${p%%:*} $v; fi
done
)";

}  // namespace

bool is_variable_name(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else if (c != '\0')
      quoted += c;
  }
  return quoted + "'";
}

std::string script_text(const Script& script) {
  std::string text;
  for (const auto& [name, value] : script.variables)
    if (is_variable_name(name)) text += "export " + name + "=" + shell_quoted(value) + "\n";
  text +=
      "set -e\n"
      // `command` keeps a shell that does not know the option from ending.
      "command set -o pipefail 2>/dev/null || :\n"
      "set +o noclobber\n";
  text += "cd " + shell_quoted(script.directory) + "\n";
  for (const std::string& command : script.commands) {
    text += "printf '%s\\n' " + shell_quoted(shown(command)) + "\n";
    text += command + "\n";
  }
  return text;
}

std::string driver_text(const std::string& marks, const std::string& first,
                        const std::string& between, const std::string& second) {
  const auto mark = [&](const char* name) { return shell_quoted(marks + "/" + name); };
  // The trap keeps the driver alive when all of the container is asked to end; the shells of the
  // scripts do not inherit it. A failed redirection would end some shells, hence the parentheses.
  // A shell that reports how a script was killed shows all of it: the driver has no stderr itself.
  std::string text = "trap : TERM\nexec 3>&2 2>/dev/null\n(: > " + mark("started") + ")\n";
  text += "( eval " + shell_quoted(first) + " ) </dev/null 2>&3 3>&-\n";
  text += "code=$?\n(echo $code > " + mark("ended") + ")\n";
  text += std::string{"if [ $code -ne 0 ]; then ("} + kMemoryFigures + ") > " + mark("memory") +
          "; fi\n";
  if (second.empty()) return text + "exit $code\n";
  text += "if [ -e " + mark("canceled") + " ]; then CI_JOB_STATUS=canceled\n";
  text += "elif [ $code -eq 0 ]; then CI_JOB_STATUS=success\nelse CI_JOB_STATUS=failed; fi\n";
  text += "export CI_JOB_STATUS\n";
  text += "printf %s " + shell_quoted(between) + "\n";
  text += "( eval " + shell_quoted(second) + " ) </dev/null 2>&3 3>&- & after=$!\n";
  text +=
      "( sleep 300; echo 'WARNING: after_script ran longer than 5 minutes and was stopped'\n"
      "kill -KILL $after ) </dev/null 3>&- &\n"
      "wait $after\n";
  text += "exit $code\n";
  return text;
}

}  // namespace slipway::runner
