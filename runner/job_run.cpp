#include "runner/job_run.h"

#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <set>
#include <system_error>

#include "base/crypto.h"
#include "base/files.h"
#include "base/logging.h"
#include "pipeline/variables.h"
#include "runner/docker_executor.h"
#include "runner/job_section.h"
#include "runner/job_workplace.h"
#include "runner/shell_executor.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptTail = 4096;

}  // namespace

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
  trace_.reset();
  empty_workplace(workplace_);
}

// A job whose log cannot be kept is ended: what it does would not be seen.
void JobRun::say(std::string_view text) {
  tail_.append(text.substr(text.size() - std::min(text.size(), kKeptTail)));
  if (tail_.size() > 2 * kKeptTail) tail_.erase(0, tail_.size() - kKeptTail);
  trace_->write(text);
  if (trace_->broken()) cancel_.request_stop();
}

// What is too much is told once.
Sink JobRun::limited(Sink sink, long long most) {
  if (most <= 0) return sink;
  return [sink = std::move(sink), most, left = most](std::string_view chunk) mutable {
    if (left < 0) return;
    const auto shown = std::min(chunk.size(), static_cast<std::size_t>(left));
    sink(chunk.substr(0, shown));
    left -= static_cast<long long>(shown);
    if (shown == chunk.size()) return;
    left = -1;
    sink(
        fmt::format("\nWARNING: the job has printed more than {} bytes (runner_output_limit); the "
                    "rest is left out, and the job goes on\n",
                    most));
  };
}

JobSection JobRun::open_section(std::string name, const std::string& title) {
  return {[this](std::string_view text) { say(text); }, std::move(name), title};
}

void JobRun::run() {
  auto made = make_workplace(settings_, spec_, place_.runner_label, place_.slot);
  if (!made) return report_unstarted("workplace.failed", made.error());
  workplace_ = std::move(made->workplace);
  misplaced_ = std::move(made->misplaced);
  collect_variables();
  auto trace =
      TraceWriter::start(std::move(link_), spec_.id, spec_.token, workplace_.own / "trace",
                         Masker{secrets(), spec_.token_mask_prefixes}, [this](Interruption why) {
                           if (why == Interruption::Abort) lost_.request_stop();
                           cancel_.request_stop();
                         });
  if (!trace) return report_unstarted("spool.failed", trace.error());
  trace_ = std::move(*trace);
  const std::stop_callback on_runner_stop{runner_stop_, [this] { cancel_.request_stop(); }};
  const std::stop_callback on_cancel{place_.cancel, [this] { cancel_.request_stop(); }};

  log::info("job.started", {{"job", spec_.id}, {"project", spec_.project_full_path}});
  JobOutcome outcome = phases();
  if (trace_->broken()) outcome = failed(*trace_->broken());
  if (!outcome.success && !outcome.canceled)
    explain_full_disk(outcome, tail_, {workplace_.project, fs::absolute(settings_.cache_dir)});
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
  state.transfers = masked_transfers();
  const auto stopped_at = std::chrono::steady_clock::now();
  const bool told = trace_->finish(state, [&] {
    // A runner that is told to stop does not wait for ever for a server that is away.
    return runner_stop_.stop_requested() &&
           std::chrono::steady_clock::now() - stopped_at > std::chrono::seconds{30};
  });
  log::info("job.finished", {{"job", spec_.id}, {"state", state.state}, {"told", told}});
  if (sources_) sources_->tidy_objects();
}

