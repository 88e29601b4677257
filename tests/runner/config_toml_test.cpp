#include "runner/config_toml.h"

#include <algorithm>

#include "runner/config.h"
#include "tests/support/catch.h"

using slipway::apply_settings;
using slipway::SettingSources;
using slipway::runner::ForeignConfig;
using slipway::runner::read_config_toml;

namespace {

constexpr const char* kUsual = R"(concurrent = 4
check_interval = 0
log_level = "warning"
shutdown_timeout = 30

[session_server]
  session_timeout = 1800

[[runners]]
  name = "builder"
  url = "https://ci.example.com"
  id = 7
  token = "glrt-secret"
  token_obtained_at = 2024-01-02T03:04:05Z
  token_expires_at = 0001-01-01T00:00:00Z
  executor = "docker"
  environment = ["A=1", "B=two words"]
  limit = 2
  [runners.cache]
    MaxUploadedArchiveSize = 0
  [runners.docker]
    tls_verify = false
    image = "debian:12"
    privileged = false
    disable_entrypoint_overwrite = false
    oom_kill_disable = false
    disable_cache = false
    volumes = ["/cache"]
    pull_policy = ["if-not-present"]
    memory = "512m"
    cpus = "1.5"
    shm_size = 0
    network_mtu = 0
)";

std::vector<std::string> named(const ForeignConfig& config) {
  std::vector<std::string> lines;
  for (const auto& error : config.unsupported)
    lines.push_back(std::to_string(error.span->line) + ": " + error.message);
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("the file that gitlab-runner writes is taken over whole", "[config]") {
  const auto config = read_config_toml(kUsual, "config.toml", "");
  REQUIRE(config);
  CHECK(named(*config).empty());

  slipway::runner::RunnerSettings settings;
  SettingSources sources;
  sources.file_values = config->settings;
  sources.getenv = [](const std::string&) { return std::nullopt; };
  const auto origins = apply_settings(settings_table(settings), sources);
  REQUIRE(origins);
  CHECK(settings.url == "https://ci.example.com");
  CHECK(settings.token == "glrt-secret");
  CHECK(settings.name == "builder");
  CHECK(settings.executor == slipway::runner::ExecutorKind::Docker);
  CHECK(settings.concurrent == 2);
  CHECK(settings.default_image == "debian:12");
  CHECK(settings.environment == std::vector<std::string>{"A=1", "B=two words"});
  CHECK(settings.docker_memory == "512m");
  CHECK(settings.docker_cpus == "1.5");
  CHECK(settings.log_level == slipway::log::Level::Warn);
  CHECK(settings.shutdown_timeout == std::chrono::seconds{30});
  CHECK(origins->at("runner_url") == "config.toml:11");
}

TEST_CASE("what a config.toml says of containers and scripts is taken over", "[config]") {
  const auto config = read_config_toml(R"([[runners]]
  executor = "docker"
  output_limit = 4096
  pre_clone_script = "git config --global x.y z"
  pre_build_script = """
echo one
echo two"""
  post_build_script = "echo done"
  [runners.docker]
    volumes = ["/cache", "deps:/deps", "/srv:/srv:ro", "/var/run/docker.sock:/var/run/docker.sock"]
    allowed_images = ["ruby:*", "registry.example.com/**"]
    allowed_services = ["postgres:*"]
    allowed_pull_policies = ["always", "if-not-present"]
    cap_add = ["SYS_PTRACE"]
    cap_drop = ["ALL"]
    extra_hosts = ["db:10.0.0.5"]
    dns = ["10.0.0.1"]
    dns_search = ["example.com"]
    network_mode = "builds"
    shm_size = 268435456
    cpus = "2"
    memory = "2g"
)",
                                       "config.toml", "");
  REQUIRE(config);
  CHECK(named(*config).empty());

  slipway::runner::RunnerSettings settings;
  SettingSources sources;
  sources.file_values = config->settings;
  sources.getenv = [](const std::string&) { return std::nullopt; };
  const auto origins = apply_settings(settings_table(settings), sources);
  CAPTURE(origins ? "" : origins.error().message);
  REQUIRE(origins);
  using Texts = std::vector<std::string>;
  CHECK(settings.output_limit == 4096 << 10);
  CHECK(settings.pre_get_sources_script == "git config --global x.y z");
  CHECK(settings.pre_build_script == "echo one\necho two");
  CHECK(settings.post_build_script == "echo done");
  CHECK(settings.docker_volumes == Texts{"/cache", "deps:/deps", "/srv:/srv:ro"});
  CHECK(settings.docker_socket);
  CHECK(settings.allowed_images == Texts{"ruby:*", "registry.example.com/**"});
  CHECK(settings.allowed_services == Texts{"postgres:*"});
  CHECK(settings.allowed_pull_policies == Texts{"always", "if-not-present"});
  CHECK(settings.docker_cap_add == Texts{"SYS_PTRACE"});
  CHECK(settings.docker_cap_drop == Texts{"ALL"});
  CHECK(settings.docker_extra_hosts == Texts{"db:10.0.0.5"});
  CHECK(settings.docker_dns == Texts{"10.0.0.1"});
  CHECK(settings.docker_dns_search == Texts{"example.com"});
  CHECK(settings.docker_network_mode == "builds");
  CHECK(settings.docker_shm_size == "268435456");
  CHECK(settings.docker_cpus == "2");
  CHECK(settings.docker_memory == "2g");
}

TEST_CASE("what a config.toml asks for in vain is named with its place", "[config]") {
  const auto config = read_config_toml(R"([[runners]]
  executor = "shell"
  debug_trace_disabled = true
  [runners.docker]
    privileged = true
    devices = ["/dev/kvm", "/dev/fuse"]
    gpus = "all"
  [runners.cache]
    Type = "s3"
    [runners.cache.s3]
      BucketName = "caches"
)",
                                       "config.toml", "");
  REQUIRE(config);
  CHECK(
      named(*config) ==
      std::vector<std::string>{
          "11: runners.cache.s3.BucketName = \"caches\" is not supported and has no effect",
          "3: runners.debug_trace_disabled = true is not supported and has no effect",
          "5: runners.docker.privileged = true is not supported and has no effect",
          "6: runners.docker.devices = [ \"/dev/kvm\", \"/dev/fuse\" ] is not supported and has no "
          "effect",
          "7: runners.docker.gpus = \"all\" is not supported and has no effect",
          "9: runners.cache.Type = \"s3\" is not supported and has no effect"});
}

TEST_CASE("a config.toml that cannot be meant says where and why", "[config]") {
  const auto refusal = [](const std::string& text, const std::string& section = "") {
    const auto read = read_config_toml(text, "config.toml", section);
    REQUIRE_FALSE(read);
    return std::to_string(read.error().span->line) + ": " + read.error().message + " / " +
           read.error().hint;
  };
  CHECK(refusal("concurrent = \n").starts_with("1: "));
  CHECK(refusal("concurrent = 1\n") == "1: there is no [[runners]] section / ");
  CHECK(refusal("[[runners]]\n  executor = \"kubernetes\"\n") ==
        "2: the executor 'kubernetes' is not supported / shell and docker are");
  const std::string two = "[[runners]]\nname = \"a\"\n[[runners]]\nname = \"b\"\n";
  CHECK(refusal(two) ==
        "3: there are several [[runners]] sections / start one `slipway runner run` for each, "
        "with --section NAME: 'a', 'b'");
  CHECK(refusal(two, "c") == "1: no [[runners]] section has the name 'c' / there are 'a', 'b'");
  CHECK(read_config_toml(two, "config.toml", "b"));
}
