// The environments of a project: where its jobs deploy to, as GitLab's Environment.
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

struct EnvironmentRow {
  EnvironmentId id;
  ProjectId project_id;
  std::string name;
  std::string slug;
  std::string tier;                 // GitLab's words: "production", …
  std::string external_url;         // "" without
  std::string state = "available";  // or "stopping", "stopped"
  std::string on_stop;              // the job that stops it, of the pipeline that deployed last
  std::optional<UnixMillis> auto_stop_at;
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
};

struct EnvironmentFilter {
  std::string name;    // exactly; "" means any, here and below
  std::string search;  // a part of the name
  std::string state;
};

class EnvironmentStore {
 public:
  explicit EnvironmentStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<EnvironmentRow> find(EnvironmentId id) const;
  [[nodiscard]] std::optional<EnvironmentRow> find(ProjectId project, std::string_view name) const;
  // By name.
  [[nodiscard]] Page<EnvironmentRow> list(ProjectId project, const EnvironmentFilter& filter,
                                          PageRequest page) const;
  // Those whose time is up, the longest first; at most `limit`.
  [[nodiscard]] std::vector<EnvironmentRow> to_stop(UnixMillis now, int limit) const;
  // Available ones whose newest deployment is of that branch or tag.
  [[nodiscard]] std::vector<EnvironmentRow> of_ref(ProjectId project, std::string_view ref,
                                                   bool tag) const;

  // Sets the id in `row`.
  EnvironmentId insert(EnvironmentRow& row);
  // Everything but name and slug.
  void update(const EnvironmentRow& row);
  void remove(EnvironmentId id);

 private:
  Session& session_;
};

}  // namespace slipway::server