// There is no log to tell it in.
void JobRun::report_unstarted(const char* event, const Error& error) {
  log::error(event, {{"job", spec_.id}, {"error", error.message}});
  JobOutcome outcome = failed(error);
  explain_full_disk(outcome, {}, {fs::absolute(settings_.builds_dir)});
  (void)link_->update(spec_.id, spec_.token,
                      {"failed", "runner_system_failure", {}, {}, 0, outcome.text});
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
  set("CI_BUILDS_DIR", slot_directory(settings_, place_.runner_label, place_.slot).string());
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

JobOutcome JobRun::stopped_outcome() const {
  JobOutcome outcome;
  outcome.canceled = true;
  const bool by_runner = runner_stop_.stop_requested();
  outcome.failure_reason = by_runner ? "runner_interrupted" : "script_failure";
  outcome.words = by_runner ? ": the runner was stopped" : ": canceled";
  return outcome;
}

JobOutcome JobRun::timed_out() const {
  JobOutcome outcome;
  outcome.failure_reason = "job_execution_timeout";
  outcome.words = fmt::format(": execution took longer than {} seconds", spec_.timeout);
  outcome.text = fmt::format("its time was {} seconds", spec_.timeout);
  return outcome;
}

JobOutcome JobRun::phases() {
  say(fmt::format("Running with slipway-runner {}\n  on {} {}\n", SLIPWAY_VERSION, settings_.name,
                  identity_.system_id));
  if (auto told = read_attempts(); !told) return failed(told.error());
  std::unique_ptr<Executor> executor = make_executor();
  {
    const auto section =
        open_section("prepare_executor",
                     fmt::format("Preparing the \"{}\" executor", to_string(settings_.executor)));
    // Services run already while the sources come: nothing of theirs before the job is ours.
    if (!spec_.services.empty() && !trace_->wait_until_ours(cancel_.get_token()))
      return stopped_outcome();
    const auto sink = [this](std::string_view chunk) { say(chunk); };
    const auto prepared = executor->prepare(time_left(), sink, cancel_.get_token());
    if (is_stopped()) return stopped_outcome();
    if (!prepared) return failed(prepared.error());
  }
  {
    const auto section = open_section("prepare_script", "Preparing environment");
    say("Running on " + settings_.name + "...\n");
    if (!spec_.services.empty() && settings_.executor == ExecutorKind::Shell)
      say("WARNING: `services` need the docker executor; the job runs without them\n");
    if (auto written = write_file_variables(); !written) return failed(written.error());
  }
  // Nothing of the project is touched before the server has said that the job is ours.
  if (!trace_->wait_until_ours(cancel_.get_token())) return stopped_outcome();
  if (auto got = get_sources(*executor); !got.success) return got;
  auto caches = open_caches();
  if (caches && caches->restores()) {
    const auto section = open_section("restore_cache", "Restoring cache");
    caches->restore();
    note(caches->take_transfers());
  }
  if (auto done = download_dependencies(); !done) {
    JobOutcome outcome = failed(done.error());
    outcome.failure_reason = "runner_system_failure";
    return outcome;
  }
  if (is_stopped()) return stopped_outcome();
  if (settings_.executor == ExecutorKind::Docker) open_tree_to_all(workplace_.project);
  JobOutcome outcome = run_scripts(*executor);
  if (place_.after_failure && !outcome.success && !outcome.canceled)
    place_.after_failure(script({}));
  executor.reset();
  if (place_.left_behind) place_.left_behind(script_without_secrets());
  if (caches && !outcome.canceled && caches->saves(outcome.success)) {
    const auto section = open_section(
        outcome.success ? "archive_cache" : "archive_cache_on_failure",
        outcome.success ? "Saving cache for successful job" : "Saving cache for failed job");
    caches->save(outcome.success);
    note(caches->take_transfers());
  }
  if (auto uploaded = upload_artifacts(outcome.success); !uploaded && outcome.success)
    outcome = failed(uploaded.error());
  const auto section = open_section("cleanup_file_variables",
                                    "Cleaning up project directory and file based variables");
  return outcome;
}

// RESTORE_CACHE_ATTEMPTS and its like; that of the sources is the checkout's.
Result<void> JobRun::read_attempts() {
  for (const auto& [name, target] :
       {std::pair{"RESTORE_CACHE_ATTEMPTS", &attempts_.cache},
        std::pair{"ARTIFACT_DOWNLOAD_ATTEMPTS", &attempts_.artifacts},
        std::pair{"EXECUTOR_JOB_SECTION_ATTEMPTS", &attempts_.container}}) {
    const auto wanted = attempts(variables_, name, *target);
    if (!wanted) return wanted.error();
    *target = *wanted;
  }
  return {};
}

// What the pipeline and the runner's owner want done around the sources; where the job's script
// runs, not where git does.
JobOutcome JobRun::run_hook(Executor& executor, const std::string& name) {
  const auto hook = std::find_if(spec_.hooks.begin(), spec_.hooks.end(),
                                 [&](const auto& entry) { return entry.first == name; });
  std::vector<std::string> commands;
  if (hook != spec_.hooks.end()) commands = hook->second;
  const bool is_first = name == "pre_get_sources_script";
  const std::string& of_owner =
      is_first ? settings_.pre_get_sources_script : settings_.post_get_sources_script;
  if (!of_owner.empty()) commands.insert(is_first ? commands.begin() : commands.end(), of_owner);
  if (commands.empty()) return succeeded();
  say("Running hooks:" + name + "\n");
  if (settings_.executor == ExecutorKind::Docker) open_tree_to_all(workplace_.project);
  JobScripts scripts;
  scripts.main = script(commands);
  scripts.lost = lost_.get_token();
  if (sources_) scripts.borrowed = sources_->borrowed();
  JobOutcome outcome = outcome_of(executor.run(
      scripts, time_left(), [this](std::string_view chunk) { say(chunk); }, cancel_.get_token()));
  if (!outcome.success && outcome.exit_code && outcome.text.empty())
    outcome.text = "hooks:" + name + " failed";
  return outcome;
}

JobOutcome JobRun::get_sources(Executor& executor) {
  const auto section = open_section("get_sources", "Getting source from Git repository");
  if (misplaced_) return failed(*misplaced_);
  if (auto hooked = run_hook(executor, "pre_get_sources_script"); !hooked.success) return hooked;
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
  return run_hook(executor, "post_get_sources_script");
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
  return std::make_unique<DockerExecutor>(
      settings_, workplace_, std::move(image), std::move(services), std::move(visible),
      std::move(access), place_.runner_label,
      fmt::format("{}\n{}\n{}", spec_.project_full_path, place_.slot, spec_.ref_protected),
      spec_.id, attempts_.container);
}

Script JobRun::script(const std::vector<std::string>& commands) const {
  Script made;
  for (const std::string& name : order_) made.variables.emplace_back(name, variables_.at(name));
  made.directory = workplace_.project.string();
  made.commands = commands;
  return made;
}

// Nor its files, which go with the job.
Script JobRun::script_without_secrets() const {
  Script made = script({});
  std::set<std::string> hidden;
  for (const pipeline::JobVariable& variable : spec_.variables)
    if (variable.masked || variable.file) hidden.insert(variable.key);
  const std::vector<std::string> secret = secrets();
  std::erase_if(made.variables, [&](const auto& variable) {
    return hidden.contains(variable.first) || variable.first.starts_with("GIT_CONFIG_") ||
           std::any_of(secret.begin(), secret.end(), [&](const std::string& value) {
             return !value.empty() && variable.second.find(value) != std::string::npos;
           });
  });
  return made;
}

JobOutcome JobRun::run_scripts(Executor& executor) {
  JobScripts scripts;
  bool has_main = false;
  for (const pipeline::JobStep& step : spec_.steps) {
    if (step.name == "script") {
      std::vector<std::string> commands = step.script;
      if (const auto& before = settings_.pre_build_script; !before.empty())
        commands.insert(commands.begin(), before);
      if (const auto& after = settings_.post_build_script; !after.empty())
        commands.push_back(after);
      scripts.main = script(commands);
      has_main = true;
    } else if (step.name == "after_script") {
      scripts.after = script(step.script);
    } else {
      return failed(fail(ErrorKind::InvalidInput, "the step '" + step.name + "' is not known"));
    }
  }
  if (!has_main) return failed(fail(ErrorKind::InvalidInput, "the job has no script"));
  scripts.after_heading =
      section_ending("step_script") + section_heading("after_script", "Running after_script");
  scripts.after_end = "";
  scripts.lost = lost_.get_token();
  scripts.borrowed = sources_->borrowed();
  const std::string last = scripts.after ? "after_script" : "step_script";
  say(section_heading("step_script", "Executing \"step_script\" stage of the job script"));
  const Sink sink = limited([this](std::string_view chunk) { say(chunk); }, settings_.output_limit);
  const auto ended = executor.run(scripts, time_left(), sink, cancel_.get_token());
  say(section_ending(last));
  return outcome_of(ended);
}

JobOutcome JobRun::outcome_of(const Result<ScriptOutcome>& ended) const {
  if (!ended) return failed(ended.error());
  if (ended->end == ScriptEnd::Canceled || is_stopped()) return stopped_outcome();
  if (ended->end == ScriptEnd::TimedOut) return timed_out();
  return ended->exit_code == 0 ? succeeded() : failed_script(*ended);
}

}  // namespace slipway::runner
