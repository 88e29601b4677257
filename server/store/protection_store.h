// Branches and tags of a project that are protected: only their jobs get protected variables and
// protected runners, and not everybody may run pipelines there.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

enum class RefKind : std::uint8_t { Branch, Tag };
std::string_view to_string(RefKind kind);  // "branch", "tag"

struct ProtectedRefRow {
  std::int64_t id = 0;
  ProjectId project_id;
  std::string kind;       // of RefKind
  std::string name;       // '*' in it stands for anything
  int access_level = 40;  // the least Level that runs pipelines there; 0: nobody
  UnixMillis created_at = 0;
};

class ProtectionStore {
 public:
  explicit ProtectionStore(Session& session) : session_(session) {}

  // By name.
  [[nodiscard]] std::vector<ProtectedRefRow> of_project(ProjectId id, RefKind kind) const;
  [[nodiscard]] Page<ProtectedRefRow> list(ProjectId id, RefKind kind, PageRequest page) const;
  [[nodiscard]] std::optional<ProtectedRefRow> find(ProjectId id, RefKind kind,
                                                    std::string_view name) const;
  // A name that is protected already stays so.
  void protect(ProjectId id, RefKind kind, std::string_view name, UnixMillis now,
               int access_level = 40);
  // Whether it was protected by that name.
  bool unprotect(ProjectId id, RefKind kind, std::string_view name);

 private:
  Session& session_;
};

}  // namespace slipway::server
