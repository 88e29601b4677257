// What a project says of its deployments: which environments are protected and how, and when
// nothing is deployed.
//
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

struct ProtectedEnvironmentRow {
  std::int64_t id = 0;
  ProjectId project_id;
  std::string name;            // '*' in it stands for anything
  int deploy_level = 40;       // the least Level that starts a deployment there by hand
  int approve_level = 40;      // the least Level that approves one
  int required_approvals = 0;  // by different people
  bool own_approval = false;   // whoever started it may approve it, too
  UnixMillis created_at = 0;
};

// From each time of one cron expression to the next of the other.
struct FreezePeriodRow {
  FreezePeriodId id;
  ProjectId project_id;
  std::string freeze_start;
  std::string freeze_end;
  std::string cron_timezone;
  // The time that it is on, or will be next; empty for one that never is.
  std::optional<UnixMillis> frozen_from;
  std::optional<UnixMillis> frozen_until;
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
};

bool is_on(const FreezePeriodRow& period, UnixMillis now);

class DeploymentRuleStore {
 public:
  explicit DeploymentRuleStore(Session& session) : session_(session) {}

  // By name.
  [[nodiscard]] std::vector<ProtectedEnvironmentRow> protections(ProjectId project) const;
  // The rule of that very name.
  [[nodiscard]] std::optional<ProtectedEnvironmentRow> protection(ProjectId project,
                                                                  std::string_view name) const;
  // Replaces the rule of that name.
  void protect(const ProtectedEnvironmentRow& row);
  // Whether there was one.
  bool unprotect(ProjectId project, std::string_view name);

  [[nodiscard]] std::vector<FreezePeriodRow> freezes(ProjectId project) const;
  [[nodiscard]] std::vector<FreezePeriodRow> all_freezes() const;
  [[nodiscard]] std::optional<FreezePeriodRow> freeze(FreezePeriodId id) const;
  // The end of the freeze that is on at `now`, the latest when there are several.
  [[nodiscard]] std::optional<UnixMillis> frozen_until(ProjectId project, UnixMillis now) const;
  // Sets the id in `row`.
  FreezePeriodId insert(FreezePeriodRow& row);
  void update(const FreezePeriodRow& row);
  void remove(FreezePeriodId id);

 private:
  Session& session_;
};

}  // namespace slipway::server
