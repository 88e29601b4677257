// Runners, and the processes (managers) that were seen polling with a runner's token.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server {

class Session;

struct RunnerRow {
  RunnerId id;
  std::string token_hash;
  std::string description;
  std::string maintenance_note;               // for whoever looks after it
  std::string runner_type = "instance_type";  // or "project_type"
  std::optional<ProjectId> project_id;        // with project_type
  std::vector<std::string> tags;
  bool run_untagged = true;
  bool paused = false;
  bool protected_only = false;         // takes jobs of protected refs only
  std::optional<int> maximum_timeout;  // seconds
  UnixMillis created_at = 0;
  std::optional<UnixMillis> contacted_at;  // minute grain

  bool operator==(const RunnerRow&) const = default;
};

struct RunnerManagerRow {
  RunnerId runner_id;
  std::string system_id;
  std::string version;
  std::string platform;
  std::string architecture;
  std::string executor;
  std::string ip_address;
  UnixMillis contacted_at = 0;
};

class RunnerStore {
 public:
  explicit RunnerStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<RunnerRow> find(RunnerId id) const;
  [[nodiscard]] std::optional<RunnerRow> find_by_token(std::string_view token_hash) const;
  [[nodiscard]] std::vector<RunnerRow> all() const;
  [[nodiscard]] std::vector<RunnerManagerRow> managers(RunnerId id) const;

  RunnerId insert(const RunnerRow& row);
  void update(const RunnerRow& row);
  void remove(RunnerId id);
  // Inserts or renews the manager's row, and the runner's contacted_at.
  void contacted(const RunnerManagerRow& manager);
  // Renews the times alone, of what is there; false when the runner is gone.
  bool seen(RunnerId id, std::string_view system_id, UnixMillis at);
  bool remove_manager(RunnerId id, std::string_view system_id);

 private:
  Session& session_;
};

}  // namespace slipway::server
