// The finer points of the life cycle: composites against a second reading of GitLab's rules, the
// reasons that are given, retries by exit code, delays, and transitions that a store can replay.

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include "pipeline/lifecycle.h"
#include "tests/pipeline/composite_reading.h"
#include "tests/pipeline/job_nodes.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline;
using slipway::pipeline::test::node;
using slipway::pipeline::test::second_reading;
using slipway::pipeline::test::Words;

namespace {

JobNode& newest(PipelineState& state, std::string_view name) {
  JobNode* found = nullptr;
  for (JobNode& job : state.jobs)
    if (job.name == name && !job.retried) found = &job;
  REQUIRE(found != nullptr);
  return *found;
}

// Applies, and gives new tries ids that nothing else has.
std::vector<Transition> happens(PipelineState& state, EventKind kind, std::string_view name = {},
                                std::optional<int> exit_code = std::nullopt,
                                const char* failure = "script_failure") {
  const std::int64_t id = name.empty() ? 0 : newest(state, name).id;
  auto done = apply(state, {kind, id, failure, exit_code, {}});
  REQUIRE(done);
  for (const Transition& change : *done)
    if (change.job < 0)
      renumber(state, change.job, 1000 + static_cast<std::int64_t>(state.jobs.size()));
  return *done;
}

void run(PipelineState& state, std::string_view name, EventKind end,
         std::optional<int> exit_code = std::nullopt) {
  happens(state, EventKind::Start, name);
  happens(state, end, name, exit_code);
}

std::string reason(PipelineState& state, std::string_view name) {
  return newest(state, name).reason.text;
}

// Every kind of member: each status, a failure that is allowed, a manual job that is optional.
std::vector<std::pair<std::string, JobNode>> members() {
  std::vector<std::pair<std::string, JobNode>> all;
  for (const Status status : all_statuses()) {
    all.emplace_back(to_string(status), node(1, "job", 0));
    all.back().second.status = status;
  }
  for (const Status status : {Status::Failed, Status::Canceled}) {
    all.emplace_back("warning", node(1, "job", 0));
    all.back().second.status = status;
    all.back().second.allow_failure.always = true;
  }
  all.emplace_back("warning", node(1, "job", 0));
  all.back().second.status = Status::Failed;
  all.back().second.failure_allowed = true;
  all.emplace_back("ignored", node(1, "job", 0));
  all.back().second.status = Status::Manual;
  all.back().second.allow_failure.always = true;
  return all;
}

}  // namespace

TEST_CASE("composites of up to four jobs are what GitLab's rules say", "[lifecycle]") {
  const auto all = members();
  const auto check = [&](const std::vector<std::size_t>& picks) {
    Words words;
    std::vector<const JobNode*> jobs;
    for (const std::size_t pick : picks) {
      words.insert(all[pick].first);
      jobs.push_back(&all[pick].second);
    }
    for (const bool dag : {false, true}) {
      const auto composite = composite_status(jobs, dag ? Question::Dag : Question::Stage);
      if (to_string(composite.status) == second_reading(words, dag) &&
          composite.warnings == (words.count("warning") != 0))
        continue;
      std::string text;
      for (const std::string& word : words) text += word + " ";
      FAIL_CHECK(text << (dag ? "(dag)" : "") << " is " << to_string(composite.status) << ", not "
                      << second_reading(words, dag));
    }
  };
  check({});
  const std::size_t count = all.size();
  for (std::size_t a = 0; a < count; ++a)
    for (std::size_t b = a; b < count; ++b)
      for (std::size_t c = b; c < count; ++c)
        for (std::size_t d = c; d < count; ++d) check({a, b, c, d});
  SUCCEED();
}

TEST_CASE("older tries do not count", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "a", 0), node(2, "a", 0)};
  state.jobs[0].status = Status::Failed;
  state.jobs[0].retried = true;
  state.jobs[1].status = Status::Success;
  CHECK(pipeline_status(state).status == Status::Success);
  CHECK(stage_status(state, 0).status == Status::Success);
  CHECK(stage_status(state, 1).status == Status::Created);
}

TEST_CASE("a job that runs on failure does not run for failures that are allowed", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "lint", 0), node(2, "alarm", 1, When::OnFailure)};
  state.jobs[0].allow_failure.always = true;
  happens(state, EventKind::Begin);
  run(state, "lint", EventKind::Fail, 1);
  CHECK(newest(state, "alarm").status == Status::Skipped);
  CHECK(reason(state, "alarm") ==
        "Was not run because it runs only after a failure, and nothing failed.");
  CHECK(pipeline_reason(state).text == "Ended well, though jobs that may fail did: lint.");
}

