#include "runner/doctor.h"

#include <spdlog/fmt/fmt.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/http_client.h"
#include "base/process.h"
#include "runner/docker_command.h"

namespace slipway::runner {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr double kGigabyte = 1024.0 * 1024 * 1024;
constexpr double kLittleSpace = 2 * kGigabyte;
constexpr double kNoSpace = 0.1 * kGigabyte;
constexpr UnixMillis kClockOff = 60'000;  // tokens and artifact dates are off by as much

Finding good(std::string what, std::string text) {
  return {std::move(what), Health::Good, std::move(text), {}};
}

Finding doubtful(std::string what, std::string text, std::string hint) {
  return {std::move(what), Health::Doubtful, std::move(text), std::move(hint)};
}

Finding bad(std::string what, std::string text, std::string hint) {
  return {std::move(what), Health::Bad, std::move(text), std::move(hint)};
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

// The first line of what a program says; nullopt when it is not there or fails.
std::optional<std::string> says(std::vector<std::string> argv) {
  ProcessSpec spec;
  spec.argv = std::move(argv);
  spec.env = environment_subset({"PATH", "HOME"});
  spec.deadline = 10s;
  const auto done = collect_process(spec, 64U << 10U);
  if (!done || !done->outcome.succeeded()) return std::nullopt;
  return first_line(done->output);
}

Finding check_git() {
  if (const auto version = says({"git", "--version"})) return good("git", *version);
  return bad("git", "there is none that runs", "without it no job gets its sources: install git");
}

Finding check_shell() {
  if (const auto version = says({"bash", "--version"})) return good("shell", *version);
  return doubtful("shell", "there is no bash", "scripts run in sh; many are written for bash");
}

Finding check_git_lfs() {
  if (const auto version = says({"git", "lfs", "version"})) return good("git-lfs", *version);
  return doubtful("git-lfs", "is not installed",
                  "files under Git LFS stay pointers; Debian's package is git-lfs");
}

Finding check_docker() {
  const auto answer =
      docker({"version", "--format", "{{.Client.Version}} {{.Server.Version}}"}, 15s);
  if (!answer)
    return bad("docker", answer.error().message, "install docker.io, or use the shell executor");
  if (!answer->outcome.succeeded())
    return bad("docker", "the engine does not answer: " + first_line(answer->output),
               "start it, and let this user talk to it: usermod -aG docker USER");
  const auto versions = first_line(answer->output);
  const auto space = versions.find(' ');
  return good("docker", fmt::format("client {}, engine {}", versions.substr(0, space),
                                    space == std::string::npos ? "?" : versions.substr(space + 1)));
}

// The figures of "1.1.5" or "1.2.8-rc1"; zeros where there are none.
std::array<int, 3> figures_of(std::string_view version) {
  std::array<int, 3> figures{};
  for (int& figure : figures) {
    const auto end = std::min(version.find_first_not_of("0123456789"), version.size());
    std::from_chars(version.data(), version.data() + end, figure);
    version.remove_prefix(std::min(end + 1, version.size()));
  }
  return figures;
}

// CVE-2025-31133, 52565 and 52881: a container can write to the machine's /proc.
Finding check_runc() {
  const auto answer =
      docker({"version", "--format",
              "{{range .Server.Components}}{{if eq .Name \"runc\"}}{{.Version}}{{end}}{{end}}"},
             15s);
  const std::string version =
      answer && answer->outcome.succeeded() ? first_line(answer->output) : std::string{};
  if (version.empty()) return good("runc", "the engine tells of none");
  const auto figures = figures_of(version);
  const bool is_mended = figures >= std::array{1, 2, 8} &&
                         (figures < std::array{1, 3, 0} || figures >= std::array{1, 3, 3});
  if (is_mended) return good("runc", version);
  return doubtful("runc", version + " lets containers get out (CVE-2025-31133)",
                  "for projects that are not trusted: runc 1.2.8 or 1.3.3, or the engine's "
                  "userns-remap");
}

Finding check_docker_limits() {
  const auto answer = docker(
      {"info", "--format", "{{.CgroupVersion}} {{.MemoryLimit}} {{.PidsLimit}} {{.DockerRootDir}}"},
      15s);
  if (!answer || !answer->outcome.succeeded())
    return doubtful("docker limits", "could not be asked for", "see above");
  const auto line = first_line(answer->output);
  if (line.find("false") != std::string::npos)
    return doubtful("docker limits", "the engine cannot limit memory or processes: cgroup v" + line,
                    "one job can take the whole machine; enable the memory and pids cgroups");
  return good("docker limits", "cgroup v" + line.substr(0, line.find(' ')) + ", memory and pids");
}

// With the engine's userns-remap a container's root is nobody of the machine, and what needs the
// machine's root is refused.
Finding check_user_namespaces(const RunnerSettings& settings) {
  const char* what = "user namespaces";
  const auto answer = docker({"info", "--format", "{{range .SecurityOptions}}{{.}} {{end}}"}, 15s);
  const bool on = answer && answer->outcome.succeeded() &&
                  answer->output.find("name=userns") != std::string::npos;
  if (!on) return good(what, "off: root in a container is root on this machine, less its rights");
  if (settings.docker_socket)
    return bad(what, "on, and runner_docker_socket too: no job may use the engine's socket then",
               "one of them, or a runner of its own for jobs that build images");
  if (settings.docker_network_mode == "host")
    return bad(what, "on, and runner_docker_network_mode is host, which the engine refuses then",
               "another network mode");
  if (::geteuid() != 0)
    return doubtful(
        what, "on, and this runner is not root: it cannot remove what jobs keep to themselves",
        "run it as root, or the engine without userns-remap");
  return good(what, "on: root in a container is nobody on this machine");
}

Finding check_disk(const std::string& what, const fs::path& directory, const char* flag) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    return bad(what, fmt::format("{} cannot be made: {}", directory.string(), error.message()),
               fmt::format("give {} a directory that this user may write", flag));
  const auto probe = directory / fmt::format(".doctor-{}", ::getpid());
  if (const auto written = replace_file(probe, "", 0600); !written)
    return bad(what, written.error().message,
               fmt::format("give {} a directory that this user may write", flag));
  fs::remove(probe, error);

  struct statvfs disk {};
  if (::statvfs(directory.c_str(), &disk) != 0)
    return doubtful(what, directory.string() + " does not tell its size", "look with df");
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  const auto text = fmt::format("{:.1f} GiB free under {}", free / kGigabyte, directory.string());
  if (disk.f_files > 0 && disk.f_favail < 10'000)
    return bad(what, fmt::format("{} files can still be made", disk.f_favail), "remove files");
  if (free < kNoSpace) return bad(what, text, "make room: jobs will fail");
  if (free < kLittleSpace) return doubtful(what, text, "make room before jobs need it");
  return good(what, text);
}

Finding check_cgroups() {
  const bool unified = fs::exists("/sys/fs/cgroup/cgroup.controllers");
  const fs::path root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
  if (!fs::exists(root))
    return doubtful("cgroups", "none are mounted", "shell jobs run without limits");
  const auto text = unified ? "v2" : "v1";
  if (::access(root.c_str(), W_OK) != 0)
    return doubtful("cgroups", fmt::format("{}, not writable for this user", text),
                    "what a shell job leaves behind is found by its session alone");
  return good("cgroups", text);
}

void check_server(const RunnerSettings& settings, const RunnerIdentity& identity,
                  std::vector<Finding>& findings) {
  HttpClientOptions options;
  options.connect_timeout = 5s;
  options.read_timeout = 10s;
  auto http = HttpClient::create(settings.url, options);
  if (!http) {
    findings.push_back(bad("server", http.error().message, "see --runner-url"));
    return;
  }
  HttpRequest request;
  request.target = "/api/v4/version";
  const auto begun = SystemClock{}.now();
  const auto answer = http->send(request);
  if (!answer) {
    findings.push_back(bad("server", answer.error().message,
                           "is it running, and is there a way to it from here?"));
    return;
  }
  const auto body = nlohmann::json::parse(answer->body, nullptr, false);
  const bool ours = answer->status == 200 && body.is_object() && body.contains("version") &&
                    body["version"].is_string();
  if (!ours) {
    findings.push_back(bad("server", fmt::format("{} answered {}", settings.url, answer->status),
                           "is this the address of a Slipway server?"));
    return;
  }
  const auto version = body["version"].get<std::string>();
  const auto text = fmt::format("{}, version {}", settings.url, version);
  findings.push_back(version == SLIPWAY_VERSION
                         ? good("server", text)
                         : doubtful("server", text + ", and this runner is " + SLIPWAY_VERSION,
                                    "update the older one"));

  const auto date = parse_http_date(answer->header("Date").value_or(""));
  if (!date) {
    findings.push_back(doubtful("clock", "the server does not tell its time", "compare by hand"));
  } else if (const auto off = std::llabs(*date - begun); off > kClockOff) {
    findings.push_back(doubtful("clock", fmt::format("{} s away from the server's", off / 1000),
                                "synchronise both, with systemd-timesyncd for one"));
  } else {
    findings.push_back(good("clock", "agrees with the server's"));
  }

  auto client = CoordinatorClient::create(identity, 10s);
  if (!client) return;
  const auto number = client->verify();
  findings.push_back(number ? good("token", fmt::format("of runner {}", *number))
                            : bad("token", number.error().message, number.error().hint));
}

}  // namespace

std::string_view to_string(Health health) {
  switch (health) {
    case Health::Good: return "ok";
    case Health::Doubtful: return "warning";
    case Health::Bad: return "error";
  }
  return "error";
}

std::vector<Finding> examine(const RunnerSettings& settings, const RunnerIdentity& identity) {
  std::vector<Finding> findings;
  findings.push_back(good("slipway", SLIPWAY_VERSION));
  findings.push_back(check_git());
  findings.push_back(check_git_lfs());
  if (settings.executor == ExecutorKind::Shell) {
    findings.push_back(check_shell());
  } else {
    findings.push_back(check_docker());
    if (findings.back().health == Health::Good) {
      findings.push_back(check_docker_limits());
      findings.push_back(check_runc());
      findings.push_back(check_user_namespaces(settings));
    }
  }
  findings.push_back(check_disk("disk", settings.builds_dir, "--runner-builds-dir"));
  findings.push_back(check_disk("cache disk", settings.cache_dir, "--runner-cache-dir"));
  findings.push_back(check_cgroups());
  check_server(settings, identity, findings);
  return findings;
}

}  // namespace slipway::runner
