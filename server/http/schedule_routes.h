// Pipeline schedules of a project, with their variables, as GitLab's API has them; beside its
// fields stands what became of the last time.
#pragma once

#include <functional>

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class ScheduleRoutes {
 public:
  ScheduleRoutes(Database& database, Coordinator& coordinator, const Clock& clock);

  Result<Response> list(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> create(const Call& call);
  Result<Response> update(const Call& call);
  Result<Response> remove(const Call& call);
  Result<Response> play(const Call& call);
  Result<Response> take_ownership(const Call& call);
  Result<Response> runs(const Call& call);
  Result<Response> add_variable(const Call& call);
  Result<Response> change_variable(const Call& call);
  Result<Response> remove_variable(const Call& call);

 private:
  // NotFound unless it is one of the path's project.
  Result<ScheduleRow> schedule_of(const Call& call);
  // As above, when the caller may change it: its owner, or a maintainer.
  Result<ScheduleRow> own_schedule(const Call& call);
  Result<void> check_ref(const Call& call, const std::string& ref);
  Response view(ScheduleId id, int status);
  // Changes the row inside a transaction, where it is read anew.
  Result<Response> change(const Call& call, std::string_view action, int status,
                          const std::function<Result<void>(ScheduleRow&)>& act);

  Database& database_;
  Coordinator& coordinator_;
  const Clock& clock_;
};

}  // namespace slipway::server::http
