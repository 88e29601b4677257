// Whole jobs of the docker executor, on a real engine.

#include "runner/docker_command.h"
#include "runner/docker_services.h"
#include "tests/runner/docker_bench.h"

using namespace slipway;
using namespace slipway::runner;
using test::ClosedRegistry;
using test::DockerBench;
using test::images;
using test::JobBench;
using test::networks_of;
using test::run_command;
using test::web_service;
namespace fs = std::filesystem;

TEST_CASE("a docker job runs in its image and leaves no container", "[docker]") {
  DockerBench bench;

  const auto result = bench.run(JobBench::job(
      {"echo $PWD", "echo made > file", "ls -A ..", "echo disposable=$CI_DISPOSABLE_ENVIRONMENT"}));

  CHECK(result["state"] == "success");
  CHECK(bench.logged("Using Docker executor with image " + images().plain));
  CHECK(bench.logged("\n" + bench.project().string() + "\n"));
  CHECK(bench.logged("\ndisposable=true\n"));
  // Neither the log on its way nor archives are to be seen.
  CHECK(bench.logged("\nproject\nproject.tmp\n"));
  CHECK(read_file(bench.project() / "file").value_or("") == "made\n");
  CHECK(bench.containers().empty());
}

TEST_CASE("a docker job fails with its script's exit code", "[docker]") {
  DockerBench bench;

  const auto result = bench.run(JobBench::job({"exit 42"}));

  CHECK(result["failure_reason"] == "script_failure");
  CHECK(result["exit_code"] == 42);
  CHECK(bench.containers().empty());
}

TEST_CASE("an image that is not to be had is told from an engine that failed", "[docker]") {
  {
    DockerBench bench{"slipway-test-none:none"};
    CHECK(bench.run(JobBench::job({"true"}))["failure_reason"] == "image_pull_failure");
    CHECK(bench.logged("the image 'slipway-test-none:none' is not to be had"));
  }
  {
    DockerBench bench;
    bench.settings.docker_memory = "no-size";
    CHECK(bench.run(JobBench::job({"true"}))["failure_reason"] == "runner_system_failure");
    CHECK(bench.logged("docker made no container: "));
  }
  {
    DockerBench bench;
    auto spec = JobBench::job({"true"});
    spec.image.emplace();
    spec.image->name = images().plain;
    spec.image->entrypoint = std::vector<std::string>{"/bin/none"};
    CHECK(bench.run(spec)["failure_reason"] == "runner_system_failure");
    CHECK(bench.logged("the container did not start: "));
    CHECK(bench.containers().empty());
  }
}

TEST_CASE("pull policies are tried in turn, and only those that the owner allows", "[docker]") {
  auto spec = JobBench::job({"echo ran"});
  spec.image.emplace();
  spec.image->name = images().plain;
  {
    DockerBench bench;
    spec.image->pull_policy = {"always", "if-not-present"};
    CHECK(bench.run(spec)["state"] == "success");
    CHECK(bench.logged("Getting " + images().plain + " by the pull policy always ..."));
    CHECK(bench.logged("\nran\n"));
  }
  {
    DockerBench bench;
    bench.settings.allowed_pull_policies = {"always", "if-not-present"};
    spec.image->pull_policy = {"never"};
    CHECK(bench.run(spec)["failure_reason"] == "runner_configuration_error");
    CHECK(bench.logged(
        "this runner does not allow the pull policy 'never', only always, if-not-present"));
  }
  {
    DockerBench bench;
    spec.image->name = "slipway-test-none:none";
    spec.image->pull_policy = {"never", "never"};
    const auto result = bench.run(spec);
    CHECK(result["failure_reason"] == "image_pull_failure");
    CHECK(result["failure_text"] ==
          "the image 'slipway-test-none:none' is not to be had: it is not on this machine");
  }
}

