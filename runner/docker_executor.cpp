#include "runner/docker_executor.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <sstream>
#include <system_error>
#include <thread>

#include "base/crypto.h"
#include "base/files.h"
#include "base/process.h"
#include "runner/docker_command.h"
#include "runner/docker_volumes.h"

namespace slipway::runner {
namespace {

constexpr std::size_t kKeptWords = 4096;
constexpr std::chrono::seconds kGrace{10};
constexpr std::chrono::minutes kAfterScriptDeadline{5};

// bash where the image has it, else the plain shell: a login shell reads the image's profile, as
// people are used to. Not read from standard input, which then belongs to the script alone.
constexpr const char* kFindShell =
    "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

std::optional<int> exit_code_in(const std::filesystem::path& file) {
  const auto text = read_file(file, 16);
  int code = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), code).ec != std::errc{})
    return std::nullopt;
  return code;
}

// What the driver found in the container's cgroup, as a sentence; "" when memory was not the
// matter.
std::string memory_words(const std::filesystem::path& file) {
  std::istringstream found{read_file(file, 4096).value_or("")};
  std::map<std::string, double> figures;
  std::string name;
  for (double value = 0; found >> name >> value;) figures[name] = value;
  if (figures["oom_kill"] < 1) return {};
  constexpr double kMega = 1 << 20;
  std::string words =
      fmt::format("the job ran out of memory: its limit is {:.0f} MiB", figures["limit"] / kMega);
  if (figures["peak"] > 0) words += fmt::format(", its peak {:.0f} MiB", figures["peak"] / kMega);
  return words + "; the kernel killed what took most";
}

}  // namespace

DockerExecutor::DockerExecutor(const RunnerSettings& settings, Workplace workplace,
                               pipeline::JobImage image, std::vector<pipeline::JobImage> services,
                               std::vector<pipeline::JobVariable> service_variables,
                               RegistryAccess access, std::string runner_label,
                               std::string volume_scope, std::int64_t job, int attempts)
    : settings_(settings),
      workplace_(std::move(workplace)),
      image_(std::move(image)),
      access_(std::move(access)),
      runner_label_(std::move(runner_label)),
      volume_scope_(std::move(volume_scope)),
      container_("slipway-job-" + std::to_string(job) + "-" + random_hex(4)),
      services_(settings, workplace_, std::move(services), std::move(service_variables),
                runner_label_, container_),
      attempts_(attempts) {}

DockerExecutor::~DockerExecutor() {
  // `--rm` removes it in the ordinary case; this is for a docker command that was killed.
  if (may_exist_) remove_containers({container_});
}

Result<void> DockerExecutor::prepare(std::chrono::milliseconds deadline, const Sink& sink,
                                     const std::stop_token& stop) {
  if (image_.name.empty())
    return fail(ErrorKind::InvalidInput, "the job names no image and the runner has no default one")
        .with_hint("add `image:` to the job, or set runner_default_image");
  if (image_.name.front() == '-')
    return fail(ErrorKind::InvalidInput, "'" + image_.name + "' is no name of an image");
  if (image_.name != settings_.default_image)
    if (auto allowed =
            check_allowed(image_.name, settings_.allowed_images, "runner_allowed_images");
        !allowed)
      return allowed;
  sink("Using Docker executor with image " + image_.name + " ...\n");
  auto registries = make_docker_config(workplace_.own / "docker", access_);
  if (!registries) return std::move(registries).error();
  registries_ = std::move(*registries);
  const auto policies = pull_policies(settings_, image_.pull_policy);
  if (!policies) return policies.error();
  const DockerKept kept{settings_.cache_dir};
  auto pull = get_image(image_.name, image_.docker_platform, *policies, registries_, deadline, sink,
                        stop, kept);
  if (!pull) return std::move(pull).error();
  pull_ = std::move(*pull);
  auto volumes = docker_volumes(settings_.docker_volumes, volume_scope_, runner_label_, kept);
  if (!volumes) return std::move(volumes).error();
  volumes_ = std::move(*volumes);
  return services_.start(registries_, deadline, sink, stop);
}

