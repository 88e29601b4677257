// Jobs on a real Docker engine. The images are made here from busybox, so nothing is pulled but
// from a registry of the test's own.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/process.h"
#include "tests/runner/job_bench.h"

namespace slipway::test {

inline std::string run_command(const std::vector<std::string>& argv,
                               const std::string& input = "") {
  ProcessSpec spec;
  spec.argv = argv;
  spec.env = environment_subset({"PATH", "HOME", "DOCKER_HOST"});
  spec.input = input;
  auto done = collect_process(spec);
  REQUIRE(done);
  CAPTURE(argv, done->output);
  REQUIRE(done->outcome.succeeded());
  return done->output;
}

// Two images for all tests of this program: busybox, and busybox with a user of its own.
class Images {
 public:
  Images() {
    const TempDirectory root;
    std::filesystem::create_directories(root / "bin");
    std::filesystem::create_directories(root / "etc");
    std::filesystem::create_directories(root / "tmp");
    std::filesystem::permissions(root / "tmp", std::filesystem::perms{01777});
    std::filesystem::copy_file("/bin/busybox", root / "bin/busybox");
    for (const char* name : {"sh", "cat", "echo", "httpd", "id", "kill", "ls", "mkdir", "ps",
                             "sleep", "stat", "test", "touch", "true", "wc", "wget"})
      std::filesystem::create_symlink("busybox", root / ("bin/" + std::string{name}));
    REQUIRE(
        replace_file(root / "etc/passwd", "root:x:0:0::/:/bin/sh\nwork:x:4711:4711::/:/bin/sh\n"));
    const std::filesystem::path archive = root / "image.tar";
    run_command({"tar", "--create", "--file", archive.string(), "--directory", root.path().string(),
                 "bin", "etc", "tmp"});
    run_command({"docker", "import", archive.string(), plain});
    run_command({"docker", "build", "--quiet", "--tag", other_user, "-"},
                "FROM " + plain + "\nUSER work\n");
    run_command({"docker", "build", "--quiet", "--tag", web, "-"},
                "FROM " + plain + "\nEXPOSE 8000\n");
    run_command({"docker", "build", "--quiet", "--tag", checked, "-"},
                "FROM " + web +
                    "\nHEALTHCHECK --interval=200ms --start-period=30s CMD test -e /tmp/ready\n");
  }
  ~Images() {
    ProcessSpec spec;
    spec.argv = {"docker", "rmi", "--force", checked, web, other_user, plain};
    spec.env = environment_subset({"PATH", "HOME", "DOCKER_HOST"});
    (void)collect_process(spec);
  }
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

  std::string plain = "slipway-test-" + random_hex(6) + ":plain";
  std::string other_user = "slipway-test-" + random_hex(6) + ":user";
  std::string web = "slipway-test-" + random_hex(6) + ":web";
  std::string checked = "slipway-test-" + random_hex(6) + ":checked";
};

inline const Images& images() {
  static const Images made;
  return made;
}

// A registry that lets nobody in without a password.
class ClosedRegistry {
 public:
  ClosedRegistry() {
    // Of "correct-password".
    REQUIRE(replace_file(directory_ / "users",
                         "user:$2y$05$abcdefghijklmnopqrstuuQ1r5cG1iNx7gU/7PdnUErse9Ii7K/WW\n"));
    REQUIRE(replace_file(
        directory_ / "config.yml",
        "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: " +
            (directory_ / "data").string() + "}}\nhttp: {addr: '127.0.0.1:" + port_ +
            "'}\nauth: {htpasswd: {realm: closed, path: " + (directory_ / "users").string() +
            "}}\n"));
    ProcessSpec spec;
    spec.argv = {"docker-registry", "serve", (directory_ / "config.yml").string()};
    spec.env = environment_subset({"PATH"});
    auto started = ChildProcess::start(spec);
    REQUIRE(started);
    process_.emplace(std::move(*started));
    std::string words;
    while (words.find("listening on") == std::string::npos) {
      pollfd ready{process_->output_fd(), POLLIN, 0};
      REQUIRE(::poll(&ready, 1, 30'000) == 1);
      char piece[256];
      const ssize_t got = ::read(process_->output_fd(), piece, sizeof piece);
      REQUIRE(got > 0);
      words.append(piece, static_cast<std::size_t>(got));
    }
  }
  ~ClosedRegistry() {
    process_->signal_group(SIGKILL);
    process_->wait();
  }
  ClosedRegistry(const ClosedRegistry&) = delete;
  ClosedRegistry& operator=(const ClosedRegistry&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + port_; }
  [[nodiscard]] std::string auth_config() const {
    return R"({"auths":{")" + address() + R"(":{"auth":")" +
           base64_encode("user:correct-password") + R"("}}})";
  }
  void push(const std::string& from, const std::string& to) const {
    std::filesystem::create_directories(directory_ / "docker");
    REQUIRE(replace_file(directory_ / "docker/config.json", auth_config()));
    run_command({"docker", "tag", from, to});
    run_command({"docker", "--config", (directory_ / "docker").string(), "push", "--quiet", to});
    run_command({"docker", "rmi", to});
  }

 private:
  // One that was free a moment ago: the registry does not say which the kernel chose.
  static std::string free_port() {
    const UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return std::to_string(ntohs(address.sin_port));
  }

  TempDirectory directory_;
  std::string port_ = free_port();
  std::optional<ChildProcess> process_;
};

struct DockerBench : JobBench {
  explicit DockerBench(const std::string& image = images().plain)
      : JobBench(runner::ExecutorKind::Docker) {
    settings.default_image = image;
    settings.pull_policies = {"never"};
    label = "test-" + random_hex(6);
  }
  [[nodiscard]] std::string containers() const {
    return run_command(
        {"docker", "ps", "--all", "--quiet", "--filter", "label=slipway.runner=" + label});
  }
};

// Under the alias `web`.
inline pipeline::JobImage web_service(std::vector<std::string> command) {
  pipeline::JobImage service;
  service.name = images().web;
  service.alias = "web";
  service.command = std::move(command);
  return service;
}

inline std::vector<std::string> networks_of(const DockerBench& bench) {
  const auto told = run_command(
      {"docker", "network", "ls", "--quiet", "--filter", "label=slipway.runner=" + bench.label});
  return told.empty() ? std::vector<std::string>{} : std::vector<std::string>{told};
}

}  // namespace slipway::test
