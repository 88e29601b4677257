#include "runner/local/selection.h"

#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::runner;

namespace {

pipeline::PlannedJob job(const std::string& name, int stage,
                         const std::vector<std::string>& needs = {}) {
  pipeline::PlannedJob planned;
  planned.job.name = planned.job.base_name = name;
  planned.job.stage = "stage" + std::to_string(stage);
  planned.job.stage_index = stage;
  planned.dag = !needs.empty();
  for (const std::string& need : needs) planned.needs.push_back({.job = need});
  return planned;
}

// build 1/2 and 2/2, lint | unit (needs lint), all (by its stage) | deploy
pipeline::Plan plan() {
  pipeline::Plan made;
  made.stages = {"stage0", "stage1", "stage2"};
  made.jobs = {job("build 1/2", 0), job("build 2/2", 0),      job("lint", 0),
               job("all", 1),       job("unit", 1, {"lint"}), job("deploy", 2, {"unit"})};
  made.jobs[0].job.base_name = made.jobs[1].job.base_name = "build";
  made.left_out.push_back({.name = "nightly", .stage = "stage1"});
  made.left_out.back().reason.text = "no rule matched";
  return made;
}

// The names, with a * behind those that were asked for.
std::vector<std::string> names(const JobChoice& choice) {
  const auto chosen = choose_jobs(plan(), choice);
  REQUIRE(chosen);
  std::vector<std::string> made;
  for (const ChosenJob& one : *chosen)
    made.push_back(one.planned.job.name + (one.asked_for ? "*" : ""));
  return made;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("nothing chosen is the whole pipeline", "[local]") {
  CHECK(names({}) == Names{"build 1/2", "build 2/2", "lint", "all", "unit", "deploy"});
}

TEST_CASE("a job comes with what it needs, and what that needs", "[local]") {
  CHECK(names({.with_needs = {"deploy"}}) == Names{"lint*", "unit*", "deploy*"});
}

TEST_CASE("a job without needs comes with the earlier stages", "[local]") {
  CHECK(names({.with_needs = {"all"}}) == Names{"build 1/2", "build 2/2", "lint", "all*"});
}

TEST_CASE("a job alone comes with nothing", "[local]") {
  CHECK(names({.alone = {"deploy"}}) == Names{"deploy*"});
}

TEST_CASE("the name of a parallel job is that of all its instances", "[local]") {
  CHECK(names({.alone = {"build"}}) == Names{"build 1/2*", "build 2/2*"});
  CHECK(names({.alone = {"build 2/2"}}) == Names{"build 2/2*"});
}

TEST_CASE("a stage is chosen with those after it", "[local]") {
  CHECK(names({.from_stage = "stage1"}) == Names{"all", "unit", "deploy"});
  CHECK(names({.alone = {"lint"}, .from_stage = "stage2"}) == Names{"lint*", "deploy"});
}

TEST_CASE("who asks for what there is not is told what there is", "[local]") {
  const auto error = [](const JobChoice& choice) {
    const auto chosen = choose_jobs(plan(), choice);
    REQUIRE_FALSE(chosen);
    return chosen.error().message + " | " + chosen.error().hint;
  };
  CHECK(error({.with_needs = {"x"}}) ==
        "there is no job 'x' in this pipeline | its jobs are build 1/2, build 2/2, lint, all, "
        "unit, deploy");
  CHECK(error({.alone = {"nightly"}}) ==
        "there is no job 'nightly' in this pipeline | it was left out: no rule matched");
  CHECK(error({.from_stage = "x"}) ==
        "no job of this pipeline is in a stage 'x' | its stages are stage0, stage1, stage2");
}