TEST_CASE("a retry by exit code or by reason, whichever covers it", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "flaky", 0)};
  state.jobs[0].retry = {1, {"runner_system_failure"}, {137}};
  happens(state, EventKind::Begin);
  happens(state, EventKind::Start, "flaky");
  SECTION("the code") {
    happens(state, EventKind::Fail, "flaky", 137);
    CHECK(newest(state, "flaky").status == Status::Pending);
  }
  SECTION("the reason") {
    happens(state, EventKind::Fail, "flaky", std::nullopt, "runner_system_failure");
    CHECK(newest(state, "flaky").status == Status::Pending);
  }
  SECTION("neither") {
    happens(state, EventKind::Fail, "flaky", 1);
    CHECK(newest(state, "flaky").status == Status::Failed);
    CHECK(reason(state, "flaky") == "Its script failed with exit code 1.");
  }
}

TEST_CASE("a retry that follows by itself leaves the next stage waiting", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "flaky", 0), node(2, "next", 1)};
  state.jobs[0].retry.max = 1;
  happens(state, EventKind::Begin);
  run(state, "flaky", EventKind::Fail, 1);
  CHECK(newest(state, "next").status == Status::Created);
  CHECK(state.status == Status::Pending);
  run(state, "flaky", EventKind::Succeed);
  CHECK(newest(state, "next").status == Status::Pending);
}

TEST_CASE("a delayed job waits, starts by itself or by hand", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "later", 0, When::Delayed), node(2, "next", 1)};
  state.jobs[0].start_in = std::chrono::seconds{90};
  happens(state, EventKind::Begin);
  CHECK(newest(state, "later").status == Status::Scheduled);
  CHECK(reason(state, "later") == "Starts by itself after a delay of 90 s.");
  CHECK(state.status == Status::Scheduled);
  CHECK(newest(state, "next").status == Status::Created);
  const auto kind = GENERATE(EventKind::ElapseDelay, EventKind::Play);
  happens(state, kind, "later");
  CHECK(newest(state, "later").status == Status::Pending);
}

TEST_CASE("retrying a pipeline tries what failed or was canceled, and revives the rest",
          "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "good", 0), node(2, "bad", 0), node(3, "next", 1), node(4, "last", 2)};
  happens(state, EventKind::Begin);
  run(state, "good", EventKind::Succeed);
  run(state, "bad", EventKind::Fail, 1);
  CHECK(state.status == Status::Failed);
  happens(state, EventKind::RetryPipeline);
  CHECK(newest(state, "good").id == 1);
  CHECK(newest(state, "bad").attempt == 2);
  CHECK(newest(state, "bad").status == Status::Pending);
  CHECK(newest(state, "next").status == Status::Created);
  for (const auto* name : {"bad", "next", "last"}) run(state, name, EventKind::Succeed);
  CHECK(state.status == Status::Success);
  CHECK_FALSE(apply(state, {EventKind::RetryPipeline, 0, "", std::nullopt, {}}));
}

TEST_CASE("an old try cannot be retried again", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "a", 0)};
  happens(state, EventKind::Begin);
  run(state, "a", EventKind::Fail, 1);
  happens(state, EventKind::RetryJob, "a");
  const auto again = apply(state, {EventKind::RetryJob, 1, "", std::nullopt, {}});
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::Conflict);
  CHECK(state.jobs.size() == 2);
}

TEST_CASE("every state that is not the end says what it waits for", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "build", 0), node(2, "fast", 1), node(3, "test", 1),
                node(4, "gate", 2, When::Manual)};
  state.jobs[1].dag = true;
  state.jobs[1].needs = {"build"};
  happens(state, EventKind::Begin);
  CHECK(reason(state, "build") == "Waits for a runner to become free.");
  CHECK(reason(state, "fast") == "Waits for the jobs that it needs: build.");
  CHECK(reason(state, "test") == "Waits for the earlier stages to end.");
  happens(state, EventKind::Requeue, "build");
  CHECK(newest(state, "build").reason.code == ReasonCode::AckTimeout);
  happens(state, EventKind::Start, "build");
  CHECK(reason(state, "build") == "Is running.");
  happens(state, EventKind::CancelJob, "build");
  CHECK(reason(state, "build") == "Was canceled by a user.");
  happens(state, EventKind::ForceCancel, "build");
  CHECK(reason(state, "build") == "Was canceled by a user.");
  CHECK(reason(state, "test") == "Was not run because an earlier stage was canceled: build.");
  CHECK(reason(state, "fast") == "Was not run because a job that it needs did not succeed: build.");
  happens(state, EventKind::RetryJob, "build");
  run(state, "build", EventKind::Succeed);
  run(state, "test", EventKind::Succeed);
  run(state, "fast", EventKind::Succeed);
  CHECK(reason(state, "gate") == "Waits for somebody to start it.");
  CHECK(pipeline_reason(state).code == ReasonCode::Manual);
}

