// Globs of `changes` that match less than they seem to.

#include <re2/re2.h>

#include "pipeline/lint/walk.h"
#include "pipeline/lint/warnings.h"

namespace slipway::pipeline::lint {
namespace {

using read::Node;
using read::NodePtr;

// `**.js` and `src/**.js` as they were meant; "" when no `**` stands before a part of a name.
std::string with_own_segment(const std::string& glob) {
  static const re2::RE2 attached{R"((^|/)\*\*([^*/]))"};
  std::string widened = glob;
  return re2::RE2::GlobalReplace(&widened, attached, R"(\1**/*\2)") > 0 ? widened : "";
}

void check(const Node& node, Diagnostics& findings) {
  const std::string& glob = node.text;
  const auto ends = [&](std::string_view ending) {
    return glob.size() > ending.size() &&
           glob.compare(glob.size() - ending.size(), ending.size(), ending) == 0;
  };
  if (const std::string widened = with_own_segment(glob); !widened.empty())
    warn(findings, node, "shallow_glob",
         "'" + glob + "' stays in one directory: `**` goes deeper only between slashes",
         "write '" + widened + "' for all files below");
  else if (ends("/**"))
    warn(findings, node, "shallow_glob",
         "'" + glob + "' matches only files directly in '" + glob.substr(0, glob.size() - 3) +
             "', not those in directories below it",
         "write '" + glob + "/*' for all files below");
  else if (ends("/"))
    warn(findings, node, "glob_never_matches",
         "'" + glob + "' matches nothing: changed paths are files, never directories",
         "write '" + glob + "**/*' for all files below");
  else if (glob.rfind("./", 0) == 0 || glob.rfind('/', 0) == 0)
    warn(findings, node, "glob_never_matches",
         "'" + glob +
             "' matches nothing: changed paths begin at the top of the repository, without '/' or "
             "'./'",
         "write '" + glob.substr(glob.find('/') + 1) + "'");
}

// A list of globs, or a mapping with `paths`.
void check_changes(const Node& node, Diagnostics& findings) {
  const NodePtr* paths = node.find("paths");
  for_each_string(paths == nullptr ? node : **paths,
                  [&](const Node& glob) { check(glob, findings); });
}

void check_rules(const Node& rules, Diagnostics& findings) {
  if (const NodePtr* changes = rules.find("changes")) check_changes(**changes, findings);
  for (const NodePtr& rule : rules.items) check_rules(*rule, findings);
}

void check_job(const Node& job, Diagnostics& findings) {
  for (const char* keyword : {"rules", "only", "except"})
    if (const NodePtr* value = job.find(keyword)) check_rules(**value, findings);
}

}  // namespace

void warn_of_globs(const Node& tree, Diagnostics& findings) {
  for_each_job(tree, [&](const Node& job) { check_job(job, findings); });
  if (const NodePtr* workflow = tree.find("workflow")) check_job(**workflow, findings);
}

}  // namespace slipway::pipeline::lint
