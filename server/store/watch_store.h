// What is known of the branches and tags of a project's repository beside its webhooks: which
// commits they had when they were last compared, and when that is due again.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server {

class Session;

struct WatchRow {
  ProjectId project_id;
  UnixMillis compared_at = 0;  // the last time that it worked; 0: never
  UnixMillis due_at = 0;
  int failures = 0;   // since then
  std::string error;  // of the last of them
  int found = 0;      // pushes that no webhook had told of, ever
};

class WatchStore {
 public:
  explicit WatchStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<WatchRow> find(ProjectId project) const;
  void put(const WatchRow& row);
  // Full name of the ref ("refs/heads/main") and its commit.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> refs(ProjectId project) const;
  void set_ref(ProjectId project, const std::string& ref, const std::string& sha);
  void remove_ref(ProjectId project, const std::string& ref);

 private:
  Session& session_;
};

}  // namespace slipway::server
