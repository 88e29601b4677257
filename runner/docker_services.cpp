#include "runner/docker_services.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "runner/docker_command.h"
#include "runner/docker_images.h"
#include "runner/script.h"

namespace slipway::runner {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBetweenLooks{100};
constexpr milliseconds kConnectTimeout{500};
constexpr const char* kLastLines = "50";

// What docker knows of a container; a null value when it is gone.
json inspected(const std::string& container) {
  const auto told = docker({"inspect", "--type", "container", container});
  if (!told || !told->outcome.succeeded()) return nullptr;
  const json list = json::parse(told->output, nullptr, false);
  return list.is_array() && !list.empty() ? list.front() : json(nullptr);
}

// The value at a path of keys, or null.
json at_path(const json& value, const std::vector<std::string>& keys) {
  const json* at = &value;
  for (const std::string& key : keys) {
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &(*at)[key];
  }
  return *at;
}

std::vector<int> exposed_ports(const json& container) {
  std::vector<int> ports;
  const json exposed = at_path(container, {"Config", "ExposedPorts"});
  if (!exposed.is_object()) return ports;
  for (const auto& [name, nothing] : exposed.items()) {
    int port = 0;
    const auto slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash) == "/tcp" &&
        std::from_chars(name.data(), name.data() + slash, port).ec == std::errc{})
      ports.push_back(port);
  }
  return ports;
}

bool accepts(const std::string& address, int port) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &peer.sin_addr) != 1) return false;
  const UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket.is_open()) return false;
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0) return true;
  pollfd watched{socket.get(), POLLOUT, 0};
  if (::poll(&watched, 1, static_cast<int>(kConnectTimeout.count())) != 1) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

enum class Readiness : std::uint8_t { Ready, NotYet, Ended };

// Only in a network that somebody made has a container names.
bool has_aliases(const std::string& network) {
  return network != "host" && network != "none";
}

Readiness readiness_of(const json& container, const std::string& network) {
  if (container.is_null() || at_path(container, {"State", "Running"}) != true)
    return Readiness::Ended;
  const json health = at_path(container, {"State", "Health", "Status"});
  if (health.is_string() && health != "none")
    return health == "healthy" ? Readiness::Ready : Readiness::NotYet;
  const auto ports = exposed_ports(container);
  if (ports.empty()) return Readiness::Ready;
  const json address =
      network == "host" ? json("127.0.0.1")
                        : at_path(container, {"NetworkSettings", "Networks", network, "IPAddress"});
  if (!address.is_string()) return Readiness::NotYet;
  const std::string ip = address;
  return std::any_of(ports.begin(), ports.end(), [&](int port) { return accepts(ip, port); })
             ? Readiness::Ready
             : Readiness::NotYet;
}

// How it came to its end, as far as docker knows.
std::string end_words(const json& container, const std::string& memory_limit) {
  if (at_path(container, {"State", "OOMKilled"}) == true)
    return ", out of memory" + (memory_limit.empty() ? "" : ": its limit is " + memory_limit);
  const json code = at_path(container, {"State", "ExitCode"});
  return code.is_number_integer() ? " with exit code " + code.dump() : "";
}

// Whether docker's own command, or what loads it, would obey a variable of this name.
bool steers_docker(const std::string& name) {
  const auto begins = [&](std::string_view with) {
    return name.compare(0, with.size(), with) == 0;
  };
  return begins("DOCKER_") || begins("LD_") || begins("GO") || begins("OTEL_") || name == "PATH" ||
         name == "HOME" || name == "HTTP_PROXY" || name == "HTTPS_PROXY" || name == "NO_PROXY";
}

std::vector<pipeline::JobVariable> passable(std::vector<pipeline::JobVariable> variables) {
  const auto is_not = [&](const pipeline::JobVariable& variable) {
    return !is_variable_name(variable.key);
  };
  variables.erase(std::remove_if(variables.begin(), variables.end(), is_not), variables.end());
  return variables;
}

