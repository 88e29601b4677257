#include "runner/job_run.h"

#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <ctime>
#include <system_error>

#include "base/crypto.h"
#include "base/files.h"
#include "base/logging.h"
#include "pipeline/variables.h"
#include "runner/artifact_transfer.h"
#include "runner/docker_executor.h"
#include "runner/shell_executor.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptTail = 4096;
constexpr const char* kClearLine = "\r\x1b[0K";
// In the runner's own directory; emptied after each job and used again by the next.
const std::vector<std::string> kKeptFiles{"script", "after_script", "trace"};

std::string heading(const std::string& name, const std::string& title) {
  return fmt::format("section_start:{}:{}{}\x1b[36;1m{}\x1b[0;m\n", std::time(nullptr), name,
                     kClearLine, title);
}
std::string ending(const std::string& name) {
  return fmt::format("section_end:{}:{}{}", std::time(nullptr), name, kClearLine);
}

// A project's path as directories: nothing in it may lead elsewhere.
bool is_safe_path(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  for (const fs::path& part : fs::path{path})
    if (part == ".." || part == "." || part.string().front() == '-') return false;
  return true;
}

}  // namespace

class JobRun::Section {
 public:
  Section(JobRun& run, std::string name, const std::string& title)
      : run_(run), name_(std::move(name)) {
    run_.say(heading(name_, title));
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  ~Section() { run_.say(ending(name_)); }

 private:
  JobRun& run_;
  std::string name_;
};

JobRun::JobRun(const RunnerSettings& settings, const RunnerIdentity& identity,
               std::unique_ptr<JobLink> link, pipeline::JobSpec spec, JobPlace place,
               std::stop_token stop)
    : settings_(settings),
      identity_(identity),
      link_(std::move(link)),
      spec_(std::move(spec)),
      place_(std::move(place)),
      runner_stop_(std::move(stop)),
      deadline_(std::chrono::steady_clock::now() + std::chrono::seconds{spec_.timeout}) {}

std::unique_ptr<JobLink> JobRun::take_link() {
  if (trace_) return trace_->take_link();
  return std::move(link_);
}

JobRun::~JobRun() {
  remove_temporary();
}

// Of this slot alone, so that no two jobs meet in one tree.
fs::path JobRun::slot_directory() const {
  return (fs::absolute(settings_.builds_dir) / place_.runner_label / std::to_string(place_.slot))
      .lexically_normal();
}

// A job whose log cannot be kept is ended: what it does would not be seen.
void JobRun::say(std::string_view text) {
  trace_->write(text);
  if (trace_->broken()) cancel_.request_stop();
}

void JobRun::run() {
  if (auto made = make_workplace(); !made) {
    log::error("workplace.failed", {{"job", spec_.id}, {"error", made.error().message}});
    (void)link_->update(spec_.id, spec_.token,
                        {"failed", "runner_system_failure", {}, {}, 0, made.error().message});
    return;
  }
  collect_variables();
  auto trace =
      TraceWriter::start(std::move(link_), spec_.id, spec_.token, workplace_.own / "trace",
                         Masker{secrets(), spec_.token_mask_prefixes}, [this](Interruption why) {
                           if (why == Interruption::Abort) lost_.request_stop();
                           cancel_.request_stop();
                         });
  if (!trace) {
    log::error("spool.failed", {{"job", spec_.id}, {"error", trace.error().message}});
    return;  // the server notices by the lease
  }
  trace_ = std::move(*trace);
  const std::stop_callback on_runner_stop{runner_stop_, [this] { cancel_.request_stop(); }};
  const std::stop_callback on_cancel{place_.cancel, [this] { cancel_.request_stop(); }};

  log::info("job.started", {{"job", spec_.id}, {"project", spec_.project_full_path}});
  Outcome outcome = phases();
  if (trace_->broken()) outcome = failed(*trace_->broken());
  if (trace_->interruption() == Interruption::Abort) {
    log::info("job.aborted", {{"job", spec_.id}});
    result_ = "aborted";
    return;
  }
  if (outcome.success)
    say("\x1b[32;1mJob succeeded\x1b[0;m\n");
  else
    say("\x1b[31;1mERROR: Job failed" + outcome.words + "\x1b[0;m\n");
  JobState state;
  state.state = outcome.success ? "success" : "failed";
  state.failure_reason = outcome.failure_reason;
  result_ = outcome.success ? "success" : outcome.failure_reason;
  state.exit_code = outcome.exit_code;
  Masker masker{secrets(), spec_.token_mask_prefixes};
  state.text = masker.feed(outcome.text);
  state.text += masker.flush();
  const auto stopped_at = std::chrono::steady_clock::now();
  const bool told = trace_->finish(state, [&] {
    // A runner that is told to stop does not wait for ever for a server that is away.
    return runner_stop_.stop_requested() &&
           std::chrono::steady_clock::now() - stopped_at > std::chrono::seconds{30};
  });
  log::info("job.finished", {{"job", spec_.id}, {"state", state.state}, {"told", told}});
  if (sources_) sources_->tidy_objects();
}

std::vector<std::string> JobRun::secrets() const {
  std::vector<std::string> secrets{spec_.token};
  for (const pipeline::JobVariable& variable : spec_.variables)
    if (variable.masked) secrets.push_back(variable.value);
  const std::string user_info = RemoteAddress::parse(spec_.repo_url).user_info;
  if (const auto colon = user_info.find(':'); colon != std::string::npos)
    secrets.push_back(user_info.substr(colon + 1));
  for (const pipeline::JobCredential& credential : spec_.credentials)
    secrets.push_back(credential.password);
  return secrets;
}

// The tree's place: the project's path, or what GIT_CLONE_PATH says, if that is within `root` and
// no earlier job has laid a link on the way.
Result<fs::path> JobRun::tree_path(const fs::path& root) const {
  VariableMap variables{{"CI_BUILDS_DIR", root.string()},
                        {"CI_CONCURRENT_ID", std::to_string(place_.slot)},
                        {"CI_CONCURRENT_PROJECT_ID", std::to_string(place_.slot)}};
  for (const pipeline::JobVariable& variable : spec_.variables)
    variables.insert_or_assign(variable.key, variable.value);
  const std::string given = pipeline::expand_on_runner(variables["GIT_CLONE_PATH"], variables);
  if (given.empty()) return root / spec_.project_full_path;
  const fs::path wanted = fs::path{given}.lexically_normal();
  const fs::path below = wanted.lexically_relative(root);
  if (!wanted.is_absolute() || !is_safe_path(below.string()))
    return fail(ErrorKind::InvalidInput,
                "GIT_CLONE_PATH is '" + given + "', expected a path below $CI_BUILDS_DIR");
  fs::path at = root;
  for (const fs::path& part : below) {
    at /= part;
    std::error_code ignored;
    if (fs::is_symlink(fs::symlink_status(at, ignored)))
      return fail(ErrorKind::InvalidInput, "GIT_CLONE_PATH: '" + at.string() + "' is a link");
  }
  return root / (below.has_filename() ? below : below.parent_path());
}

Result<void> JobRun::make_workplace() {
  if (!is_safe_path(spec_.project_full_path))
    return fail(ErrorKind::InvalidInput, "'" + spec_.project_full_path + "' is no project path");
  const fs::path root = slot_directory();
  auto tree = tree_path(root);
  if (!tree) misplaced_ = tree.error();
  workplace_.project = tree ? *tree : root / spec_.project_full_path;
  workplace_.temporary = workplace_.project.string() + ".tmp";
  workplace_.own = workplace_.project.string() + ".run";
  if (settings_.git_cache && !settings_.cache_dir.empty())
    workplace_.objects =
        ObjectCache::place_of(fs::absolute(settings_.cache_dir) / "git",
                              RemoteAddress::parse(spec_.repo_url).url, spec_.depth > 0);
  std::error_code failed;
  fs::create_directories(root, failed);
  // Nobody else on this machine gets past here, whatever the modes below are.
  if (!failed) fs::permissions(root, fs::perms::owner_all, failed);
  for (const fs::path& directory : {workplace_.temporary, workplace_.own}) {
    if (auto emptied = empty_directory(directory, kKeptFiles); !emptied) return emptied;
    if (!failed) fs::permissions(directory, fs::perms::owner_all, failed);
  }
  if (!failed) fs::create_directories(workplace_.project, failed);
  // The user of an image may be any: it must get at the file variables whose names it knows.
  if (!failed && settings_.executor == ExecutorKind::Docker)
    fs::permissions(workplace_.temporary, fs::perms{0711}, failed);
  if (failed)
    return errno_error("cannot make '" + workplace_.project.string() + "'", failed.value());
  return {};
}

// Whoever the user of the image is, the work tree is the job's to change.
void JobRun::open_tree_to_all() const {
  const auto grant = [](const fs::path& path) {
    std::error_code ignored;
    const auto mode = fs::symlink_status(path, ignored).permissions();
    auto wanted = fs::perms{0666};
    if ((mode & fs::perms::owner_exec) != fs::perms::none) wanted = fs::perms{0777};
    fs::permissions(path, wanted, fs::perm_options::add, ignored);
  };
  grant(workplace_.project);
  std::error_code failed;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at{workplace_.project, options, failed}, end;
       !failed && at != end; at.increment(failed))
    if (!at->is_symlink(failed)) grant(at->path());
}

