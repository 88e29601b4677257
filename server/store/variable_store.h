// Variables of the settings: of the instance, of a group, of a project; and which job got which.
//
// Values are sealed; who reads this store cannot read them. A group is the path before the name of
// its projects ("team" and "team/web" for "team/web/app"); it is no row of its own.
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

// Whose a variable is: a project's, else a group's, else the instance's.
struct VariableOwner {
  std::optional<ProjectId> project_id;
  std::string group_path;  // compared without regard to case

  [[nodiscard]] static VariableOwner instance() { return {}; }
  [[nodiscard]] static VariableOwner group(std::string path) {
    return {std::nullopt, std::move(path)};
  }
  [[nodiscard]] static VariableOwner project(ProjectId id) { return {id, {}}; }
};
// "instance", "group/team/web", "project/4".
std::string to_string(const VariableOwner& owner);

struct VariableRow {
  VariableId id;
  std::optional<ProjectId> project_id;
  std::string group_path;
  std::string key;
  std::string value;  // sealed
  bool masked = false;
  bool hidden = false;  // its value is never shown again
  bool protected_only = false;
  bool file = false;
  bool raw = false;
  std::string environment_scope = "*";
  std::string description;
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;

  [[nodiscard]] VariableOwner owner() const { return {project_id, group_path}; }
};

// That a job was handed a variable. Kept when the variable goes, and as long as the job.
struct VariableUseRow {
  std::int64_t id = 0;
  VariableId variable_id;
  JobId job_id;
  RunnerId runner_id;
  std::string owner;  // as to_string(VariableOwner)
  std::string key;
  std::string environment_scope;
  UnixMillis at = 0;
};

class VariableStore {
 public:
  explicit VariableStore(Session& session) : session_(session) {}

  // By key, then by scope.
  [[nodiscard]] Page<VariableRow> list(const VariableOwner& owner, PageRequest page) const;
  // Those of one key, one for each scope.
  [[nodiscard]] std::vector<VariableRow> find(const VariableOwner& owner,
                                              std::string_view key) const;
  // All that may be for a project's jobs: the instance's, those of the groups in `project_path`
  // from the outermost to the innermost, its own.
  [[nodiscard]] std::vector<VariableRow> for_project(ProjectId id,
                                                     std::string_view project_path) const;
  // Whether the group has a project, or variables that its last project left.
  [[nodiscard]] bool has_group(std::string_view path) const;
  // Of all owners, by number, beginning behind `after`.
  [[nodiscard]] std::vector<VariableRow> next_after(VariableId after, int limit) const;

  // Key and scope that are taken are StoreFailure with ErrorKind::Conflict.
  VariableId insert(const VariableRow& row);
  void update(const VariableRow& row);
  void remove(VariableId id);

  void used(const VariableUseRow& row);
  // Newest first.
  [[nodiscard]] Page<VariableUseRow> uses(VariableId id, PageRequest page) const;

 private:
  Session& session_;
};

}  // namespace slipway::server