std::vector<std::string> DockerExecutor::arguments(
    const std::vector<std::filesystem::path>& borrowed) const {
  std::vector<std::string> arguments{"docker",       "run",
                                     "--rm",         "--interactive",
                                     "--log-driver", "none",
                                     "--name",       container_,
                                     "--pull",       pull_,
                                     "--cidfile",    (workplace_.own / "container").string(),
                                     "--workdir",    workplace_.project.string()};
  const auto limits = docker_limits(settings_, runner_label_);
  arguments.insert(arguments.end(), limits.begin(), limits.end());
  for (const auto& directory : {workplace_.project, workplace_.temporary}) {
    arguments.emplace_back("--volume");
    arguments.push_back(directory.string() + ":" + directory.string());
  }
  const auto add = [&](const char* flag, const std::string& value) {
    if (value.empty()) return;
    arguments.emplace_back(flag);
    arguments.push_back(value);
  };
  const auto add_readable = [&](const std::filesystem::path& directory) {
    if (std::filesystem::is_directory(directory))
      add("--volume", directory.string() + ":" + directory.string() + ":ro");
  };
  add_readable(workplace_.objects);
  for (const auto& directory : borrowed)
    if (directory != workplace_.objects) add_readable(directory);
  add("--network", services_.network());
  if (services_.has_names()) add("--network-alias", "build");
  for (const std::string& volume : volumes_) add("--volume", volume);
  if (settings_.docker_socket) add("--volume", "/var/run/docker.sock:/var/run/docker.sock");
  add("--user", image_.docker_user);
  add("--platform", image_.docker_platform);
  std::vector<std::string> command{"sh", "-c", kFindShell};
  if (image_.entrypoint) {
    const auto& entrypoint = *image_.entrypoint;
    arguments.emplace_back("--entrypoint");
    arguments.push_back(entrypoint.empty() ? "" : entrypoint.front());
    if (entrypoint.size() > 1)
      command.insert(command.begin(), entrypoint.begin() + 1, entrypoint.end());
  }
  arguments.push_back(image_.name);
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

// Where the script and the runner tell each other how far they are. Any user of an image may write
// there; the dot keeps the name apart from those of file variables.
std::filesystem::path DockerExecutor::mark(const char* name) const {
  return workplace_.temporary / ".marks" / name;
}

Result<void> DockerExecutor::make_marks() const {
  const auto directory = mark("x").parent_path();
  std::error_code failed;
  std::filesystem::remove_all(directory, failed);  // of an earlier script
  if (!failed) std::filesystem::remove(workplace_.own / "container", failed);
  if (!failed) std::filesystem::create_directory(directory, failed);
  if (!failed) std::filesystem::permissions(directory, std::filesystem::perms{0777}, failed);
  if (failed) return errno_error("cannot make '" + directory.string() + "'", failed.value());
  return {};
}

// Every process of the container but the first, which waits for them and runs the after_script.
bool DockerExecutor::ask_to_end() const {
  const auto asked = docker({"exec", container_, "sh", "-c", "kill -TERM -1"});
  return asked && (asked->outcome.succeeded() || asked->outcome.code == 128 + SIGTERM);
}

void DockerExecutor::kill() const {
  (void)docker({"kill", container_});
}

// The container is asked first and killed after the grace. Ending the docker command alone would
// leave it running.
void DockerExecutor::end_when_asked(const std::stop_token& stop, const std::stop_token& lost,
                                    const std::stop_token& finished,
                                    std::stop_source& abandon) const {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock{mutex};
  {
    std::stop_source either;
    const std::stop_callback on_stop{stop, [&] { either.request_stop(); }};
    const std::stop_callback on_finished{finished, [&] { either.request_stop(); }};
    changed.wait(lock, either.get_token(), [] { return false; });
  }
  if (finished.stop_requested()) return;
  const auto finished_within = [&](std::chrono::seconds time, const auto& or_else) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!finished.stop_requested() && !or_else() && std::chrono::steady_clock::now() < until)
      changed.wait_for(lock, finished, std::chrono::milliseconds{100}, [] { return false; });
    return finished.stop_requested();
  };
  const auto ended = [&] { return std::filesystem::exists(mark("ended")); };
  (void)replace_file(mark("canceled"), "", 0644);
  // An after_script that runs already is let run.
  if (!lost.stop_requested() && (ended() || ask_to_end())) {
    if (finished_within(kGrace, ended)) return;
    if (ended() && finished_within(kAfterScriptDeadline + kGrace, [] { return false; })) return;
  }
  kill();
  if (!finished_within(kGrace, [] { return false; })) abandon.request_stop();
}