void JobRun::collect_variables() {
  const auto set = [this](const std::string& name, std::string value) {
    if (variables_.count(name) == 0) order_.push_back(name);
    variables_[name] = std::move(value);
  };
  // Before the job's own, so that it can override them.
  for (const std::string& line : settings_.environment) {
    const auto equals = line.find('=');
    set(line.substr(0, equals), line.substr(equals + 1));
  }
  set("CI_BUILDS_DIR", slot_directory().string());
  set("CI_PROJECT_DIR", workplace_.project.string());
  set("CI_CONCURRENT_ID", std::to_string(place_.slot));
  set("CI_CONCURRENT_PROJECT_ID", std::to_string(place_.slot));
  set("CI_SERVER", "yes");
  set("CI_JOB_STATUS", "running");
  set("CI_JOB_TIMEOUT", std::to_string(spec_.timeout));
  for (const pipeline::JobVariable& variable : spec_.variables)
    set(variable.key,
        variable.file ? (workplace_.temporary / variable.key).string() : variable.value);
  set(settings_.executor == ExecutorKind::Shell ? "CI_SHARED_ENVIRONMENT"
                                                : "CI_DISPOSABLE_ENVIRONMENT",
      "true");
  set("CI_RUNNER_VERSION", SLIPWAY_VERSION);
  set("CI_RUNNER_EXECUTABLE_ARCH", "linux/amd64");
  // So that `git fetch origin` in a script is let in, without a token in any file.
  if (variables_.count("GIT_CONFIG_COUNT") == 0)
    if (const auto credentials = credentials_of(RemoteAddress::parse(spec_.repo_url));
        !credentials.empty())
      for (const auto& [name, value] : to_environment(credentials)) set(name, value);
  // What the server left unexpanded, once, each against the values as they came.
  const auto as_given = variables_;
  for (const pipeline::JobVariable& variable : spec_.variables)
    if (!variable.raw && !variable.file)
      variables_[variable.key] = pipeline::expand_on_runner(variable.value, as_given);
}

