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
#include <filesystem>
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

// What a pipeline file is tried with.
struct SimulatedEvent {
  pipeline::Source source = pipeline::Source::Push;
  std::string ref;  // "": the default branch; the source branch of a merge request into that one
};

struct FileAtCommit {
  std::string sha;
  std::string text;
};

struct ManualTrigger {
  std::string ref;
  pipeline::Source source = pipeline::Source::Api;
  pipeline::Variables variables;
  std::vector<pipeline::InputValue> inputs;
  UserId user;
  std::optional<ScheduleRunId> schedule_run;  // the time of a schedule that it is made for
};

// A commit of somebody's work tree, on no branch of the project.
struct WorkTree {
  std::string sha;
  std::string branch;  // that it was taken on
  std::string before;  // what `changes` compares with; "" for nothing
  pipeline::Variables variables;
  std::vector<pipeline::InputValue> inputs;
  UserId user;
};

class Intake {
 public:
  // What is referred to must outlive it. `keys` open the projects' webhook secrets.
  Intake(Coordinator& coordinator, Database& database, Mirrors& mirrors, Planner& planner,
         const Clock& clock, const Keyring& keys);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // A branch or tag is gone: what was deployed from it is stopped. Harmless to repeat.
  void ref_deleted(ProjectId project, const std::string& ref, bool is_tag);

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
  // Which of these commits need not be sent.
  Result<std::vector<std::string>> known_commits(const ProjectRow& project,
                                                 const std::vector<std::string>& commits);
  // A bundle with a work tree's commit. Conflict when too many wait for their end or their time.
  Result<void> take_work_tree(const ProjectRow& project, const std::filesystem::path& bundle,
                              const std::string& sha);
  // A pipeline of a commit that is known or was taken: as of its branch, but with the trust of a
  // branch that is not protected, whatever it is called. InvalidInput as trigger().
  Result<PipelineId> run_work_tree(const ProjectRow& project, const WorkTree& tree);
  // `content`, or the project's own file, with the files of `file_ref` ("": the default branch).
  // With `simulated` the pipeline of that event is planned. A `user` must be able to read what is
  // included.
  LintReport lint(const ProjectRow& project, const std::optional<std::string>& content,
                  const std::string& file_ref, const std::optional<SimulatedEvent>& simulated,
                  UserId user = {});
  // The pipeline file at a branch or tag ("": the default branch), as far as the mirror knows it.
  [[nodiscard]] Result<FileAtCommit> pipeline_file(const ProjectRow& project,
                                                   const std::string& ref) const;

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
  // Why nothing is to be made of a push that was found, or told, already; "" when it is.
  std::string found_before(const PushEvent& push, const DeliveryRow& delivery,
                           const ProjectRow& project);
  Result<void> process_merge_request(const MergeRequestEvent& event, const DeliveryRow& delivery,
                                     const ProjectRow& project);
  // Forks (forks.cpp).
  Result<void> process_fork(const MergeRequestEvent& event, const DeliveryRow& delivery,
                            const ProjectRow& project);
  Result<std::optional<std::string>> approved_commit(const MergeRequestEvent& event,
                                                     const DeliveryRow& delivery,
                                                     const ProjectRow& project);
  Result<std::string> fetch_fork(const MergeRequestEvent& event, const ProjectRow& project);
  Result<ForkRequestRow> note_fork_request(const ForkRequestRow& fresh, bool trusted,
                                           const std::string& waits);
  Result<void> close_fork_request(const MergeRequestEvent& event, const DeliveryRow& delivery,
                                  const ProjectRow& project);
  // All but the commit, and the ref of a fork.
  static PlanRequest merge_request_plan(const MergeRequestEvent& event, const ProjectRow& project);
  // As make_or_settle, unless the commit has a pipeline already.
  Result<void> make_once(const MergeRequestEvent& event, const PlanRequest& request,
                         const DeliveryRow& delivery);
  // Whether this commit of the merge request has one, for the same target.
  bool has_pipeline(const MergeRequestEvent& event, const PlanRequest& request);
  // Plans and makes what the delivery asks for; without a pipeline the delivery says why.
  Result<void> make_or_settle(const PlanRequest& request, const DeliveryRow& delivery);
  void settle(DeliveryId id, const std::string& verdict, const std::string& reason);
  // The git host hears that this commit has no pipeline by its file's rules, so that a check that
  // is required does not wait for ever.
  void tell_skipped(const PlanRequest& request, const pipeline::Reason& reason);
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
