// Merge requests from forks: which commit of which request waits for an approval, and who decided.
//
// A row is of one commit of one request, so an approval is for that commit and no other.
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

struct ForkRequestRow {
  ForkRequestId id;
  ProjectId project_id;
  std::int64_t number = 0;        // of the merge request on the git host
  std::string sha;                // in full
  std::string source_repository;  // "" when the host does not tell
  std::string source_branch;
  std::string target_branch;
  std::string title;
  std::string commit_title;
  std::string author;     // login of whose request it is, or else of who pushed
  std::string author_id;  // what the host identifies this person by; "" when it does not tell
  // "waiting", "approved", "rejected"; "superseded" by a newer commit; "closed" with the request.
  std::string state = "waiting";
  std::string reason;  // of the state, for people
  DeliveryId delivery_id;
  std::string decided_by;  // user name; "" unless somebody decided
  std::optional<UnixMillis> decided_at;
  UnixMillis created_at = 0;
};

class ForkRequestStore {
 public:
  explicit ForkRequestStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<ForkRequestRow> find(ForkRequestId id) const;
  // The one whose commit begins with these digits.
  [[nodiscard]] std::optional<ForkRequestRow> find(ProjectId project, std::int64_t number,
                                                   std::string_view digits) const;
  // Newest first; state "" is any.
  [[nodiscard]] Page<ForkRequestRow> list(ProjectId project, std::string_view state,
                                          PageRequest page) const;

  ForkRequestId insert(const ForkRequestRow& row);
  // State, reason, delivery, and who decided when.
  void update(const ForkRequestRow& row);
  // Those of the request that nobody approved get `state`, but for the commit `except`.
  void end_undecided(ProjectId project, std::int64_t number, std::string_view except,
                     std::string_view state, std::string_view reason);

 private:
  Session& session_;
};

}  // namespace slipway::server
