// From a push to the last status told, by a server that is killed before and after each of its
// commits and then started again. The world outside (git host, runner) outlives it: it keeps what
// it was told in a file, and says again what was not answered.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/files.h"
#include "server/outbox/outbox.h"
#include "tests/server/coordinator/coordinator_fixture.h"
#include "tests/support/killed.h"

using namespace slipway;
using namespace slipway::server;
using namespace std::chrono_literals;
using slipway::server::test::CoordinatorFixture;
using slipway::test::die;
using slipway::test::died_in;
using slipway::test::TestPlace;

namespace {

class World {
 public:
  explicit World(std::filesystem::path file) : file_(std::move(file)) {}

  void note(const std::string& kind, const std::string& what) const {
    const UniqueFd fd{::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    if (!write_all(fd.get(), kind + " " + what + "\n")) throw std::runtime_error{"cannot note"};
  }
  [[nodiscard]] std::vector<std::string> noted(const std::string& kind) const {
    std::vector<std::string> found;
    std::ifstream lines{file_};
    for (std::string line; std::getline(lines, line);)
      if (line.rfind(kind + " ", 0) == 0) found.push_back(line.substr(kind.size() + 1));
    return found;
  }
  [[nodiscard]] bool knows(const std::string& kind, const std::string& what) const {
    const auto all = noted(kind);
    return std::find(all.begin(), all.end(), what) != all.end();
  }

 private:
  std::filesystem::path file_;
};

// One life of the server, with the world at it.
class Life final : public OutboxTarget, public OutboxWriter {
 public:
  Life(const DatabasePlace& place, const World& world, int die_at)
      : world_(world), left_(die_at), database_(std::move(Database::open(place).value())) {
    database_->watch_commits([this] {
      if (left_-- == 0) die();
    });
    coordinator_ = std::make_unique<Coordinator>(*database_, clock_);
    outbox_ = std::make_unique<Outbox>(*database_, *this, clock_,
                                       std::map<std::string, OutboxTarget*>{{"", this}});
  }

  void live() {
    push();
    plan();
    while (work()) {
    }
    while (outbox_->run_due() > 0) {
    }
  }

 private:
  void settle() {
    while (coordinator_->run_waiting() > 0) {
    }
  }
  template <typename T, typename F>
  Result<T> ask(F&& call) {
    std::optional<Result<T>> answer;
    call([&](Result<T> result) { answer.emplace(std::move(result)); });
    settle();
    return answer.value();
  }

  void push() {
    if (world_.knows("accepted", "push")) return;
    DeliveryRow row;
    row.project_id = ProjectId{1};
    row.delivery_key = "push";
    row.verdict = "accepted";
    ask<StoredDelivery>([&](auto done) { coordinator_->store_delivery(row, done); }).value();
    world_.note("accepted", "push");
  }
  void plan() {
    for (const DeliveryRow& delivery : database_->read()->deliveries.waiting()) {
      NewPipeline made;
      made.row.project_id = delivery.project_id;
      made.row.source = "push";
      made.row.ref = "main";
      made.row.sha = "0123456789abcdef";
      made.plan = std::make_shared<const pipeline::Plan>(CoordinatorFixture::two_stages());
      made.delivery = delivery.id;
      ask<PipelineId>([&](auto done) { coordinator_->create_pipeline(made, done); }).value();
    }
  }
  // False when nothing is left to do.
  bool work() {
    for (const std::string& token : world_.noted("token"))
      if (!world_.knows("done", token)) return run(token);
    // Not number 1 for sure: PostgreSQL gives no number twice, also when it was not kept.
    const PipelineId pipeline =
        database_->read()->pipelines.list(ProjectId{1}, {}, {}).rows.at(0).id;
    for (const JobRow& row : database_->read()->jobs.of_pipeline(pipeline)) {
      if (row.status != "pending") continue;
      if (row.runner_id) {
        // Handed out, but the runner never heard of it.
        clock_.tick(31s);
        coordinator_->tick();
        settle();
        return true;
      }
      const auto taken =
          ask<Assignment>([&](auto done) { coordinator_->assign(row.id, RunnerId{1}, done); });
      world_.note("token", taken.value().token);
      return true;
    }
    return false;
  }
  bool run(const std::string& token) {
    const auto who = coordinator_->find_job(token);
    if (!who) {
      world_.note("done", token);
      return true;
    }
    ask<std::string>([&](auto done) { coordinator_->acknowledge(*who, done); }).value();
    if (!world_.knows("ran", token)) world_.note("ran", token);
    ask<std::string>([&](auto done) { coordinator_->finish_job(*who, {}, done); }).value();
    world_.note("done", token);
    return true;
  }

