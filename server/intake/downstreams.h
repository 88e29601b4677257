// Makes the pipelines that trigger jobs ask for: child pipelines of the same commit, and pipelines
// of other projects of this server.
//
// Hears of waiting trigger jobs by the coordinator's commits, plans on its own threads, and gives
// the pipeline, or the reason why there is none, to the coordinator, which moves the job in the
// same transaction. So a server that dies in between finds the job waiting again, and no job
// triggers twice. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "pipeline/downstream.h"
#include "server/blobs/blob_store.h"
#include "server/coordinator/coordinator.h"
#include "server/git/mirror.h"
#include "server/intake/job_payload.h"
#include "server/intake/planner.h"

namespace slipway::server {

// Source: GitLab's limits of downstream pipelines.
constexpr int kDeepestChild = 2;
constexpr long long kLargestHierarchy = 1000;

class Downstreams final : public CommitObserver {
 public:
  // What is referred to must outlive it; it observes `coordinator`.
  Downstreams(Coordinator& coordinator, Database& database, Mirrors& mirrors, Planner& planner,
              const JobPayload& payload, const BlobStore& blobs, const Clock& clock);
  ~Downstreams() override;
  Downstreams(const Downstreams&) = delete;
  Downstreams& operator=(const Downstreams&) = delete;

  void start();
  // Waits for what is being worked on; the rest waits for the next start.
  void stop();

  void committed(const Changes& changes) noexcept override;

 private:
  // Why there is no pipeline: one of GitLab's words, and a sentence.
  struct Refusal {
    std::string failure_reason;
    std::string text;
  };
  struct Bridge {
    JobRow job;
    PipelineRow pipeline;
    ProjectRow project;
    pipeline::DownstreamRequest wanted;
  };

  // An error is none of the bridge's: the coordinator could not write, and is asked again.
  using Outcome = Result<std::optional<Refusal>>;
  static Outcome refused(std::string failure_reason, std::string text);

  void work();
  // False when it is to be tried again.
  bool trigger(JobId job);
  bool refuse(JobId job, const Refusal& refusal);
  Result<std::optional<Bridge>> load(JobId job);
  Outcome outcome_of(JobId job);
  Outcome follow(const Bridge& bridge);
  Outcome trigger_child(const Bridge& bridge);
  Outcome trigger_project(const Bridge& bridge);
  Outcome make(const Bridge& bridge, PlanRequest request);
  std::optional<Refusal> check_family(const Bridge& bridge);
  Result<std::string> artifact_file(const Bridge& bridge, const pipeline::ArtifactFile& file);
  // May the pipeline of `bridge` start, or look at, pipelines of `wanted`?
  enum class Reach : std::uint8_t { Follow, Trigger };
  // By the rights of who started the pipeline; nobody of this server: within the group.
  bool may_reach(const Bridge& bridge, const ProjectRow& wanted, Reach reach);
  bool is_seen(const Bridge& bridge, const ProjectRow& wanted);

  Coordinator& coordinator_;
  Database& database_;
  Mirrors& mirrors_;
  Planner& planner_;
  const JobPayload& payload_;
  const BlobStore& blobs_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<JobId> waiting_;
  std::set<JobId> known_;  // waiting or being worked on
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace slipway::server