TEST_CASE("an image of a closed registry comes with the job's credentials, and they go with it",
          "[docker]") {
  const ClosedRegistry registry;
  const std::string image = registry.address() + "/closed:1";
  registry.push(images().plain, image);
  auto spec = JobBench::job({"echo ran", "ls -A $CI_PROJECT_DIR.tmp"});
  spec.image.emplace();
  spec.image->name = image;
  spec.image->pull_policy = {"always"};
  {
    DockerBench bench;
    const auto result = bench.run(spec);
    CHECK(result["failure_reason"] == "image_pull_failure");
    CHECK(bench.logged("no basic auth credentials"));
  }
  pipeline::JobVariable variable{"DOCKER_AUTH_CONFIG", registry.auth_config()};
  enum From { Variable, FileVariable, Server, VariableBeforeServer, Runner };
  const auto from = GENERATE(Variable, FileVariable, Server, VariableBeforeServer, Runner);
  CAPTURE(static_cast<int>(from));
  variable.file = from == FileVariable;
  if (from == Variable || from == FileVariable || from == VariableBeforeServer)
    spec.variables.push_back(variable);
  if (from == Server)
    spec.credentials.push_back({"registry", registry.address(), "user", "correct-password"});
  if (from == VariableBeforeServer)
    spec.credentials.push_back({"registry", registry.address(), "user", "wrong"});
  DockerBench bench;
  if (from == Runner) bench.settings.docker_auth_config = registry.auth_config();
  CHECK(bench.run(spec)["state"] == "success");
  CHECK(bench.logged("\nran\n"));
  CHECK_FALSE(fs::exists(bench.project().string() + ".run/docker"));
}

TEST_CASE("credentials that are none are refused with an example", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"true"});
  spec.variables.push_back({"DOCKER_AUTH_CONFIG", "user:password"});
  CHECK(bench.run(spec)["failure_reason"] == "runner_configuration_error");
  CHECK(bench.logged(R"(DOCKER_AUTH_CONFIG is not {"auths":{"registry":{"auth":"…"}}})"));
}

TEST_CASE("a job that runs out of memory is told so with the figures", "[docker]") {
  DockerBench bench;
  bench.settings.docker_memory = "32m";

  const auto result = bench.run(JobBench::job({"/bin/busybox tail /dev/zero"}));

  CHECK(result["failure_reason"] == "script_failure");
  CHECK(result["exit_code"] == 137);
  CHECK(result["failure_text"].get<std::string>().rfind(
            "the job ran out of memory: its limit is 32 MiB, its peak 32 MiB", 0) == 0);
  CHECK(bench.logged("the job ran out of memory"));
}

TEST_CASE("a container that somebody kills is no failure of the script", "[docker]") {
  DockerBench bench;
  const auto result = bench.run(JobBench::job({"echo begun; sleep 1000"}), [&] {
    bench.wait_for("\nbegun\n");
    run_command({"docker", "kill", bench.containers().substr(0, 12)});
  });
  CHECK(result["failure_reason"] == "runner_system_failure");
  CHECK(result["failure_text"] == "the container was killed from outside, with exit code 137");
}

TEST_CASE("a container has no more rights than the runner's owner gives", "[docker]") {
  const test::TempDirectory shared;
  REQUIRE(replace_file(shared / "given", "from the host"));
  DockerBench bench;
  bench.settings.docker_cap_drop = {"ALL"};
  bench.settings.docker_volumes = {shared.path().string() + ":/given:ro"};
  const auto result = bench.run(JobBench::job(
      {"while read -r name value; do case $name in CapEff:|NoNewPrivs:) echo $name $value;; esac; "
       "done < /proc/self/status",
       "cat /given/given; echo", "touch /given/x || echo read only",
       "test -e /var/run/docker.sock || echo no socket"}));

  CHECK(result["state"] == "success");
  CHECK(bench.logged("\nCapEff: 0000000000000000\n"));
  CHECK(bench.logged("\nNoNewPrivs: 1\n"));
  CHECK(bench.logged("\nfrom the host\n"));
  CHECK(bench.logged("\nread only\n"));
  CHECK(bench.logged("\nno socket\n"));
}

TEST_CASE("the engine's socket is there when the owner says so", "[docker]") {
  DockerBench bench;
  bench.settings.docker_socket = true;
  CHECK(bench.run(JobBench::job({"test -S /var/run/docker.sock && echo socket"}))["state"] ==
        "success");
  CHECK(bench.logged("\nsocket\n"));
}

TEST_CASE("hooks run in the job's image, not on this machine", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"cat order", "ls -A /"}, {"echo after_script"});
  spec.hooks = {{"pre_get_sources_script", {"echo before > order", "touch /of-the-hook"}}};

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(bench.logged("\nbefore\n"));
  CHECK(bench.logged("\nafter_script\n"));
  // Each has a container of its own.
  CHECK_FALSE(bench.logged("\nof-the-hook\n"));
  CHECK_FALSE(fs::exists("/of-the-hook"));
  CHECK(bench.containers().empty());
}

