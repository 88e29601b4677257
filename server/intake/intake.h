// A trigger, whatever sent it, becomes a planned pipeline.
//
// Webhooks are stored first and worked on afterwards, by threads of this room, so that the sender
// is answered at once and a crash loses nothing: what was accepted and not finished is taken up
// again at start. Projects do not wait for each other. While a git host cannot be reached, its
// deliveries wait with growing pauses; one that has brought the process down three times is put
// aside.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/keyring.h"
#include "server/coordinator/coordinator.h"
#include "server/forge/forge.h"
#include "server/git/mirror.h"
#include "server/intake/delivery_queue.h"
#include "server/intake/planner.h"

namespace slipway::server {

struct ReceivedHook {
  DeliveryId delivery;
  std::string verdict;  // "accepted", "ignored" or "duplicate"
  std::string reason;
};

struct ManualTrigger {
  std::string ref;
  pipeline::Source source = pipeline::Source::Api;
  pipeline::Variables variables;
  std::vector<pipeline::InputValue> inputs;
  UserId user;
  std::optional<ScheduleRunId> schedule_run;  // the time of a schedule that it is made for
};

class Intake {
 public:
  // What is referred to must outlive it. `keys` open the projects' webhook secrets.
  Intake(Coordinator& coordinator, Database& database, Mirrors& mirrors, Planner& planner,
         const Clock& clock, const Keyring& keys);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Takes up what a restart left; deliveries that come before wait.
  void start();
  // Waits for what is being worked on; Mirrors::stop() makes that short. What is not done stays
  // accepted.
  void stop();
  // What fails from now on may have failed for that alone.
  [[nodiscard]] bool stopped() const { return mirrors_.stopped(); }

  // Verifies, stores and queues. Unauthenticated or Denied when it must not be believed.
  Result<ReceivedHook> receive_hook(const ProjectRow& project, const HeaderLookup& header,
                                    std::string_view body);
  // Works on a stored delivery, which the caller has set to accepted.
  void take_up(const ProjectRow& project, DeliveryId delivery);
  // A pipeline by hand, at once. InvalidInput when none results, or an input is not as the pipeline
  // file wants it, with the reason.
  Result<PipelineId> trigger(const ProjectRow& project, const ManualTrigger& trigger);
  // `content`, or the project's own file, with the files of `file_ref` ("": the default branch).
  // With `simulated` the pipeline of a push to that ref is planned. A `user` must be able to read
  // what is included.
  LintReport lint(const ProjectRow& project, const std::optional<std::string>& content,
                  const std::string& file_ref, const std::optional<std::string>& simulated,
                  UserId user = {});

  // A new secret as the store keeps it.
  [[nodiscard]] std::string seal_webhook_secret(std::string_view secret) const;

 private:
  Result<ReceivedHook> store(const ProjectRow& project, DeliveryRow row, const ForgeEvent& event);
  void work();
  // An Error when the delivery is to be worked on again, later.
  Result<void> process(const DeliveryQueue::Entry& entry);
  Result<void> process_delivery(const DeliveryRow& delivery, const ProjectRow& project);
  Result<void> process_push(const PushEvent& push, const DeliveryRow& delivery,
                            const ProjectRow& project);
  void settle(DeliveryId id, const std::string& verdict, const std::string& reason);
  Result<PipelineId> create(NewPipeline pipeline);
  // What the new pipeline is made for, and ends with it.
  struct Cause {
    std::optional<DeliveryId> delivery;
    std::optional<ScheduleRunId> schedule_run;
  };
  Result<PipelineId> make_pipeline(const PlanRequest& request, const Cause& cause);

  Coordinator& coordinator_;
  Database& database_;
  Mirrors& mirrors_;
  Planner& planner_;
  const Clock& clock_;
  const Keyring& keys_;

  std::mutex mutex_;
  std::condition_variable wake_;
  DeliveryQueue queue_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace slipway::server
