// What the runner's owner says of docker jobs: images, volumes, networks, hosts.

#include "runner/disk_keeper.h"
#include "runner/docker_images.h"
#include "runner/docker_kept.h"
#include "tests/runner/docker_bench.h"

using namespace slipway;
using namespace slipway::runner;
using namespace std::chrono_literals;
using test::DockerBench;
using test::images;
using test::JobBench;
using test::run_command;
namespace fs = std::filesystem;

namespace {

std::string volumes_of(const DockerBench& bench) {
  return run_command(
      {"docker", "volume", "ls", "--quiet", "--filter", "name=slipway-kept-" + bench.label});
}

}  // namespace

TEST_CASE("a job may use the images that the owner allows, and the default one", "[docker]") {
  const std::vector<std::string> allowed{"ruby:*", "registry.example.com/**"};
  const auto is_allowed = [&](const std::string& image) {
    return check_allowed(image, allowed, "x").has_value();
  };
  CHECK(is_allowed("ruby:3"));
  CHECK(is_allowed("registry.example.com/a/b:1"));
  CHECK_FALSE(is_allowed("evil/ruby:3"));
  CHECK_FALSE(is_allowed("ruby"));
  CHECK(check_allowed("anything", {}, "x"));

  DockerBench bench;
  bench.settings.allowed_images = allowed;
  CHECK(bench.run(JobBench::job({"true"}))["state"] == "success");
  DockerBench other;
  other.settings.allowed_images = allowed;
  auto spec = JobBench::job({"true"});
  spec.image.emplace();
  spec.image->name = images().other_user;
  CHECK(other.run(spec)["failure_reason"] == "runner_configuration_error");
  CHECK(other.logged("this runner does not allow the image '" + images().other_user +
                     "', only ruby:*, registry.example.com/**"));
  CHECK(other.logged("its owner sets runner_allowed_images"));
}

TEST_CASE("a service has an image that the owner allows", "[docker]") {
  DockerBench bench;
  bench.settings.allowed_services = {"postgres:*"};
  auto spec = JobBench::job({"true"});
  spec.services.emplace_back().name = images().web;
  CHECK(bench.run(spec)["failure_reason"] == "runner_configuration_error");
  CHECK(bench.logged("this runner does not allow the image '" + images().web + "'"));
}

TEST_CASE("a path alone is a volume that the next job of the project finds again", "[docker]") {
  DockerBench bench;
  bench.settings.docker_volumes = {"/kept"};
  auto spec = JobBench::job(
      {"if [ -e /kept/file ]; then cat /kept/file > seen; fi", "echo of-the-first > /kept/file"});
  spec.image.emplace();
  spec.image->name = images().other_user;  // which is not root
  REQUIRE(bench.run(spec)["state"] == "success");
  CHECK_FALSE(fs::exists(bench.project() / "seen"));
  REQUIRE(bench.run(spec)["state"] == "success");
  CHECK(read_file(bench.project() / "seen").value_or("") == "of-the-first\n");

  SECTION("another project and a protected branch have others") {
    auto other = JobBench::job({"test ! -e /kept/file"});
    other.project_full_path = "group/other";
    CHECK(bench.run(other)["state"] == "success");
    auto guarded = JobBench::job({"test ! -e /kept/file"});
    guarded.ref_protected = true;
    CHECK(bench.run(guarded)["state"] == "success");
  }
  SECTION("it goes when it was not used for long") {
    REQUIRE(DockerKept{bench.settings.cache_dir}.kept().size() == 1);
    CHECK(DockerKept{bench.settings.cache_dir}.kept()[0].kind == KeptKind::Volume);
    CHECK(DockerKept{bench.settings.cache_dir}.kept()[0].bytes == 13);
  }
  bench.settings.disk_max_age = 1h;
  (void)sweep_disk(bench.settings);
  CHECK_FALSE(volumes_of(bench).empty());
  for (const auto& entry : fs::directory_iterator{bench.settings.cache_dir / "docker/volumes"})
    fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - 2h);
  (void)sweep_disk(bench.settings);
  CHECK(volumes_of(bench).empty());
}

TEST_CASE("a volume of a name and a mount of the host are there as they stand", "[docker]") {
  DockerBench bench;
  const std::string volume = "slipway-test-" + random_hex(6);
  fs::create_directories(bench.directory / "host");
  REQUIRE(replace_file(bench.directory / "host/file", "of the host\n"));
  bench.settings.docker_volumes = {volume + ":/named",
                                   (bench.directory / "host").string() + ":/host:ro"};

  const auto result = bench.run(
      JobBench::job({"cat /host/file", "touch /named/x", "touch /host/x || echo read-only"}));

  CHECK(result["state"] == "success");
  CHECK(bench.logged("\nof the host\n"));
  CHECK(bench.logged("\nread-only\n"));
  run_command({"docker", "volume", "rm", volume});
}

TEST_CASE("hosts, shared memory and capabilities are the owner's to say", "[docker]") {
  DockerBench bench;
  bench.settings.docker_extra_hosts = {"db.example.com:10.9.8.7"};
  bench.settings.docker_shm_size = "20m";
  bench.settings.docker_cap_drop = {"ALL"};
  bench.settings.docker_cap_add = {"CHOWN"};
  bench.settings.docker_dns = {"10.1.1.1"};

  const auto result =
      bench.run(JobBench::job({"cat /etc/hosts /etc/resolv.conf", "/bin/busybox df -m /dev/shm",
                               "/bin/busybox grep CapEff /proc/self/status"}));

  CHECK(result["state"] == "success");
  CHECK(bench.logged("10.9.8.7\tdb.example.com"));
  CHECK(bench.logged("nameserver 10.1.1.1"));
  CHECK(bench.logged(" 20 "));
  CHECK(bench.logged("CapEff:\t0000000000000001"));
}

TEST_CASE("jobs and services join the owner's network, which stays", "[docker]") {
  const std::string network = "slipway-test-" + random_hex(6);
  run_command({"docker", "network", "create", network});
  {
    DockerBench bench;
    bench.settings.docker_network_mode = network;
    auto spec = JobBench::job({"wget -q -O - http://web:8000/etc/passwd"});
    pipeline::JobImage& service = spec.services.emplace_back();
    service.name = images().web;
    service.alias = "web";
    service.command = std::vector<std::string>{"httpd", "-f", "-p", "8000", "-h", "/"};
    CHECK(bench.run(spec)["state"] == "success");
    CHECK(bench.logged("work:x:4711"));
    CHECK(bench.containers().empty());
  }
  run_command({"docker", "network", "rm", network});

  DockerBench bench;
  bench.settings.docker_network_mode = "none";
  CHECK(bench.run(JobBench::job({"ls /sys/class/net"}))["state"] == "success");
  CHECK_FALSE(bench.logged("eth0"));
}
