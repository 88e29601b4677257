#include "server/variables/vault.h"

#include <algorithm>

namespace slipway::server {
namespace {

// The instance is 0, a group as many as its path has parts, the project above all.
int level_of(const VariableRow& row) {
  constexpr int kProject = 1000;
  if (row.project_id) return kProject;
  if (row.group_path.empty()) return 0;
  return 1 + static_cast<int>(std::count(row.group_path.begin(), row.group_path.end(), '/'));
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

std::string seal_context(const VariableRow& row) {
  // None of the parts can hold a line break.
  return "variable\n" + lower(to_string(row.owner())) + "\n" + row.key + "\n" +
         row.environment_scope + "\n" + (row.protected_only ? "protected" : "");
}

Result<pipeline::SettingVariables> VariableVault::for_jobs(const ProjectRow& project,
                                                           bool ref_protected) const {
  pipeline::SettingVariables variables;
  for (const VariableRow& row : database_.read()->variables.for_project(project.id, project.path)) {
    if (row.protected_only && !ref_protected) continue;
    auto value = open(row);
    if (!value) return std::move(value).error();
    pipeline::SettingVariable& one =
        variables.emplace_back(pipeline::Variable{.name = row.key,
                                                  .value = std::move(*value),
                                                  .raw = row.raw,
                                                  .file = row.file,
                                                  .masked = row.masked});
    one.environment_scope = row.environment_scope;
    one.level = level_of(row);
    one.id = row.id.value;
  }
  return variables;
}

bool VariableVault::is_protected(ProjectId project, std::string_view ref, RefKind kind) const {
  const auto rows = database_.read()->protections.of_project(project, kind);
  return std::any_of(rows.begin(), rows.end(), [&](const ProtectedRefRow& row) {
    return pipeline::matches_wildcard(row.name, ref);
  });
}

void VariableVault::seal(VariableRow& row, std::string_view value) const {
  row.value = keys_.seal(value, seal_context(row));
}

Result<std::string> VariableVault::open(const VariableRow& row) const {
  auto value = keys_.open(row.value, seal_context(row));
  if (value) return value;
  return fail(ErrorKind::Internal, "the variable " + row.key + " of " + to_string(row.owner()) +
                                       " cannot be opened with the server's keys")
      .with_hint("set its value anew, or put the key file and the database of one backup back");
}

}  // namespace slipway::server