Result<void> JobRun::write_file_variables() {
  // In a container the job may run as another user, who then could not read them; on the machine
  // itself they stay out of reach behind the directory above.
  const unsigned mode = settings_.executor == ExecutorKind::Docker ? 0644 : 0600;
  for (const pipeline::JobVariable& variable : spec_.variables) {
    if (!variable.file) continue;
    const bool plain = variable.key.find('/') == std::string::npos && !variable.key.empty();
    if (!plain) return fail(ErrorKind::InvalidInput, "'" + variable.key + "' is no variable name");
    if (auto written = replace_file(workplace_.temporary / variable.key, variable.value, mode);
        !written)
      return written;
  }
  return {};
}

std::string JobRun::expanded(const std::string& text) const {
  return pipeline::expand_on_runner(text, variables_);
}

std::chrono::milliseconds JobRun::time_left() const {
  return std::max(std::chrono::milliseconds{1},
                  std::chrono::duration_cast<std::chrono::milliseconds>(
                      deadline_ - std::chrono::steady_clock::now()));
}

JobRun::Outcome JobRun::failed(const Error& error) {
  Outcome outcome;
  switch (error.kind) {
    case ErrorKind::NotFound: outcome.failure_reason = "image_pull_failure"; break;
    case ErrorKind::InvalidInput: outcome.failure_reason = "runner_configuration_error"; break;
    default: outcome.failure_reason = "runner_system_failure"; break;
  }
  outcome.words = " (system failure): " + error.message;
  outcome.text = error.message;
  if (!error.hint.empty()) outcome.words += "\n" + error.hint;
  return outcome;
}

