// Waiting runners ↔ pending jobs. A runner's poll becomes a ticket; a job that becomes pending is
// handed out at once, and so is a ticket that comes when jobs wait: no timer is involved.
//
// Thread-safe. Handing out is decided here and made durable by the coordinator before the runner is
// answered. Among the jobs that a runner may take, those of the project with the fewest running
// jobs come first, then the oldest.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/coordinator/changes.h"
#include "server/coordinator/coordinator.h"

namespace slipway::server {

using Ticket = std::uint64_t;

class Dispatch final : public CommitObserver {
 public:
  // On the coordinator's thread, or on the caller's when it is refused at once.
  using Answer = std::function<void(Result<Assignment>)>;

  // Make it before coordinator.start(); it observes the coordinator by itself.
  explicit Dispatch(Coordinator& coordinator);
  ~Dispatch() override;
  Dispatch(const Dispatch&) = delete;
  Dispatch& operator=(const Dispatch&) = delete;

  // A runner waits for a job; `answer` is called at most once. A paused runner waits in vain.
  Ticket request(const Taker& taker, Answer answer);
  // True: the ticket is gone and will not be answered. False: the answer was given or is on its
  // way; if nobody can take it any more, give_back() what it brings.
  bool cancel(Ticket ticket);
  // The answer could not be delivered: the job waits again at once.
  void give_back(const Assignment& assignment);
  // Shutting down: every waiting ticket is answered Unavailable, later ones too.
  void stop();

  [[nodiscard]] std::size_t waiting_jobs() const;
  [[nodiscard]] std::size_t waiting_runners() const;

  void committed(const Changes& changes) noexcept override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
