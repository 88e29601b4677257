// What a path or a list names, as the policy looks at it. Pure but for the stores.
#pragma once

#include "base/clock.h"
#include "server/auth/policy.h"
#include "server/store/database.h"

namespace slipway::server::http {

auth::Place project_place(Stores& stores, UnixMillis now, const auth::Principal& principal,
                          const ProjectRow& project);
// `path` need not be that of a group with projects.
auth::Place group_place(Stores& stores, UnixMillis now, const auth::Principal& principal,
                        std::string_view path);
// A runner of the instance is seen by whoever is signed in; one of a project by its members.
auth::Place runner_place(Stores& stores, UnixMillis now, const auth::Principal& principal,
                         const RunnerRow& runner);

// For lists of projects.
ProjectViewer viewer_of(const auth::Principal& principal, UnixMillis now);

}  // namespace slipway::server::http