JobRun::Outcome JobRun::stopped_outcome() const {
  Outcome outcome;
  outcome.canceled = true;
  const bool by_runner = runner_stop_.stop_requested();
  outcome.failure_reason = by_runner ? "runner_interrupted" : "script_failure";
  outcome.words = by_runner ? ": the runner was stopped" : ": canceled";
  return outcome;
}

JobRun::Outcome JobRun::timed_out() const {
  Outcome outcome;
  outcome.failure_reason = "job_execution_timeout";
  outcome.words = fmt::format(": execution took longer than {} seconds", spec_.timeout);
  outcome.text = fmt::format("its time was {} seconds", spec_.timeout);
  return outcome;
}

JobRun::Outcome JobRun::phases() {
  say(fmt::format("Running with slipway-runner {}\n  on {} {}\n", SLIPWAY_VERSION, settings_.name,
                  identity_.system_id));
  std::unique_ptr<Executor> executor = make_executor();
  {
    const Section section{
        *this, "prepare_executor",
        fmt::format("Preparing the \"{}\" executor", to_string(settings_.executor))};
    // Services run already while the sources come: nothing of theirs before the job is ours.
    if (!spec_.services.empty() && !trace_->wait_until_ours(cancel_.get_token()))
      return stopped_outcome();
    const auto sink = [this](std::string_view chunk) { say(chunk); };
    const auto prepared = executor->prepare(time_left(), sink, cancel_.get_token());
    if (is_stopped()) return stopped_outcome();
    if (!prepared) return failed(prepared.error());
  }
  {
    const Section section{*this, "prepare_script", "Preparing environment"};
    say("Running on " + settings_.name + "...\n");
    if (!spec_.services.empty() && settings_.executor == ExecutorKind::Shell)
      say("WARNING: `services` need the docker executor; the job runs without them\n");
    if (auto written = write_file_variables(); !written) return failed(written.error());
  }
  // Nothing of the project is touched before the server has said that the job is ours.
  if (!trace_->wait_until_ours(cancel_.get_token())) return stopped_outcome();
  if (auto got = get_sources(); !got.success) return got;
  auto caches = open_caches();
  if (caches && caches->restores()) {
    const Section section{*this, "restore_cache", "Restoring cache"};
    caches->restore();
  }
  if (auto done = download_dependencies(); !done) {
    Outcome outcome = failed(done.error());
    outcome.failure_reason = "runner_system_failure";
    return outcome;
  }
  if (is_stopped()) return stopped_outcome();
  if (settings_.executor == ExecutorKind::Docker) open_tree_to_all();
  Outcome outcome = run_scripts(*executor);
  if (place_.after_failure && !outcome.success && !outcome.canceled)
    place_.after_failure(script({}));
  executor.reset();
  if (caches && !outcome.canceled && caches->saves(outcome.success)) {
    const Section section{
        *this, outcome.success ? "archive_cache" : "archive_cache_on_failure",
        outcome.success ? "Saving cache for successful job" : "Saving cache for failed job"};
    caches->save(outcome.success);
  }
  if (auto uploaded = upload_artifacts(outcome.success); !uploaded && outcome.success)
    outcome = failed(uploaded.error());
  const Section section{*this, "cleanup_file_variables",
                        "Cleaning up project directory and file based variables"};
  return outcome;
}