// The container's first act is to leave a file; without it docker itself has failed.
Result<ScriptOutcome> DockerExecutor::never_started(int exit_code, const std::string& words) const {
  constexpr int kDockerFailed = 125;
  const bool created = std::filesystem::exists(workplace_.own / "container");
  if (exit_code == kDockerFailed && !created) {
    if (says_no_image(words))
      return fail(ErrorKind::NotFound,
                  "the image '" + image_.name + "' is not to be had: " + words);
    return fail(ErrorKind::Unavailable, "docker made no container: " + words)
        .with_hint("`docker info`, as the runner's user, tells whether its engine can be reached");
  }
  return fail(ErrorKind::Unavailable, "the container did not start: " + words)
      .with_hint("the image needs a shell, and an entrypoint that runs what it is given");
}

// A script that has begun is never run again.
Result<ScriptOutcome> DockerExecutor::run(const JobScripts& scripts,
                                          std::chrono::milliseconds deadline, const Sink& sink,
                                          const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (int attempt = 1;; ++attempt) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    auto ended = run_once(scripts, std::max(left, std::chrono::milliseconds{1}), sink, stop);
    const bool may_mend = !ended && ended.error().kind == ErrorKind::Unavailable &&
                          !std::filesystem::exists(mark("started"));
    if (!may_mend || attempt >= attempts_ || stop.stop_requested()) return ended;
    sink(fmt::format("WARNING: {}; attempt {} of {}\n", ended.error().message, attempt + 1,
                     attempts_));
    remove_containers({container_});
  }
}

Result<ScriptOutcome> DockerExecutor::run_once(const JobScripts& scripts,
                                               std::chrono::milliseconds deadline, const Sink& sink,
                                               const std::stop_token& stop) {
  if (auto made = make_marks(); !made) return std::move(made).error();
  const auto started = mark("started");
  std::string after;
  if (scripts.after) {
    Script script = *scripts.after;  // which must not undo what the driver says of the first
    const auto says_status = [](const auto& entry) { return entry.first == "CI_JOB_STATUS"; };
    script.variables.erase(
        std::remove_if(script.variables.begin(), script.variables.end(), says_status),
        script.variables.end());
    after = script_text(script);
  }
  ProcessSpec spec;
  spec.argv = arguments(scripts.borrowed);
  spec.env = docker_environment();
  for (const auto& [name, value] : registries_) spec.env[name] = value;
  spec.deadline = deadline;
  spec.grace = std::chrono::seconds{0};
  spec.input = driver_text(started.parent_path().string(), script_text(scripts.main),
                           scripts.after_heading, after);
  may_exist_ = true;
  std::string words;  // docker's own, when there is no container to speak
  bool begun = false;
  std::stop_source abandon;
  std::jthread watcher{[&, stop](const std::stop_token& finished) {
    end_when_asked(stop, scripts.lost, finished, abandon);
  }};
  const auto outcome = run_process(
      spec,
      [&](std::string_view chunk) {
        // What comes later may be the job's words.
        if (!begun && words.size() < kKeptWords && !(begun = std::filesystem::exists(started)))
          words += chunk.substr(0, kKeptWords - words.size());
        sink(chunk);
      },
      abandon.get_token());
  watcher.request_stop();
  watcher.join();
  if (!outcome) return outcome.error();
  if (outcome->end == ProcessEnd::TimedOut) kill();
  may_exist_ = outcome->end != ProcessEnd::Exited;
  DockerKept{settings_.cache_dir}.image_used(image_.name, words);
  if (outcome->end == ProcessEnd::TimedOut) {
    // The time of an after_script changes nothing about the result of the script.
    const auto ended = scripts.after ? exit_code_in(mark("ended")) : std::nullopt;
    if (!ended) return ScriptOutcome{ScriptEnd::TimedOut, 0, {}};
    sink("WARNING: after_script was stopped at the end of the job's time\n");
    return ScriptOutcome{ScriptEnd::Exited, *ended, {}};
  }
  if (stop.stop_requested()) return ScriptOutcome{ScriptEnd::Canceled, 0, {}};
  const int code = outcome->end == ProcessEnd::Signalled ? 128 + outcome->code : outcome->code;
  if (code != 0 && !std::filesystem::exists(started)) return never_started(code, words);
  if (code != 0 && !std::filesystem::exists(mark("ended")))
    return fail(ErrorKind::Unavailable,
                "the container was killed from outside, with exit code " + std::to_string(code) +
                    (settings_.docker_memory.empty()
                         ? ""
                         : "; its memory limit is " + settings_.docker_memory))
        .with_hint("somebody on the runner's machine ended it, or that machine ran out of memory");
  if (scripts.after) sink(scripts.after_end);
  return ScriptOutcome{ScriptEnd::Exited, code, code == 0 ? "" : memory_words(mark("memory"))};
}

}  // namespace slipway::runner
