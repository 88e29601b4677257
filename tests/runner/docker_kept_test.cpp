// Images that the runner had docker fetch, and how they go again.

#include "runner/docker_kept.h"
#include "runner/disk_keeper.h"
#include "tests/runner/docker_bench.h"

using namespace slipway;
using namespace slipway::runner;
using namespace std::chrono_literals;
using test::ClosedRegistry;
using test::DockerBench;
using test::images;
using test::JobBench;
using test::run_command;
namespace fs = std::filesystem;

namespace {

bool is_here(const std::string& image) {
  return !run_command({"docker", "image", "ls", "--quiet", image}).empty();
}

// As if no job had used it for a year.
void make_old(const RunnerSettings& settings) {
  for (const auto& entry : fs::directory_iterator{settings.cache_dir / "docker/images"})
    fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - 365 * 24h);
}

}  // namespace

TEST_CASE("an image that a job had fetched goes when it was not used for long", "[docker]") {
  const ClosedRegistry registry;
  const std::string image = registry.address() + "/kept:1";
  registry.push(images().plain, image);
  auto spec = JobBench::job({"echo ran"});
  spec.image.emplace();
  spec.image->name = image;
  spec.image->pull_policy =
      GENERATE(std::vector<std::string>{"if-not-present"}, std::vector<std::string>{"always"},
               std::vector<std::string>{"always", "if-not-present"});
  DockerBench bench;
  bench.settings.docker_auth_config = registry.auth_config();
  REQUIRE(bench.run(spec)["state"] == "success");
  const auto kept = DockerKept{bench.settings.cache_dir}.kept();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].id == image);
  CHECK(kept[0].bytes > 100'000);

  bench.settings.disk_max_age = 24h;
  (void)sweep_disk(bench.settings);
  CHECK(is_here(image));
  make_old(bench.settings);
  REQUIRE(bench.run(spec)["state"] == "success");  // which uses it
  (void)sweep_disk(bench.settings);
  CHECK(is_here(image));
  make_old(bench.settings);
  (void)sweep_disk(bench.settings);
  CHECK_FALSE(is_here(image));
  CHECK(DockerKept{bench.settings.cache_dir}.kept().empty());
}

TEST_CASE("an image that was there before is not the runner's to remove", "[docker]") {
  DockerBench bench;
  bench.settings.pull_policies = {"if-not-present"};
  REQUIRE(bench.run(JobBench::job({"echo 'Status: Downloaded newer image for'"}))["state"] ==
          "success");
  CHECK(DockerKept{bench.settings.cache_dir}.kept().empty());
}

TEST_CASE("an image that a container uses stays", "[docker]") {
  DockerBench bench;
  const DockerKept kept{bench.settings.cache_dir};
  const std::string image = "slipway-test-" + random_hex(6) + ":used";
  // An image of its own: of one with two names, one can always go.
  run_command({"docker", "build", "--quiet", "--tag", image, "-"},
              "FROM " + images().plain + "\nLABEL name=" + image + "\n");
  kept.image_used(image, "Status: Downloaded newer image for " + image);
  const std::string container = "slipway-test-" + random_hex(6);
  run_command({"docker", "create", "--name", container, image, "true"});
  REQUIRE(kept.kept().size() == 1);
  const KeptThing thing = kept.kept().front();

  CHECK_FALSE(kept.remove(thing));
  CHECK(is_here(image));
  run_command({"docker", "rm", container});
  CHECK(kept.remove(thing));
  CHECK_FALSE(is_here(image));
  CHECK(kept.kept().empty());
}