JobRun::Outcome JobRun::get_sources() {
  const Section section{*this, "get_sources", "Getting source from Git repository"};
  if (misplaced_) return failed(*misplaced_);
  CheckoutPlace place;
  place.tree = workplace_.project;
  place.index = workplace_.project.string() + ".index";
  place.objects = workplace_.objects;
  place.git = {settings_.executor == ExecutorKind::Docker, place_.local};
  sources_.emplace(
      spec_, variables_, std::move(place), [this](std::string_view chunk) { say(chunk); },
      cancel_.get_token(), time_left());
  const auto done = sources_->run();
  if (is_stopped()) return stopped_outcome();
  if (!done && std::chrono::steady_clock::now() >= deadline_) return timed_out();
  if (!done) return failed(done.error());
  Outcome outcome;
  outcome.success = true;
  return outcome;
}

std::unique_ptr<Executor> JobRun::make_executor() {
  if (settings_.executor == ExecutorKind::Shell)
    return std::make_unique<ShellExecutor>(
        workplace_, fmt::format("slipway-{}-{}-{}", place_.runner_label, spec_.id, random_hex(4)),
        ProcessLimits{settings_.shell_memory, settings_.shell_pids});
  pipeline::JobImage image = spec_.image.value_or(pipeline::JobImage{});
  image.name = expanded(image.name.empty() ? settings_.default_image : image.name);
  std::vector<pipeline::JobImage> services = spec_.services;
  for (pipeline::JobImage& service : services) {
    service.name = expanded(service.name);
    service.alias = expanded(service.alias);
    for (pipeline::JobVariable& variable : service.variables)
      if (!variable.raw) variable.value = expanded(variable.value);
  }
  // Services are other people's programs: they see what is public in the job.
  std::vector<pipeline::JobVariable> visible;
  for (pipeline::JobVariable variable : spec_.variables) {
    if (variable.masked || variable.file) continue;
    variable.value = variables_.at(variable.key);
    visible.push_back(std::move(variable));
  }
  RegistryAccess access;
  access.of_runner = settings_.docker_auth_config;
  access.of_server = spec_.credentials;
  if (const auto given = variables_.find("DOCKER_AUTH_CONFIG"); given != variables_.end())
    access.of_job = given->second;
  for (const pipeline::JobVariable& variable : spec_.variables)
    if (variable.file && variable.key == "DOCKER_AUTH_CONFIG") access.of_job = variable.value;
  return std::make_unique<DockerExecutor>(settings_, workplace_, std::move(image),
                                          std::move(services), std::move(visible),
                                          std::move(access), place_.runner_label, spec_.id);
}

Script JobRun::script(const std::vector<std::string>& commands) const {
  Script made;
  for (const std::string& name : order_) made.variables.emplace_back(name, variables_.at(name));
  made.directory = workplace_.project.string();
  made.commands = commands;
  return made;
}

JobRun::Outcome JobRun::run_scripts(Executor& executor) {
  JobScripts scripts;
  bool has_main = false;
  for (const pipeline::JobStep& step : spec_.steps) {
    if (step.name == "script") {
      scripts.main = script(step.script);
      has_main = true;
    } else if (step.name == "after_script") {
      scripts.after = script(step.script);
    } else {
      return failed(fail(ErrorKind::InvalidInput, "the step '" + step.name + "' is not known"));
    }
  }
  if (!has_main) return failed(fail(ErrorKind::InvalidInput, "the job has no script"));
  scripts.after_heading = ending("step_script") + heading("after_script", "Running after_script");
  scripts.after_end = "";
  scripts.lost = lost_.get_token();
  const std::string last = scripts.after ? "after_script" : "step_script";
  say(heading("step_script", "Executing \"step_script\" stage of the job script"));
  std::string tail;
  const auto sink = [&](std::string_view chunk) {
    tail.append(chunk.substr(chunk.size() - std::min(chunk.size(), kKeptTail)));
    if (tail.size() > 2 * kKeptTail) tail.erase(0, tail.size() - kKeptTail);
    say(chunk);
  };
  const auto ended = executor.run(scripts, time_left(), sink, cancel_.get_token());
  say(ending(last));
  if (!ended) return failed(ended.error());
  if (ended->end == ScriptEnd::Canceled || is_stopped()) return stopped_outcome();
  if (ended->end == ScriptEnd::TimedOut) return timed_out();
  if (ended->exit_code != 0) return failed_script(*ended, tail);
  Outcome outcome;
  outcome.success = true;
  return outcome;
}

