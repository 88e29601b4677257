// What changed, for the pages: every commit of the coordinator becomes events with a growing id,
// of which the last thousand are kept, so that a page which lost its connection goes on.
//
// Thread-safe. Rows are read and written as JSON on a thread of the feed's own, and only while
// somebody listens; for a while without listeners a returning page is told to read everything anew.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "server/coordinator/changes.h"
#include "server/http/message.h"
#include "server/http/viewer.h"
#include "server/store/database.h"

namespace slipway::server::http {

// Which events a stream shows: of what its viewer sees.
struct EventFilter {
  Viewer viewer;
  ProjectId project;  // 0: all
};

class EventFeed final : public CommitObserver {
 public:
  // Make it before the coordinator starts, and have it observe.
  // Streams look at their viewers' rights when somebody's have changed, and every `recheck`.
  EventFeed(Database& database, const Clock& clock, std::string external_url,
            std::chrono::milliseconds recheck = std::chrono::seconds{30});
  ~EventFeed() override;
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  void committed(const Changes& changes) noexcept override;

  // A stream of events after `last_id`; 0 for a page that has just read everything.
  std::unique_ptr<BodySource> listen(EventFilter filter, std::uint64_t last_id);

  // Calls `wake` after each change of the job, until it is destroyed.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&&) noexcept = default;
    Watch& operator=(Watch&&) noexcept = default;

   private:
    friend class EventFeed;
    std::shared_ptr<void> hold_;
  };
  Watch watch_job(JobId job, std::function<void()> wake);

  // Another number: rights may have changed since, and the viewer is to be refreshed. Those who
  // watch or listen are woken.
  [[nodiscard]] std::uint64_t rights() const;

  void stop();

 private:
  class Stream;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace slipway::server::http
