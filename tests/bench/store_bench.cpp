// How the store's questions grow with what is in it: lists, a pipeline with its jobs, and a job's
// way through the coordinator, first with 1,000 pipelines of ten jobs and then with 100,000.
//
//   store_bench DIRECTORY|POSTGRESQL-URL [pipelines]     prints a line for each question
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>

#include "base/clock.h"
#include "base/crypto.h"
#include "pipeline/plan.h"
#include "server/coordinator/coordinator.h"
#include "server/store/session.h"

using namespace slipway;
using namespace slipway::server;

namespace {

constexpr int kRounds = 200;
constexpr long long kFew = 1000;
// Every job's commit, as the runner protocol makes it.
constexpr int kDispatchRounds = 100;

double now_ms() {
  const auto passed = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(passed).count();
}

struct Times {
  double median = 0;
  double p99 = 0;
};

Times measure(int rounds, const std::function<void()>& act) {
  std::vector<double> took;
  for (int i = 0; i < rounds; ++i) {
    const double start = now_ms();
    act();
    took.push_back(now_ms() - start);
  }
  std::sort(took.begin(), took.end());
  return {took[took.size() / 2], took[took.size() * 99 / 100]};
}

class Bench {
 public:
  explicit Bench(const DatabasePlace& place) : database_(std::move(Database::open(place).value())) {
    database_->begin();
    ProjectRow row;
    row.path = "bench/store";
    project_ = database_->writer().projects.insert(row);
    plan_ = database_->writer().jobs.insert_plan("{}");
    RunnerRow runner;
    runner.token_hash = token_hash("glrt-bench");
    runner_ = database_->writer().runners.insert(runner);
    database_->commit();
  }

