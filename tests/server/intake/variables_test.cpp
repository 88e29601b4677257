// Variables of the settings on their way: into the plan of a pipeline, into the payload of its
// jobs, and onto the record.

#include <future>

#include "server/intake/job_payload.h"
#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

constexpr const char* kFile =
    "deploy:\n"
    "  script: ./deploy\n"
    "  environment: production/eu\n"
    "  rules:\n"
    "    - if: $GATE == 'open'\n"
    "check:\n"
    "  script: ./check\n";

struct Fixture : test::IntakeFixture {
  JobPayload payload{*database,
                     vault,
                     *coordinator,
                     {{"https://ci.example", "", "1.0"}, std::chrono::seconds{3600}}};

  template <typename T, typename F>
  T wait(F ask) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto answer = promise->get_future();
    ask([promise](Result<T> result) { promise->set_value(std::move(result)); });
    auto result = answer.get();
    REQUIRE(result);
    return std::move(*result);
  }
  VariableRow set(const std::string& key, const std::string& value, bool protected_only = false,
                  const std::string& scope = "*") {
    VariableRow row;
    row.project_id = hooked.id;
    row.key = key;
    row.protected_only = protected_only;
    row.environment_scope = scope;
    row.masked = true;
    vault.seal(row, value);
    auto id = coordinator->write<VariableId>([&](WriteTransaction& write) -> Result<VariableId> {
      return write.stores.variables.insert(row);
    });
    REQUIRE(id);
    row.id = *id;
    return row;
  }
  void protect(RefKind kind, const std::string& name) {
    REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      write.stores.protections.protect(hooked.id, kind, name, 1);
      return true;
    }));
  }
  PipelineId trigger(const std::string& ref, pipeline::Variables variables = {}) {
    ManualTrigger by_hand;
    by_hand.ref = ref;
    by_hand.variables = std::move(variables);
    auto made = intake->trigger(hooked, by_hand);
    if (!made) FAIL(made.error().message);
    return *made;
  }
  std::vector<std::string> jobs_of(PipelineId id) {
    std::vector<std::string> names;
    for (const JobRow& row : database->read()->jobs.of_pipeline(id)) names.push_back(row.name);
    return names;
  }
  // What the runner would be handed.
  Assignment assigned(PipelineId id, const std::string& name) {
    RunnerRow runner;
    runner.token_hash = "hash of a runner of " + name + std::to_string(id.value);
    const auto runner_id =
        wait<RunnerId>([&](auto done) { coordinator->create_runner(runner, std::move(done)); });
    return wait<Assignment>(
        [&](auto done) { coordinator->assign(job(id, name).id, runner_id, std::move(done)); });
  }
  std::string value_of(const Assignment& assignment, const std::string& key) {
    const auto spec = payload.make(assignment);
    REQUIRE(spec);
    std::string value = "(none)";
    for (const auto& variable : spec->variables)
      if (variable.key == key) value = variable.value + (variable.masked ? " masked" : "");
    return value;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "rules and jobs of a protected branch see what is protected",
                 "[intake][variables]") {
  commit(kFile);
  remote.git({"branch", "feature"});
  set("GATE", "open", true);
  set("TOKEN", "secret-of-main", true);

  const PipelineId on_main = trigger("main");
  CHECK(jobs_of(on_main) == Names{"deploy", "check"});
  CHECK(value_of(assigned(on_main, "check"), "TOKEN") == "secret-of-main masked");

  const PipelineId on_feature = trigger("feature");
  CHECK(jobs_of(on_feature) == Names{"check"});
  CHECK(value_of(assigned(on_feature, "check"), "TOKEN") == "(none)");
  CHECK_FALSE(job(on_feature, "check").ref_protected);

  protect(RefKind::Branch, "feat*");
  const PipelineId again = trigger("feature");
  CHECK(jobs_of(again) == Names{"deploy", "check"});
  CHECK(value_of(assigned(again, "check"), "TOKEN") == "secret-of-main masked");
}

TEST_CASE_METHOD(Fixture, "a tag is protected as a tag, whatever branches are",
                 "[intake][variables]") {
  commit(kFile);
  remote.git({"tag", "v1"});
  set("TOKEN", "secret-of-tags", true);
  protect(RefKind::Branch, "v*");
  CHECK(value_of(assigned(trigger("v1"), "check"), "TOKEN") == "(none)");
  protect(RefKind::Tag, "v*");
  CHECK(value_of(assigned(trigger("v1"), "check"), "TOKEN") == "secret-of-tags masked");
}

TEST_CASE_METHOD(Fixture, "a job keeps the trust that its pipeline was made with",
                 "[intake][variables]") {
  commit(kFile);
  set("TOKEN", "secret-of-main", true);
  remote.git({"branch", "feature"});
  const PipelineId before = trigger("feature");
  protect(RefKind::Branch, "feature");
  CHECK(value_of(assigned(before, "check"), "TOKEN") == "(none)");
}

TEST_CASE_METHOD(Fixture, "a job has the variables of its environment", "[intake][variables]") {
  commit(kFile);
  set("GATE", "open");
  set("HOST", "anywhere.example");
  set("HOST", "production.example", false, "production/*");
  const PipelineId id = trigger("main");
  CHECK(value_of(assigned(id, "deploy"), "HOST") == "production.example masked");
  CHECK(value_of(assigned(id, "check"), "HOST") == "anywhere.example masked");
}

TEST_CASE_METHOD(Fixture, "what is given with the trigger overrides the settings",
                 "[intake][variables]") {
  commit(kFile);
  const VariableRow token = set("TOKEN", "of-the-settings");
  const auto assignment =
      assigned(trigger("main", {pipeline::Variable{.name = "TOKEN", .value = "given"}}), "check");
  CHECK(value_of(assignment, "TOKEN") == "given");
  CHECK(database->read()->variables.uses(token.id, {}).total == 0);
}

TEST_CASE_METHOD(Fixture, "which job got which variable is on record before it goes out",
                 "[intake][variables]") {
  commit(kFile);
  const VariableRow token = set("TOKEN", "secret-of-all");
  const VariableRow elsewhere = set("TOKEN", "secret-of-staging", false, "staging");
  clock.tick(std::chrono::seconds{5});
  const auto assignment = assigned(trigger("main"), "check");
  REQUIRE(payload.make(assignment));

  const auto uses = database->read()->variables.uses(token.id, {});
  REQUIRE(uses.total == 1);
  CHECK(uses.rows[0].job_id == assignment.job.id);
  CHECK(uses.rows[0].runner_id == assignment.runner.id);
  CHECK(uses.rows[0].owner == "project/" + std::to_string(hooked.id.value));
  CHECK(uses.rows[0].key == "TOKEN");
  CHECK(uses.rows[0].at == clock.now());
  CHECK(database->read()->variables.uses(elsewhere.id, {}).total == 0);

  coordinator->stop();  // nothing can be recorded any more
  const auto refused = payload.make(assignment);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Internal);
  CHECK(refused.error().message.find("could not be recorded") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a linted file sees no protected variable", "[intake][variables]") {
  commit(kFile);
  set("GATE", "open");
  REQUIRE(mirrors.fetch(hooked.id.value, remote.url(), "main", ""));
  CHECK(intake->lint(hooked, std::nullopt, "", SimulatedEvent{pipeline::Source::Push, "main"})
            .jobs.size() == 2);
  REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.variables.remove(VariableId{1});
    return true;
  }));
  set("GATE", "open", true);
  CHECK(intake->lint(hooked, std::nullopt, "", SimulatedEvent{pipeline::Source::Push, "main"})
            .jobs.size() == 1);
}

}  // namespace slipway::server
