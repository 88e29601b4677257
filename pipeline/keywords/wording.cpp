#include "pipeline/keywords/wording.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

namespace slipway::pipeline::keywords {
namespace {

using Names = std::vector<std::string_view>;

// By the keyword that holds them; those of a job stand under "".
const std::map<std::string_view, Names> kAttributes{
    {"",
     {"allow_failure", "dependencies", "extends", "manual_confirmation", "publish",
      "resource_group", "rules", "start_in", "when"}},
    {"allow_failure", {"exit_codes"}},
    {"artifacts",
     {"access", "exclude", "expire_in", "expose_as", "name", "paths", "public", "untracked",
      "when"}},
    {"auto_cancel", {"on_job_failure", "on_new_commit"}},
    {"cache", {"fallback_keys", "policy", "when"}},
    {"coverage_report", {"coverage_format", "path"}},
    {"environment",
     {"action", "auto_stop_in", "deployment_tier", "kubernetes", "name", "on_stop", "url"}},
    {"except", {"changes", "kubernetes", "refs", "variables"}},
    {"image", {"entrypoint", "name"}},
    {"need", {"artifacts", "job", "optional", "pipeline", "project", "ref"}},
    {"only", {"changes", "kubernetes", "refs", "variables"}},
    {"release",
     {"description", "milestones", "name", "ref", "released_at", "tag_message", "tag_name"}},
    {"retry", {"exit_codes", "max", "when"}},
    {"rule", {"allow_failure", "if", "interruptible", "start_in", "when"}},
    {"service", {"alias", "command", "entrypoint", "name"}},
    {"trigger", {"branch", "project", "strategy"}},
    {"workflow", {"name"}},
};
// Entries whose readers say what is wrong without naming a subject.
const std::map<std::string_view, Names> kEntries{
    {"", {"interruptible", "retry", "stage", "tags", "timeout"}},
    {"cache", {"paths", "unprotect", "untracked"}},
    {"default", {"interruptible", "retry", "tags", "timeout"}},
    {"key", {"files", "files_commits", "prefix"}},
};
// What GitLab says of a value of no known shape, where it names no subject either.
constexpr std::string_view kOfNoShape[] = {"has to be either", "should be a hash, a string"};

bool lists(const std::map<std::string_view, Names>& table, std::string_view holder,
           std::string_view name) {
  const auto row = table.find(holder);
  return row != table.end() &&
         std::find(row->second.begin(), row->second.end(), name) != row->second.end();
}

bool begins(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string_view after_last_colon(std::string_view text) {
  const auto colon = text.rfind(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

}  // namespace

std::string worded(const std::string& path, const std::string& what) {
  const bool complete =
      begins(what, "config") || std::any_of(std::begin(kOfNoShape), std::end(kOfNoShape),
                                            [&](auto shape) { return begins(what, shape); });
  const auto colon = path.rfind(':');
  if (complete || colon == std::string::npos) return path + " " + what;
  const std::string holder_path = path.substr(0, colon);
  std::string name = path.substr(colon + 1);
  std::string_view holder = after_last_colon(holder_path);
  if (kAttributes.count(holder) == 0 && kEntries.count(holder) == 0) holder = "";
  if (lists(kEntries, holder, name)) return path + " config " + what;
  if (!lists(kAttributes, holder, name)) return path + " " + what;
  std::replace(name.begin(), name.end(), '_', ' ');
  return holder_path + " " + name + " " + what;
}

}  // namespace slipway::pipeline::keywords