TEST_CASE("a container that does not start is tried as often as asked", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"echo ran"});
  spec.image.emplace();
  spec.image->name = images().plain;
  spec.image->entrypoint = std::vector<std::string>{"/no-such-program"};
  spec.variables.push_back({"EXECUTOR_JOB_SECTION_ATTEMPTS", "3"});

  const auto result = bench.run(spec);

  CHECK(result["failure_reason"] == "runner_system_failure");
  CHECK(bench.logged("; attempt 2 of 3\n"));
  CHECK(bench.logged("; attempt 3 of 3\n"));
  CHECK_FALSE(bench.logged("\nran\n"));
  CHECK(bench.containers().empty());
}

TEST_CASE("a script that has begun is not run again", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"echo began >> began", "cat began", "exit 7"});
  spec.variables.push_back({"EXECUTOR_JOB_SECTION_ATTEMPTS", "3"});
  CHECK(bench.run(spec)["exit_code"] == 7);
  CHECK_FALSE(bench.logged("began\nbegan\n"));
}

TEST_CASE("a job without an image says what to do", "[docker]") {
  DockerBench bench{""};
  CHECK(bench.run(JobBench::job({"true"}))["failure_reason"] == "runner_configuration_error");
  CHECK(bench.logged("add `image:` to the job, or set runner_default_image"));
}

TEST_CASE("an image's name is no option", "[docker]") {
  DockerBench bench{"--privileged"};
  CHECK(bench.run(JobBench::job({"true"}))["failure_reason"] == "runner_configuration_error");
  CHECK(bench.logged("'--privileged' is no name of an image"));
}

TEST_CASE("the after_script of a docker job knows how the script ended", "[docker]") {
  for (const std::string command : {"true", "exit 3"}) {
    CAPTURE(command);
    DockerBench bench;
    const auto result =
        bench.run(JobBench::job({command}, {"echo status=$CI_JOB_STATUS", "exit 5"}));
    const bool good = command == "true";
    CHECK(result["state"] == (good ? "success" : "failed"));
    CHECK(bench.logged(good ? "\nstatus=success\n" : "\nstatus=failed\n"));
  }
}

TEST_CASE("a docker job ends at its time", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"sleep 1000"});
  spec.timeout = 3;

  CHECK(bench.run(spec)["failure_reason"] == "job_execution_timeout");
  CHECK(bench.containers().empty());
}

TEST_CASE("an image with a user of its own works in its tree and reads its files", "[docker]") {
  DockerBench bench{images().other_user};
  auto spec = JobBench::job(
      {"id -u", "cat \"$KEY\"", "echo changed > given", "mkdir new", "touch new/file"},
      {"echo status=$CI_JOB_STATUS"});
  pipeline::JobVariable key{"KEY", "the key\n"};
  key.file = true;
  spec.variables.push_back(key);
  fs::create_directories(bench.project());
  REQUIRE(replace_file(bench.project() / "given", "x"));

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(bench.logged("\n4711\n"));
  CHECK(bench.logged("\nthe key\n"));
  CHECK(bench.logged("\nstatus=success\n"));
  CHECK(read_file(bench.project() / "given").value_or("") == "changed\n");
  CHECK(fs::is_empty(bench.project().string() + ".tmp"));
  // The files are open to all users within; the machine's own do not get that far.
  CHECK((fs::status(bench.project() / "../..").permissions() & fs::perms{0077}) == fs::perms::none);
}

TEST_CASE("variables reach a docker job as they are", "[docker]") {
  for (const std::string& value :
       {std::string{"$(touch pwn) `touch pwn`"}, std::string{"a b\n--privileged\n"},
        std::string{"'\" -e X=1"}, std::string(64 << 10, 'y')}) {
    CAPTURE(value.substr(0, 50));
    DockerBench bench;
    auto spec = JobBench::job({"echo \"$VALUE\" > value"});
    pipeline::JobVariable variable{"VALUE", value};
    variable.raw = true;
    spec.variables.push_back(variable);

    CHECK(bench.run(spec)["state"] == "success");

    CHECK(read_file(bench.project() / "value").value_or("") == value + "\n");
    CHECK_FALSE(fs::exists(bench.project() / "pwn"));
  }
}

TEST_CASE("containers of an earlier life are removed, those of others stay", "[docker]") {
  DockerBench mine;
  DockerBench other;
  for (const DockerBench* bench : {&mine, &other})
    run_command({"docker", "run", "--detach", "--label", "slipway.runner=" + bench->label,
                 images().plain, "sleep", "1000"});

  remove_docker_leftovers(mine.label);

  CHECK(mine.containers().empty());
  CHECK_FALSE(other.containers().empty());
  remove_docker_leftovers(other.label);
}

