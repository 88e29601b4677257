// A coordinator over a real database, without its thread: each call of settle() does the rounds.
#pragma once

#include "base/clock.h"
#include "base/crypto.h"
#include "pipeline/plan.h"
#include "server/coordinator/coordinator.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

#include <map>

namespace slipway::server::test {

struct Observed final : CommitObserver {
  void committed(const Changes& changes) noexcept override {
    reloads += changes.reloaded ? 1 : 0;
    for (const QueueChange& change : changes.queue) queue[change.id] = change.state;
    bridges.insert(bridges.end(), changes.bridges.begin(), changes.bridges.end());
    for (const JobChange& change : changes.jobs) statuses.push_back(change.after);
  }
  int reloads = 0;
  std::map<JobId, QueueState> queue;
  std::vector<std::string> statuses;
  std::vector<JobId> bridges;  // trigger jobs that were told of, each time
};

struct CoordinatorFixture : StoreFixture {
  FakeClock clock;
  std::unique_ptr<Observed> observed = std::make_unique<Observed>();
  std::unique_ptr<Coordinator> coordinator = make();
  ProjectId project_id = project();

  std::unique_ptr<Coordinator> make() {
    auto made = std::make_unique<Coordinator>(*database, clock);
    made->observe(*observed);
    return made;
  }
  // As after kill -9: only what was committed is left.
  void crash() {
    coordinator.reset();
    reopen();
    observed = std::make_unique<Observed>();
    coordinator = make();
    settle();
  }
  void settle() {
    while (coordinator->run_waiting() > 0) {
    }
  }

  // Calls a member that takes a completion and does the rounds until it is answered.
  template <typename T, typename F>
  Result<T> ask(F&& call) {
    std::optional<Result<T>> answer;
    call([&](Result<T> result) { answer.emplace(std::move(result)); });
    settle();
    REQUIRE(answer.has_value());
    return std::move(*answer);
  }

  static pipeline::PlannedJob planned(const std::string& name, const std::string& stage,
                                      int stage_index) {
    pipeline::PlannedJob job;
    job.job.name = job.job.base_name = name;
    job.job.stage = stage;
    job.job.stage_index = stage_index;
    job.job.script = {"true"};
    return job;
  }
  // build → test.
  static pipeline::Plan two_stages() {
    pipeline::Plan plan;
    plan.stages = {"build", "test"};
    plan.jobs = {planned("compile", "build", 1), planned("unit", "test", 2)};
    return plan;
  }
  NewPipeline new_pipeline(pipeline::Plan plan = two_stages()) const {
    NewPipeline made;
    made.row.project_id = project_id;
    made.row.source = "push";
    made.row.ref = "main";
    made.row.sha = "0123456789abcdef";
    made.plan = std::make_shared<const pipeline::Plan>(std::move(plan));
    return made;
  }
  PipelineId create(pipeline::Plan plan = two_stages()) {
    auto made = ask<PipelineId>([&](auto done) {
      coordinator->create_pipeline(new_pipeline(std::move(plan)), std::move(done));
    });
    REQUIRE(made);
    return *made;
  }
  RunnerId runner(std::vector<std::string> tags = {}) {
    RunnerRow row;
    row.token_hash = token_hash("glrt-" + std::to_string(++runners_));
    row.tags = std::move(tags);
    auto made = ask<RunnerId>([&](auto done) { coordinator->create_runner(row, std::move(done)); });
    REQUIRE(made);
    return *made;
  }
  Assignment assign(JobId job, RunnerId to) {
    auto made = ask<Assignment>([&](auto done) { coordinator->assign(job, to, std::move(done)); });
    REQUIRE(made);
    return std::move(*made);
  }
  JobCredential credential(const std::string& token) {
    auto found = coordinator->find_job(token);
    REQUIRE(found);
    return *found;
  }
  Result<std::string> acknowledge(const std::string& token) {
    return ask<std::string>(
        [&](auto done) { coordinator->acknowledge(credential(token), std::move(done)); });
  }
  Result<std::string> finish(const JobCredential& who, FinishedJob result = {}) {
    return ask<std::string>(
        [&](auto done) { coordinator->finish_job(who, result, std::move(done)); });
  }
  void tick(std::chrono::milliseconds by) {
    clock.tick(by);
    coordinator->tick();
    settle();
  }

  JobRow job(PipelineId pipeline, const std::string& name) {
    std::optional<JobRow> found;
    for (JobRow& row : database->read()->jobs.of_pipeline(pipeline))
      if (row.name == name && !row.retried) found = row;
    REQUIRE(found);
    return *found;
  }
  PipelineRow row_of(PipelineId id) { return *database->read()->pipelines.find(id); }

 private:
  int runners_ = 0;
};

}  // namespace slipway::server::test
