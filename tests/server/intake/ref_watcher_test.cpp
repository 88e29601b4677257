// Pushes that no webhook told of.
#include "server/intake/ref_watcher.h"

#include <optional>

#include "server/intake/found_push.h"
#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

using nlohmann::json;

const std::string kFile = "compile:\n  script: make\n";
constexpr std::chrono::hours kLongEnough{2};

struct Fixture : test::IntakeFixture {
  std::optional<RefWatcher> watcher;

  // Observers are told of by a coordinator that has not begun, so this one is made anew.
  Fixture() {
    commit(kFile);
    // Of another test's making, at an address that nobody should ask.
    REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      write.stores.projects.remove(project_id);
      return true;
    }));
    restart();
  }
  // Whoever observes a coordinator outlives its thread.
  ~Fixture() {
    intake.reset();
    coordinator->stop();
  }
  void restart() {
    intake.reset();
    coordinator->stop();
    watcher.reset();
    coordinator.reset();
    coordinator = make();
    intake = make_intake(mirrors, planner);
    watcher.emplace(*coordinator, *database, mirrors, *intake, clock);
    coordinator->start();
    intake->start();
  }
  int look_later() {
    clock.tick(kLongEnough);
    return watcher->look();
  }
  WatchRow watch() { return database->read()->watches.find(hooked.id).value(); }
  std::vector<PipelineRow> pipelines() {
    return database->read()->pipelines.list(hooked.id, {}, {}).rows;
  }
  DeliveryRow only_delivery() {
    const auto rows = deliveries();
    REQUIRE(rows.size() == 1);
    return settled(rows[0].id);
  }
  ReceivedHook webhook(const std::string& sha, const std::string& key) {
    json payload = test::github_push(sha);
    payload["before"] = std::string(40, '0');
    const auto received = receive(test::github_call(payload.dump(), kSecret, key));
    REQUIRE(received);
    return *received;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the first look notes what is there, later ones find what is new",
                 "[intake][watch]") {
  CHECK(watcher->look() == 0);
  CHECK(watch().compared_at == clock.now());
  CHECK(watch().due_at > clock.now());
  CHECK(pipelines().empty());

  const std::string before = remote.head();
  const std::string sha = commit(kFile, "Louder");
  CHECK(watcher->look() == 0);  // not due
  CHECK(look_later() == 1);
  const DeliveryRow found = only_delivery();
  CHECK(found.verdict == "done");
  CHECK(is_found(found));
  CHECK(json::parse(found.headers)["found_by"] == "reconciler");
  const PipelineRow made = pipeline_of(found);
  CHECK(made.sha == sha);
  CHECK(made.before_sha == before);
  CHECK(made.source == "push");
  CHECK(watch().found == 1);

  CHECK(look_later() == 0);
  CHECK(pipelines().size() == 1);
}

TEST_CASE_METHOD(Fixture, "what an outage missed is found at the start, and each commit once",
                 "[intake][watch]") {
  watcher->look();
  remote.git({"checkout", "--quiet", "-b", "topic"});
  const std::string topic = commit(kFile, "On a branch");
  remote.git({"tag", "-a", "v1", "-m", "One"});
  restart();
  CHECK(watcher->look() == 2);  // long before the next hour
  for (const DeliveryRow& row : deliveries()) CHECK(settled(row.id).verdict == "done");
  const auto made = pipelines();
  REQUIRE(made.size() == 2);
  for (const PipelineRow& row : made) CHECK(row.sha == topic);
  CHECK(made[0].tag != made[1].tag);
  restart();
  CHECK(watcher->look() == 0);
}

TEST_CASE_METHOD(Fixture, "a push that a webhook told of is not found, before or afterwards",
                 "[intake][watch]") {
  watcher->look();
  const std::string first = commit(kFile, "One");
  settled(webhook(first, "1").delivery);
  CHECK(look_later() == 0);

  const std::string second = commit(kFile, "Two");
  CHECK(look_later() == 1);
  while (pipelines().size() < 2) std::this_thread::yield();
  const DeliveryRow late = settled(webhook(second, "2").delivery);
  CHECK(late.verdict == "ignored");
  CHECK(late.reason == "this push was found before the call came: pipeline 2");
  CHECK(pipelines().size() == 2);
}