// False when it was to stop.
bool sleep_for(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

DockerServices::DockerServices(const RunnerSettings& settings, const Workplace& workplace,
                               std::vector<pipeline::JobImage> services,
                               std::vector<pipeline::JobVariable> variables,
                               std::string runner_label, std::string name)
    : settings_(settings),
      workplace_(workplace),
      services_(std::move(services)),
      variables_(passable(std::move(variables))),
      runner_label_(std::move(runner_label)),
      name_(std::move(name)) {
  for (pipeline::JobImage& service : services_)
    service.variables = passable(std::move(service.variables));
}

DockerServices::~DockerServices() {
  std::vector<std::string> containers;
  for (const Service& service : started_) containers.push_back(service.container);
  if (!containers.empty()) remove_containers(containers);
  if (!network_.empty() && settings_.docker_network_mode.empty())
    (void)docker({"network", "rm", network_});
}

bool DockerServices::has_names() const {
  return !network_.empty() && has_aliases(network_);
}

std::vector<std::string> DockerServices::names_of(const pipeline::JobImage& service) {
  std::vector<std::string> names;
  const auto add = [&](std::string name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  };
  std::string alias;
  for (const char c : service.alias + " ") {
    if (c != ' ' && c != ',') {
      alias += c;
      continue;
    }
    add(std::exchange(alias, {}));
  }
  std::string path = service.name.substr(0, service.name.find('@'));
  const auto colon = path.rfind(':');
  if (colon != std::string::npos && path.find('/', colon) == std::string::npos) path.resize(colon);
  // A registry's port is no part of a name.
  if (const auto slash = path.find('/'); slash != std::string::npos) {
    const auto port = path.find(':');
    if (port < slash) path.erase(port, slash - port);
  }
  for (const char* between : {"__", "-"}) {
    std::string name;
    for (const char c : path) c == '/' ? name += between : name += c;
    add(std::move(name));
  }
  return names;
}

std::vector<std::string> DockerServices::arguments(const pipeline::JobImage& service,
                                                   const std::string& container,
                                                   const std::string& pull) const {
  std::vector<std::string> arguments{"run",       "--detach",     "--name",       container,
                                     "--network", network_,       "--log-driver", "json-file",
                                     "--log-opt", "max-size=10m", "--pull",       pull};
  const auto limits = docker_limits(settings_, runner_label_);
  arguments.insert(arguments.end(), limits.begin(), limits.end());
  const auto add = [&](const char* flag, const std::string& value) {
    if (value.empty()) return;
    arguments.emplace_back(flag);
    arguments.push_back(value);
  };
  if (has_aliases(network_))
    for (const std::string& name : names_of(service)) add("--network-alias", name);
  add("--volume", workplace_.project.string() + ":" + workplace_.project.string());
  add("--user", service.docker_user);
  add("--platform", service.docker_platform);
  std::vector<std::string> command = service.command.value_or(std::vector<std::string>{});
  if (service.entrypoint) {
    const auto& entrypoint = *service.entrypoint;
    arguments.emplace_back("--entrypoint");
    arguments.push_back(entrypoint.empty() ? "" : entrypoint.front());
    if (entrypoint.size() > 1)
      command.insert(command.begin(), entrypoint.begin() + 1, entrypoint.end());
  }
  // By name alone, so that no list of processes shows a value, but for what would steer docker.
  for (const auto& list : {variables_, service.variables})
    for (const pipeline::JobVariable& variable : list)
      add("--env", variable.key + (steers_docker(variable.key) ? "=" + variable.value : ""));
  arguments.push_back(service.name);
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

Result<void> DockerServices::start(const std::map<std::string, std::string>& registries,
                                   milliseconds deadline, const Sink& sink,
                                   const std::stop_token& stop) {
  network_ = settings_.docker_network_mode;
  if (services_.empty()) return {};
  if (network_.empty())
    if (auto made = make_network(); !made) return made;
  for (const pipeline::JobImage& service : services_) {
    sink("Starting service " + service.name + "...\n");
    if (auto started = start_one(service, registries, deadline, sink, stop); !started)
      return std::move(started).error().in("service " + service.name);
  }
  for (const Service& service : started_) wait_for(service, sink, stop);
  return {};
}

Result<void> DockerServices::make_network() {
  const std::string name = name_ + "-net";
  const auto made = docker({"network", "create", "--label", docker_label(runner_label_), name});
  if (!made) return made.error();
  if (!made->outcome.succeeded())
    return fail(ErrorKind::Unavailable, "docker made no network: " + made->output);
  network_ = name;
  return {};
}

Result<void> DockerServices::start_one(const pipeline::JobImage& service,
                                       const std::map<std::string, std::string>& registries,
                                       milliseconds deadline, const Sink& sink,
                                       const std::stop_token& stop) {
  if (service.name.empty() || service.name.front() == '-')
    return fail(ErrorKind::InvalidInput, "'" + service.name + "' is no name of an image");
  if (auto allowed =
          check_allowed(service.name, settings_.allowed_services, "runner_allowed_services");
      !allowed)
    return allowed;
  const auto policies = pull_policies(settings_, service.pull_policy);
  if (!policies) return policies.error();
  const DockerKept kept{settings_.cache_dir};
  const auto pull = get_image(service.name, service.docker_platform, *policies, registries,
                              deadline, sink, stop, kept);
  if (!pull) return pull.error();
  const std::string container = name_ + "-service-" + std::to_string(started_.size() + 1);
  const auto names = names_of(service);
  started_.push_back({container, names.empty() ? service.name : names.front()});
  std::map<std::string, std::string> environment = registries;
  for (const auto& list : {variables_, service.variables})
    for (const pipeline::JobVariable& variable : list)
      if (!steers_docker(variable.key)) environment.insert_or_assign(variable.key, variable.value);
  const auto done = docker(arguments(service, container, *pull), deadline, environment, stop);
  if (!done) return done.error();
  if (done->outcome.succeeded()) kept.image_used(service.name, done->output);
  if (done->outcome.succeeded() || stop.stop_requested()) return {};
  constexpr int kDockerFailed = 125;
  const bool no_image = done->outcome.code == kDockerFailed && says_no_image(done->output);
  return fail(no_image ? ErrorKind::NotFound : ErrorKind::Unavailable,
              (no_image ? "its image is not to be had: " : "it did not start: ") + done->output);
}

void DockerServices::wait_for(const Service& service, const Sink& sink,
                              const std::stop_token& stop) const {
  const auto begun = steady_clock::now();
  const auto until = begun + settings_.docker_services_timeout;
  for (;;) {
    const json container = inspected(service.container);
    const Readiness now = readiness_of(container, network_);
    const auto took = std::chrono::duration<double>(steady_clock::now() - begun).count();
    if (now == Readiness::Ready) {
      sink(fmt::format("Service {} is ready after {:.1f} s\n", service.shown, took));
      return;
    }
    if (now == Readiness::Ended) {
      sink("WARNING: service " + service.shown + " has ended" +
           end_words(container, settings_.docker_memory) + "; its last words:\n");
      return tell_last_words(service, sink);
    }
    if (steady_clock::now() >= until) {
      sink(fmt::format("WARNING: service {} did not answer within {:.0f} s; its last words:\n",
                       service.shown, took));
      return tell_last_words(service, sink);
    }
    if (!sleep_for(kBetweenLooks, stop)) return;
  }
}

void DockerServices::tell_last_words(const Service& service, const Sink& sink) const {
  const auto words = docker({"logs", "--tail", kLastLines, service.container});
  if (!words) return;
  std::string text = words->output;
  if (!text.empty() && text.back() != '\n') text += '\n';
  sink(text.empty() ? "(none)\n" : text);
}

}  // namespace slipway::runner