// A disk that is full is the runner's fault, and another runner may do better.
JobRun::Outcome JobRun::failed_script(const ScriptOutcome& ended, const std::string& tail) const {
  Outcome outcome;
  outcome.failure_reason = "script_failure";
  outcome.exit_code = ended.exit_code;
  outcome.words = fmt::format(": exit code {}", ended.exit_code);
  outcome.text = ended.cause;
  std::error_code failed;
  const auto disk = fs::space(workplace_.project, failed);
  constexpr std::uintmax_t kNothingLeft = std::uintmax_t{64} << 20U;
  if (!failed && disk.available < kNothingLeft &&
      tail.find("No space left on device") != std::string::npos) {
    outcome.failure_reason = "runner_system_failure";
    outcome.text = fmt::format("the runner's disk is full: {} MiB of {} MiB are left",
                               disk.available >> 20U, disk.capacity >> 20U);
  } else if (ended.cause.empty() && ended.exit_code == 127) {
    outcome.text = "a command was not found, see the end of the log";
  } else if (ended.cause.empty() && ended.exit_code == 126) {
    outcome.text = "a file is not executable, see the end of the log";
  } else if (ended.cause.empty() && ended.exit_code == 137) {
    outcome.text = "a process was killed: by the script itself, by somebody, or for want of memory";
  }
  if (!outcome.text.empty()) outcome.words += "\n" + outcome.text;
  return outcome;
}

std::optional<JobCaches> JobRun::open_caches() {
  if (spec_.caches.empty()) return std::nullopt;
  auto store = CacheStore::open(fs::absolute(settings_.cache_dir), settings_.cache_size);
  if (!store) {
    say("WARNING: the job runs without its cache: " + store.error().message + "\n");
    return std::nullopt;
  }
  const auto fallback = variables_.find("CACHE_FALLBACK_KEY");
  return JobCaches{std::move(*store),
                   spec_.project_full_path,
                   workplace_,
                   spec_.caches,
                   fallback == variables_.end() ? std::string{} : fallback->second,
                   [this](const std::string& text) { return expanded(text); },
                   [this](std::string_view text) { say(text); }};
}

ArtifactTransfer JobRun::transfer() {
  return {trace_->link(),
          spec_,
          workplace_,
          [this](std::string_view text) { say(text); },
          [this](const std::string& text) { return expanded(text); },
          cancel_.get_token(),
          time_left()};
}

Result<void> JobRun::download_dependencies() {
  const bool wanted = std::any_of(
      spec_.dependencies.begin(), spec_.dependencies.end(),
      [](const pipeline::JobDependency& dependency) { return !dependency.filename.empty(); });
  if (!wanted) return {};
  const Section section{*this, "download_artifacts", "Downloading artifacts"};
  return transfer().download();
}

Result<void> JobRun::upload_artifacts(bool success) {
  if (trace_->interruption() == Interruption::Abort) return {};
  std::vector<pipeline::JobArtifact> wanted;
  for (const pipeline::JobArtifact& artifact : spec_.artifacts)
    if (artifact.when == "always" || (artifact.when == "on_success") == success)
      wanted.push_back(artifact);
  if (wanted.empty()) return {};
  const Section section{
      *this, success ? "upload_artifacts_on_success" : "upload_artifacts_on_failure",
      success ? "Uploading artifacts for successful job" : "Uploading artifacts for failed job"};
  return transfer().upload(wanted);
}

void JobRun::remove_temporary() noexcept {
  trace_.reset();
  for (const fs::path& directory : {workplace_.temporary, workplace_.own}) {
    if (directory.empty()) continue;
    if (auto emptied = empty_directory(directory, kKeptFiles); !emptied)
      log::warn("workplace.left_behind", {{"job", spec_.id}, {"error", emptied.error().message}});
  }
}

}  // namespace slipway::runner