TEST_CASE("who cancels is said, and where no runner is involved at once", "[lifecycle]") {
  PipelineState state;
  state.jobs = {node(1, "a", 0), node(2, "b", 1)};
  happens(state, EventKind::Begin);
  REQUIRE(apply(state, {EventKind::CancelPipeline, 0, "", std::nullopt,
                        make_reason(ReasonCode::CanceledByNewPipeline, "0a1b2c3d, pipeline #7")}));
  CHECK(newest(state, "a").reason.code == ReasonCode::CanceledByNewPipeline);
  CHECK(newest(state, "b").reason.code == ReasonCode::CanceledByNewPipeline);
  CHECK(state.status == Status::Canceled);
}

TEST_CASE("the words of many failed jobs are cut short", "[lifecycle]") {
  PipelineState state;
  for (int i = 1; i <= 5; ++i) state.jobs.push_back(node(i, "job" + std::to_string(i), 0));
  happens(state, EventKind::Begin);
  for (int i = 1; i <= 5; ++i) run(state, "job" + std::to_string(i), EventKind::Fail, 1);
  CHECK(pipeline_reason(state).text == "A job failed: job1, job2, job3 and 2 more.");
}

TEST_CASE("transitions, replayed, give the state that they came from", "[lifecycle]") {
  constexpr std::array kWhens{When::OnSuccess, When::OnFailure, When::Always, When::Manual,
                              When::Delayed};
  std::mt19937 random{7};
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
  };
  for (int round = 0; round < 400; ++round) {
    PipelineState state;
    const std::size_t count = 2 + below(6);
    for (std::size_t i = 0; i < count; ++i) {
      state.jobs.push_back(node(static_cast<std::int64_t>(i) + 1, "job" + std::to_string(i),
                                static_cast<int>(i / 2), kWhens.at(below(kWhens.size()))));
      JobNode& job = state.jobs.back();
      job.allow_failure.always = below(3) == 0;
      job.allow_failure.exit_codes = {2};
      job.retry.max = static_cast<int>(below(3));
      job.dag = below(3) == 0;
      if (job.dag && i > 0) job.needs = {"job" + std::to_string(below(i))};
    }
    std::int64_t next_id = 100;
    std::map<std::int64_t, std::pair<Status, Reason>> stored;
    for (const JobNode& job : state.jobs) stored[job.id] = {job.status, job.reason};
    for (int step = 0; step < 40; ++step) {
      const auto kinds = all_event_kinds();
      const EventKind kind = step == 0 ? EventKind::Begin : kinds[below(kinds.size())];
      const Event event{kind,
                        state.jobs[below(state.jobs.size())].id,
                        "script_failure",
                        static_cast<int>(below(3)),
                        {}};
      const auto done = apply(state, event);
      if (!done) continue;
      std::map<std::int64_t, std::int64_t> given;
      for (const Transition& change : *done) {
        if (change.retry_of != 0 && given.try_emplace(change.job, next_id).second) {
          renumber(state, change.job, next_id);
          REQUIRE(stored.count(change.retry_of) == 1);
          stored[next_id++] = {change.from, {}};
        }
        const std::int64_t id = change.job < 0 ? given.at(change.job) : change.job;
        REQUIRE(stored.at(id).first == change.from);
        stored[id] = {change.to, change.reason};
      }
      REQUIRE(stored.size() == state.jobs.size());
      std::set<std::string> names;
      for (const JobNode& job : state.jobs) {
        CHECK(stored.at(job.id).first == job.status);
        CHECK(stored.at(job.id).second == job.reason);
        if (!job.retried) CHECK(names.insert(job.name).second);
      }
      CHECK(names.size() == count);
    }
  }
}
