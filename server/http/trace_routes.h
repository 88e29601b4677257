// Job logs: taken from the runner by offset, served whole, in parts, and live.
#pragma once

#include "server/coordinator/coordinator.h"
#include "server/http/event_feed.h"
#include "server/http/route.h"
#include "server/store/database.h"
#include "server/trace/trace_store.h"

namespace slipway::server::http {

class TraceRoutes {
 public:
  TraceRoutes(Database& database, Coordinator& coordinator, TraceStore& traces, EventFeed& feed,
              const Viewer::Parts& viewing)
      : database_(database),
        coordinator_(coordinator),
        traces_(traces),
        feed_(feed),
        viewing_(viewing) {}

  // PATCH with Content-Range: appended when it goes on where the log ends, else 416 and the size.
  Reception append(const SharedCall& call);
  Result<Response> raw(const Call& call);
  // Lines that hold ?q=, as a text or with ?regex=true as an expression; ?limit= of them.
  Result<Response> search(const Call& call);
  // Server-sent events: the whole backlog from `offset`, then what comes, until the job has ended.
  Result<Response> events(const Call& call);

 private:
  Result<JobRow> job_of(const Call& call);

  Database& database_;
  Coordinator& coordinator_;
  TraceStore& traces_;
  EventFeed& feed_;
  Viewer::Parts viewing_;
};

}  // namespace slipway::server::http