  // Up to `pipelines` that have ended, with ten jobs each; 50 branches, 1 in 10 failed.
  void fill(long long pipelines) {
    Session& session = database_->writer_session();
    // The jobs that went their way have made pipelines, too.
    filled_ = select_value<long long>(session, "SELECT ifnull(MAX(iid), 0) FROM pipelines");
    database_->begin();
    execute(session, R"sql(
INSERT INTO pipelines (iid, project_id, status, reason_code, reason_text, source, ref, tag, ref_protected,
  sha, before_sha, name, commit_title, commit_message, author_name, author_email, cancel_on_failure,
  created_at, updated_at, finished_at)
WITH RECURSIVE n (i) AS (SELECT ?1 + 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)
SELECT i + 1, ?3, CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'success' END, '', '', 'push',
  'branch-' || (i % 50), 0, 0, 'c0ffee' || i, '', '', 'Change ' || i, 'Change ' || i, 'Ann',
  'ann@example.com', 0, i, i, i FROM n)sql",
            filled_, pipelines, project_);
    execute(session, R"sql(
INSERT INTO jobs (pipeline_id, project_id, plan_id, name, stage, stage_index, status, reason_code, reason_text,
  attempt, dispatches, retried, allow_failure, "when", tags, environment, rule_file, rule_line, ref_protected,
  interruptible, coverage_regex, token_hash, created_at, finished_at, trace_size, trace_checksum, failure_reason)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
SELECT p.id, p.project_id, ?1, 'job ' || i, 'stage ' || (i % 3), i % 3, 'success', '', '', 1, 1, 0, 0,
  'on_success', '[]', '', '', 0, 0, 0, '', '', p.created_at, p.created_at, 100, '', ''
  FROM pipelines AS p, n WHERE p.iid > ?2)sql",
            plan_, filled_);
    execute(session, "UPDATE projects SET last_iid = ? WHERE id = ?", pipelines, project_);
    database_->commit();
    database_->checkpoint_when_large();
    filled_ = pipelines;
  }
  // What PostgreSQL does by itself within a minute.
  void analyze() { database_->writer_session().run("VACUUM ANALYZE"); }

  std::vector<std::pair<std::string, Times>> ask() {
    const auto read = [&](const std::string& name, const std::function<void(Stores&)>& act) {
      auto stores = database_->read();
      act(*stores);  // prepares the statement
      return std::pair{name, measure(kRounds, [&] { act(*stores); })};
    };
    const PipelineId middle{filled_ / 2 + 1};
    PipelineFilter of_branch;
    of_branch.ref = "branch-7";
    std::vector<std::pair<std::string, Times>> answers{
        read("pipelines, first page", [&](Stores& s) { (void)s.pipelines.list(project_, {}, {}); }),
        read("pipelines of a branch",
             [&](Stores& s) { (void)s.pipelines.list(project_, of_branch, {}); }),
        read("jobs, first page", [&](Stores& s) { (void)s.jobs.list(project_, {}, {}); }),
        read("a pipeline and its jobs",
             [&](Stores& s) {
               (void)s.pipelines.find(middle);
               (void)s.pipelines.details(middle);
               (void)s.jobs.of_pipeline(middle);
             }),
        read("projects, first page", [&](Stores& s) { (void)s.projects.list("", "", {}); }),
        read("start: what is alive", [&](Stores& s) { (void)s.pipelines.unfinished(); }),
    };
    answers.emplace_back("a job's way: create, assign, acknowledge, finish", dispatch());
    return answers;
  }

 private:
  Times dispatch() {
    const SystemClock clock;
    Coordinator coordinator{*database_, clock};
    coordinator.start();
    pipeline::PlannedJob job;
    job.job.name = "noop";
    job.job.stage = "test";
    job.job.script = {"true"};
    auto plan = std::make_shared<pipeline::Plan>();
    plan->stages = {"test"};
    plan->jobs = {job};
    const auto times = measure(kDispatchRounds, [&] {
      NewPipeline made;
      made.row.project_id = project_;
      made.row.ref = "dispatch";
      made.plan = plan;
      const auto id = wait_for<PipelineId>(
          [&](auto done) { coordinator.create_pipeline(std::move(made), std::move(done)); });
      const auto jobs = database_->read()->jobs.of_pipeline(id.value());
      const auto given = wait_for<Assignment>(
          [&](auto done) { coordinator.assign(jobs.at(0).id, runner_, std::move(done)); });
      const auto who = coordinator.find_job(given.value().token);
      (void)wait_for<std::string>(
          [&](auto done) { coordinator.acknowledge(*who, std::move(done)); });
      (void)wait_for<std::string>(
          [&](auto done) { coordinator.finish_job(*who, {}, std::move(done)); });
    });
    coordinator.stop();
    return times;
  }

  std::unique_ptr<Database> database_;
  ProjectId project_;
  PlanId plan_;
  RunnerId runner_;
  long long filled_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: store_bench DIRECTORY|POSTGRESQL-URL [pipelines]\n");
    return 2;
  }
  const std::string where = argv[1];
  const long long many = argc > 2 ? std::atoll(argv[2]) : 100'000;
  const bool is_url = where.find("://") != std::string::npos;
  Bench bench{is_url ? DatabasePlace{{}, where, ""}
                     : DatabasePlace::at_file(std::filesystem::path{where} / "slipway.db")};
  bench.fill(kFew);
  if (is_url) bench.analyze();
  const auto few = bench.ask();
  const double start = now_ms();
  bench.fill(many);
  if (is_url) bench.analyze();
  std::printf("%lld pipelines of ten jobs, made in %.0f s\n", many, (now_ms() - start) / 1000);
  const auto most = bench.ask();
  for (std::size_t i = 0; i < few.size(); ++i)
    std::printf("%-50s %8.2f ms (p99 %.2f) beside %.2f ms (p99 %.2f) at %lld: %.1f times\n",
                most[i].first.c_str(), most[i].second.median, most[i].second.p99,
                few[i].second.median, few[i].second.p99, kFew,
                most[i].second.median / few[i].second.median);
  return 0;
}