  Result<void> deliver(const EffectRow& effect) override {
    world_.note("told", std::to_string(effect.id.value));
    return {};
  }
  Result<void> delivered(EffectId id) override {
    auto done = ask<bool>([&](auto answered) {
      coordinator_->submit<bool>(
          [id](WriteTransaction& open) -> Result<bool> {
            open.stores.outbox.delivered(id);
            return true;
          },
          answered);
    });
    if (!done) return done.error();
    return {};
  }
  Result<void> postpone(EffectId, UnixMillis, const std::string& error) override {
    throw std::runtime_error{error};
  }
  Result<void> abandon(EffectId, const std::string& error) override {
    throw std::runtime_error{error};
  }

  const World& world_;
  int left_;
  FakeClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<Outbox> outbox_;
};

constexpr int kNever = -1;

void check_that_all_happened_once(const DatabasePlace& place, const World& world) {
  const auto database = std::move(Database::open(place).value());
  auto read = database->read();
  CHECK(read->deliveries.list(ProjectId{1}, {}).total == 1);
  CHECK(read->deliveries.waiting().empty());
  const auto pipelines = read->pipelines.list(ProjectId{1}, {}, {});
  REQUIRE(pipelines.total == 1);
  CHECK(pipelines.rows[0].status == "success");
  const auto jobs = read->jobs.of_pipeline(pipelines.rows[0].id);
  REQUIRE(jobs.size() == 2);
  for (const JobRow& job : jobs) CHECK(job.status == "success");
  CHECK(world.noted("ran").size() == 2);

  // All was told in its order; only what was being told when the server died is told again.
  CHECK(read->outbox.count_waiting() == 0);
  auto told = world.noted("told");
  std::vector<long long> order;
  for (const std::string& id : told) order.push_back(std::stoll(id));
  CHECK(std::is_sorted(order.begin(), order.end()));
  const std::set<long long> once{order.begin(), order.end()};
  CHECK(order.size() - once.size() <= 1);
  CHECK(once.size() >= 3);
}

}  // namespace

TEST_CASE("killed before or after any commit, nothing is lost and nothing happens twice",
          "[outbox][killed]") {
  std::set<std::size_t> effects;
  int points = 0;
  for (bool died = true; died; ++points) {
    CAPTURE(points);
    const slipway::test::TempDirectory directory;
    const TestPlace at{directory / "slipway.db"};
    const World world{directory / "world"};
    {
      auto database = std::move(Database::open(at.place()).value());
      database->begin();
      ProjectRow project;
      project.path = "a/b";
      project.forge = "github";
      database->writer().projects.insert(project);
      RunnerRow runner;
      runner.token_hash = "hash";
      database->writer().runners.insert(runner);
      database->commit();
    }

    died = died_in([&] { Life{at.place(), world, points}.live(); });
    REQUIRE_FALSE(died_in([&] { Life{at.place(), world, kNever}.live(); }));

    check_that_all_happened_once(at.place(), world);
    const auto told = world.noted("told");
    effects.insert(std::set<std::string>{told.begin(), told.end()}.size());
  }
  // As many effects however it died, and every commit was met.
  CHECK(effects.size() == 1);
  CHECK(points > 20);
}