namespace {

const std::vector<std::string> kServe{"httpd", "-f", "-p", "8000", "-h", "/etc"};

}  // namespace

TEST_CASE("a job talks to its service by its alias, and nothing is left of it", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"wget -q -O got http://web:8000/passwd"});
  spec.services = {web_service({"sh", "-c", "sleep 1; exec httpd -f -p 8000 -h /etc"})};

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(read_file(bench.project() / "got").value_or("").find("work:x:4711") != std::string::npos);
  CHECK(bench.logged("Service web is ready after"));
  CHECK(bench.containers().empty());
  CHECK(networks_of(bench).empty());
}

TEST_CASE("a service sees the job's public variables and its own, not the masked ones",
          "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"wget -q -O got http://web:8000/all || true"});
  spec.variables.push_back({"PUBLIC", "for all"});
  pipeline::JobVariable secret{"SECRET", "a-secret-value"};
  secret.masked = true;
  spec.variables.push_back(secret);
  auto service = web_service(
      {"sh", "-c", "echo \"$PUBLIC-$SECRET-$OWN\" > /tmp/all; exec httpd -f -p 8000 -h /tmp"});
  service.variables = {{"OWN", "own $PUBLIC"}};
  spec.services = {service};

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(read_file(bench.project() / "got").value_or("") == "for all--own for all\n");
}

TEST_CASE("a service's variables do not steer the runner's docker command", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"wget -q -O got http://web:8000/all"});
  auto service = web_service({"sh", "-c",
                              "echo \"$DOCKER_HOST $LD_PRELOAD $DOCKER_CONFIG\" > /tmp/all; exec "
                              "httpd -f -p 8000 -h /tmp"});
  service.variables = {{"DOCKER_HOST", "tcp://127.0.0.1:1"},
                       {"LD_PRELOAD", "none.so"},
                       {"DOCKER_CONFIG", "/nowhere"}};
  spec.services = {service};

  CHECK(bench.run(spec)["state"] == "success");
  CHECK(read_file(bench.project() / "got").value_or("") == "tcp://127.0.0.1:1 none.so /nowhere\n");
}

TEST_CASE("a health check says when a service is ready", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"wget -q -O got http://web:8000/ready"});
  auto service = web_service(
      {"sh", "-c", "httpd -p 8000 -h /tmp; sleep 2; echo yes > /tmp/ready; exec sleep 1000"});
  service.name = images().checked;
  spec.services = {service};

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(read_file(bench.project() / "got").value_or("") == "yes\n");
}

TEST_CASE("a service that does not answer is told with its last words, and the job goes on",
          "[docker]") {
  DockerBench bench;
  bench.settings.docker_services_timeout = std::chrono::seconds{1};
  auto spec = JobBench::job({"true"});
  spec.services = {web_service({"sh", "-c", "echo I only sleep; exec sleep 1000"}),
                   web_service({"sh", "-c", "echo I fall over; exit 3"})};

  CHECK(bench.run(spec)["state"] == "success");

  CHECK(
      bench.logged("WARNING: service web did not answer within 1 s; its last words:\n"
                   "I only sleep\n"));
  CHECK(bench.logged(
      "WARNING: service web has ended with exit code 3; its last words:\nI fall over\n"));
}

TEST_CASE("a service without an image fails the job and says which", "[docker]") {
  DockerBench bench;
  auto spec = JobBench::job({"true"});
  auto service = web_service(kServe);
  service.name = "slipway.invalid/none:1";
  service.pull_policy = {"never"};
  spec.services = {service};

  const auto result = bench.run(spec);

  CHECK(result["state"] == "failed");
  CHECK(bench.logged("service slipway.invalid/none:1: "));
  CHECK(bench.containers().empty());
  CHECK(networks_of(bench).empty());
}

TEST_CASE("a service answers under its aliases and its image's path", "[job]") {
  pipeline::JobImage service;
  service.name = "registry.example.com:5000/group/postgres:16@sha256:abc";
  service.alias = "db, database";
  CHECK(DockerServices::names_of(service) ==
        std::vector<std::string>{"db", "database", "registry.example.com__group__postgres",
                                 "registry.example.com-group-postgres"});
  service.name = "redis";
  service.alias = "";
  CHECK(DockerServices::names_of(service) == std::vector<std::string>{"redis"});
}
