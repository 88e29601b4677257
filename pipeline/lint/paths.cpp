// Paths of artifacts and caches that lie outside the project, where the runner takes nothing from.

#include "pipeline/lint/walk.h"
#include "pipeline/lint/warnings.h"

namespace slipway::pipeline::lint {
namespace {

using read::Node;
using read::NodePtr;

// A variable in front may well be $CI_PROJECT_DIR, and /builds is where most runners keep projects.
void check_path(const Node& node, Diagnostics& findings) {
  const std::string_view path = node.text;
  if (path.starts_with("~/") || path.starts_with("../") || path == ".." || path == "~" ||
      (path.starts_with('/') && !path.starts_with("/builds/")))
    warn(findings, node, "path_outside_project",
         "'" + node.text + "' lies outside the project, and nothing is taken from there",
         "have the job write below $CI_PROJECT_DIR, and name the path from there");
}

void check_paths(const Node& holder, Diagnostics& findings) {
  if (const NodePtr* paths = holder.find("paths"))
    for_each_string(**paths, [&](const Node& path) { check_path(path, findings); });
  for (const NodePtr& item : holder.items) check_paths(*item, findings);
}

}  // namespace

void warn_of_paths(const Node& tree, Diagnostics& findings) {
  for_each_job(tree, [&](const Node& job) {
    for (const char* keyword : {"artifacts", "cache"})
      if (const NodePtr* value = job.find(keyword)) check_paths(**value, findings);
  });
}

}  // namespace slipway::pipeline::lint
