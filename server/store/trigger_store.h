// Trigger tokens of projects, and the process modes of their resource groups.
//
// As all repositories: views on one session, used by that session's thread only.
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

// Whoever has the token may start pipelines of the project; they belong to the owner.
struct TriggerTokenRow {
  TriggerTokenId id;
  ProjectId project_id;
  std::string description;
  std::string token_hash;
  std::string hint;  // how it begins, to tell it from others
  UserId owner_id;
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
  std::optional<UnixMillis> last_used_at;
};

class TriggerTokenStore {
 public:
  explicit TriggerTokenStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<TriggerTokenRow> find(TriggerTokenId id) const;
  [[nodiscard]] std::optional<TriggerTokenRow> find_by_hash(std::string_view token_hash) const;
  // In the order in which they were made.
  [[nodiscard]] Page<TriggerTokenRow> list(ProjectId project, PageRequest page) const;
  TriggerTokenId insert(const TriggerTokenRow& row);
  void describe(TriggerTokenId id, std::string_view description, UnixMillis at);
  void used(TriggerTokenId id, UnixMillis at);
  void remove(TriggerTokenId id);

 private:
  Session& session_;
};

struct ResourceGroupRow {
  ResourceGroupId id;
  ProjectId project_id;
  std::string key;
  std::string process_mode = "unordered";  // GitLab's words
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
};

class ResourceGroupStore {
 public:
  explicit ResourceGroupStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<ResourceGroupRow> find(ProjectId project, std::string_view key) const;
  [[nodiscard]] Page<ResourceGroupRow> list(ProjectId project, PageRequest page) const;
  // Nothing happens when it is known.
  void note(ProjectId project, std::string_view key, UnixMillis at);
  void set_mode(ResourceGroupId id, std::string_view mode, UnixMillis at);

 private:
  Session& session_;
};

}  // namespace slipway::server