TEST_CASE_METHOD(Fixture, "a deleted branch that comes back is new", "[intake][watch]") {
  remote.git({"branch", "topic"});
  watcher->look();
  const EnvironmentId review = environment_of("topic", false);
  const EnvironmentId tagged = environment_of("topic", true);
  remote.git({"branch", "-D", "topic"});
  CHECK(look_later() == 0);
  // As when a webhook had told of it.
  CHECK(state_of(review) == "stopped");
  CHECK(state_of(tagged) == "available");
  CHECK(database->read()->watches.refs(hooked.id).size() == 1);
  commit(kFile, "Other");
  remote.git({"branch", "topic"});
  CHECK(look_later() == 2);
}

TEST_CASE_METHOD(Fixture, "a project is looked at as often as it wants", "[intake][watch]") {
  watcher->look();
  hooked.poll_interval = 60;
  REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.projects.update(hooked);
    return true;
  }));
  commit(kFile, "Louder");
  // At once: the old time was the hour's.
  CHECK(watcher->look() == 1);
  const DeliveryRow found = only_delivery();
  CHECK(json::parse(found.headers)["found_by"] == "poll");
  const UnixMillis pause = watch().due_at - clock.now();
  CHECK(pause >= 60'000);
  CHECK(pause <= 66'000);
}

TEST_CASE_METHOD(Fixture, "a host that fails is asked less and less, and the page can say why",
                 "[intake][watch]") {
  hooked.poll_interval = 60;
  hooked.repository_url = (directory / "nowhere").string();
  REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.projects.update(hooked);
    return true;
  }));
  UnixMillis last = 0;
  for (int failures = 1; failures <= 12; ++failures) {
    CHECK(watcher->look() == 0);
    CHECK(watch().failures == failures);
    CHECK_FALSE(watch().error.empty());
    const UnixMillis pause = watch().due_at - clock.now();
    CHECK(pause >= std::min<UnixMillis>(last, 6 * 3'600'000));
    CHECK(pause <= 7 * 3'600'000);
    last = pause;
    CHECK(watcher->look() == 0);
    CHECK(watch().failures == failures);  // not asked before it is due
    clock.tick(std::chrono::milliseconds{pause});
  }
  hooked.repository_url = remote.url();
  REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.projects.update(hooked);
    return true;
  }));
  CHECK(watcher->look() == 0);
  CHECK(watch().failures == 0);
  CHECK(watch().error.empty());
}

TEST_CASE_METHOD(Fixture, "no webhook passes for a push that was found", "[intake][watch]") {
  const auto refused = receive(test::github_call(test::github_push(remote.head()).dump(), kSecret,
                                                 found_key("refs/heads/main", remote.head())));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "a delivery's id may not begin with found-");
}

TEST_CASE_METHOD(Fixture, "push options skip a pipeline, or give it variables", "[intake]") {
  json payload = test::github_push(remote.head());
  payload["before"] = std::string(40, '0');
  payload["push_options"] = {"ci.skip", "ci.variable=LEVEL=all", "other"};
  const auto skipped = receive(test::github_call(payload.dump(), kSecret, "1"));
  REQUIRE(skipped);
  CHECK(pipeline_of(settled(skipped->delivery)).status == "skipped");

  commit("asked: {script: x, rules: [{if: $LEVEL == 'all'}]}\n");
  json gitlab = test::gitlab_push(remote.head());
  gitlab["before"] = std::string(40, '0');
  gitlab["push_options"] = {{"ci", {{"variable", {{"LEVEL=all", 1}, {"BAD NAME=x", 1}}}}}};
  const auto given = receive(test::gitlab_call(gitlab.dump(), kSecret, "2"));
  REQUIRE(given);
  const PipelineRow made = pipeline_of(settled(given->delivery));
  CHECK(job(made.id, "asked").status == "pending");
  CHECK(database->read()->pipelines.variables(made.id).find("BAD") == std::string::npos);
}

}  // namespace slipway::server
