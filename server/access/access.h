// What people may do in a project: for whoever asks, and for what acts in their name later, such as
// schedules, trigger tokens and trigger jobs. Pure but for the stores.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "server/store/database.h"

namespace slipway::server {

// Whether the user reads the project: a member or an administrator, or by its visibility. A blocked
// user reads public projects only, as nobody does.
bool may_read(Stores& stores, UnixMillis now, UserId user, const ProjectRow& project);

// The least level that runs pipelines on the ref: Developer, unless it is protected. nullopt:
// nobody may. Of several rules that fit, the most generous counts.
std::optional<Level> level_to_run(Stores& stores, ProjectId project, RefKind kind,
                                  std::string_view ref);
// Denied, naming the ref and who may, unless `level` is enough. Without a kind, a ref that could be
// both must be allowed as both.
Result<void> check_may_run(Stores& stores, Level level, ProjectId project,
                           std::optional<RefKind> kind, std::string_view ref);

// As check_may_run, for somebody who is not there: the owner of a schedule or a trigger token, who
// may have been blocked, deleted or removed from the project.
Result<void> check_owner_may_run(Stores& stores, UnixMillis now, UserId owner,
                                 const ProjectRow& project, std::string_view ref);

// Whether the token of a job reaches a project that is not its own and not public: the project must
// let it in, and who started the pipeline must be able to read it. Jobs of a fork reach none.
bool job_may_reach(Stores& stores, UnixMillis now, JobId job, const ProjectRow& wanted);

}  // namespace slipway::server
