#include "cli/run.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <memory>
#include <thread>

#include "base/logging.h"
#include "cli/commands.h"
#include "cli/lint.h"
#include "cli/local_project.h"
#include "cli/run_store.h"
#include "cli/run_trigger.h"
#include "cli/run_view.h"
#include "cli/server_run.h"
#include "pipeline/variables.h"
#include "runner/docker_command.h"
#include "runner/local/local_run.h"
#include "runner/local/snapshot.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

struct RunOptions {
  runner::JobChoice choice;
  EventOptions event;
  IncludeOptions includes;
  std::string file;
  std::string executor = "auto";
  std::string default_image;
  int concurrent = 0;
  bool shell_on_failure = false;
  bool json = false;
  bool list = false;
  bool dry_run = false;
  bool verbose = false;
  std::string server;   // its address; "" is here
  std::string project;  // on that server
};

// The first signal cancels, the next kills. The thread takes them by sigwait; everybody else has
// them blocked.
class CancelSignals {
 public:
  // Before any other thread begins.
  CancelSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  void watch(std::function<void()> cancel) {
    thread_ = std::thread{[this, cancel = std::move(cancel)] {
      int signal = 0;
      while (::sigwait(&set_, &signal) == 0 && signal != SIGUSR1) cancel();
    }};
  }
  // The run may go now.
  void stop() {
    if (!thread_.joinable()) return;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  ~CancelSignals() {
    stop();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  CancelSignals(const CancelSignals&) = delete;
  CancelSignals& operator=(const CancelSignals&) = delete;

 private:
  sigset_t set_{};
  sigset_t before_{};
  std::thread thread_;
};

int refuse(const Error& error, int code) {
  print_error(error);
  return code;
}

runner::ExecutorChoice executor_choice(const std::string& text) {
  if (text == "shell") return runner::ExecutorChoice::Shell;
  return text == "docker" ? runner::ExecutorChoice::Docker : runner::ExecutorChoice::Auto;
}

runner::LocalRunSettings settings_of(const RunOptions& options, const runner::Snapshot& snapshot,
                                     const fs::path& store, pipeline::Trigger trigger) {
  runner::LocalRunSettings settings;
  settings.runner.name = "this machine";
  settings.runner.builds_dir = store / "builds";
  settings.runner.cache_dir = snapshot.root / ".slipway" / "caches";
  settings.runner.default_image = options.default_image;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  settings.runner.concurrent =
      options.concurrent > 0 ? options.concurrent : std::clamp(cores, 1, 4);
  settings.executor = executor_choice(options.executor);
  settings.label = run_label_of(store);
  settings.trigger = std::move(trigger);
  settings.clone_url = "file://" + snapshot.repository.string();
  settings.shell_on_failure = options.shell_on_failure;
  return settings;
}

RunOpening opening_of(const std::vector<runner::ChosenJob>& jobs,
                      const runner::LocalRunSettings& settings, const runner::Snapshot& snapshot) {
  RunOpening opening{std::string{to_string(settings.trigger.source)},
                     settings.trigger.ref(),
                     snapshot.sha,
                     snapshot.changed,
                     {}};
  for (const runner::ChosenJob& job : jobs)
    opening.jobs.push_back({job.planned.job.name, job.planned.job.stage,
                            std::string{to_string(executor_of(job.planned, settings.executor,
                                                              settings.runner.default_image))}});
  return opening;
}

// A job that is written for a container does not run on this machine's own files unasked.
Result<void> check_docker(const RunOpening& opening) {
  const auto wants =
      std::find_if(opening.jobs.begin(), opening.jobs.end(),
                   [](const RunOpening::Job& job) { return job.executor == "docker"; });
  if (wants == opening.jobs.end()) return {};
  const auto answer = runner::docker({"version", "--format", "{{.Server.Version}}"});
  if (answer && answer->outcome.succeeded()) return {};
  return fail(ErrorKind::Unavailable,
              "the job '" + wants->name + "' runs in a container, and Docker does not answer")
      .with_hint("start Docker, or run the scripts right on this machine: --executor shell");
}

int show_list(const pipeline::Plan& plan, const std::vector<runner::ChosenJob>& jobs,
              const RunOpening& opening) {
  std::size_t width = 4;
  std::size_t stage_width = 5;
  for (const RunOpening::Job& job : opening.jobs) {
    width = std::max(width, job.name.size());
    stage_width = std::max(stage_width, job.stage.size());
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const pipeline::PlannedJob& job = jobs[i].planned;
    std::string needs;
    for (const pipeline::Need& need : job.needs) needs += (needs.empty() ? "" : ", ") + need.job;
    std::cout << fmt::format("{:<{}}  {:<{}}  {:<10}  {}{}\n", job.job.name, width, job.job.stage,
                             stage_width, to_string(job.when), opening.jobs[i].executor,
                             needs.empty() ? "" : "  needs " + needs);
  }
  for (const pipeline::LeftOutJob& job : plan.left_out)
    std::cout << fmt::format("{:<{}}  {:<{}}  left out: {}\n", job.name, width, job.stage,
                             stage_width, job.reason.text);
  return kOk;
}

std::unique_ptr<RunView> view_of(const RunOptions& options) {
  if (options.json) return json_run_view(std::cout);
  return ::isatty(STDOUT_FILENO) != 0 ? live_run_view(std::cout, options.verbose)
                                      : plain_run_view(std::cout, options.verbose);
}

void tell_about_tree(const runner::Snapshot& snapshot, RunView& view) {
  if (!snapshot.in_repository)
    view.note("'" + snapshot.root.string() +
              "' is no git repository: jobs get the directory's files as their only commit");
  else if (snapshot.head.empty())
    view.note("the repository has no commit yet: jobs get the files as their only one");
}

int run_jobs(const RunOptions& options, const pipeline::Plan& plan,
             std::vector<runner::ChosenJob> jobs, const runner::LocalRunSettings& settings,
             const runner::Snapshot& snapshot) {
  const RunOpening opening = opening_of(jobs, settings, snapshot);
  if (auto answers = check_docker(opening); !answers) return refuse(answers.error(), kFailed);
  const auto results = runner::LocalResults::open(snapshot.root / ".slipway");
  if (!results) return refuse(results.error(), kFailed);
  log::configure(log::Level::Error, log::Format::Text);
  CancelSignals signals;
  const auto view = view_of(options);
  view->begin(opening);
  tell_about_tree(snapshot, *view);
  const auto began = std::chrono::steady_clock::now();
  runner::LocalRun run{plan, std::move(jobs), settings, *results, *view};
  signals.watch([&run] { run.cancel(); });
  const auto summary = run.run();
  signals.stop();
  if (std::any_of(opening.jobs.begin(), opening.jobs.end(),
                  [](const RunOpening::Job& job) { return job.executor == "docker"; }))
    runner::remove_docker_leftovers(settings.label);
  if (!summary) return refuse(summary.error(), kFailed);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  std::error_code ignored;
  const fs::path near = fs::relative(results->directory(), fs::current_path(ignored), ignored);
  view->end(*summary, took, (near.empty() ? results->directory() : near).string());
  const bool failed = summary->canceled || summary->status == pipeline::Status::Failed ||
                      summary->status == pipeline::Status::Canceled;
  return failed ? kFailed : kOk;
}

int run_plan(const RunOptions& options, const runner::Snapshot& snapshot, const fs::path& store,
             const fs::path& file) {
  auto trigger = trigger_of(options.event, snapshot);
  if (!trigger) return refuse(trigger.error(), kUsage);
  const auto project = LocalProject::around(file.string(), options.includes);
  if (!project) return refuse(project.error(), kUsage);
  trigger->repository = &(*project)->repository();
  const pipeline::Variables for_includes = pipeline::include_variables(*trigger);
  const auto read = read_pipeline_file(**project, options.includes,
                                       {for_includes, {}, trigger->changed_paths, nullptr});
  if (!read) return refuse(read.error(), kUsage);
  if (!read->outcome.configuration) {
    std::cerr << rendered(read->outcome.findings, *read);
    return kInvalid;
  }
  std::cerr << rendered(read->outcome.findings, *read);
  const auto plan =
      pipeline::make_plan(*read->outcome.configuration, *trigger, (*project)->limits());
  std::cerr << rendered(plan.findings, *read);
  if (has_errors(plan.findings)) return kInvalid;
  if (plan.no_pipeline)
    return refuse(
        fail(ErrorKind::NotFound, "this event makes no pipeline: " + plan.no_pipeline->text),
        kFailed);
  auto jobs = runner::choose_jobs(plan, options.choice);
  if (!jobs) return refuse(jobs.error(), kUsage);
  const std::string ref = (trigger->tag.empty() ? "refs/heads/" : "refs/tags/") + trigger->ref();
  if (auto pointed = runner::point_ref(snapshot, ref); !pointed)
    return refuse(pointed.error(), kUsage);
  const auto settings = settings_of(options, snapshot, store, std::move(*trigger));
  if (options.list || options.dry_run)
    return show_list(options.list ? plan : pipeline::Plan{}, *jobs,
                     opening_of(*jobs, settings, snapshot));
  return run_jobs(options, plan, std::move(*jobs), settings, snapshot);
}

int run_there(const RunOptions& options, const runner::Snapshot& snapshot) {
  log::configure(log::Level::Error, log::Format::Text);
  CancelSignals signals;
  const auto view = view_of(options);
  const ServerRunOptions wanted{options.server, options.project, options.event};
  ServerRun run{wanted, snapshot, *view};
  signals.watch([&run] { run.cancel(); });
  const int code = run.run();
  signals.stop();
  return code;
}

int run(const RunOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);
  const fs::path directory =
      options.file.empty() ? fs::current_path() : fs::absolute(options.file).parent_path();
  const auto root = runner::root_of(directory);
  if (!root) return refuse(root.error(), kFailed);
  const fs::path store = run_store_of(*root);
  const auto locked = lock_run_store(store, *root);
  if (!locked) return refuse(locked.error(), kFailed);
  remove_old_run_stores(store);
  const auto snapshot = runner::take_snapshot(directory, store);
  if (!snapshot) return refuse(snapshot.error(), kFailed);
  if (!options.server.empty()) return run_there(options, *snapshot);
  fs::path file = options.file;
  if (file.empty()) file = fs::relative(snapshot->root / ".gitlab-ci.yml");
  return run_plan(options, *snapshot, store, file);
}

bool is_one_of(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add_options(CLI::App& command, RunOptions& options) {
  const auto repeatable = [&](const char* name, std::vector<std::string>& into, const char* help) {
    command.add_option(name, into, help)->take_all()->allow_extra_args(false);
  };
  command.add_option("jobs", options.choice.with_needs,
                     "jobs to run, with all that comes before them (the whole pipeline)");
  repeatable("--job", options.choice.alone,
             "run this job alone, with the artifacts that an earlier run left; repeatable");
  command.add_option("--from-stage", options.choice.from_stage,
                     "run the jobs of this stage and of those after it");
  command.add_option("--file", options.file, "the pipeline file (.gitlab-ci.yml)");
  command.add_option("--event", options.event.event, "what happened (push)")
      ->check(CLI::IsMember({"push", "tag", "merge_request", "schedule", "web", "api", "trigger"}));
  command.add_option("--branch", options.event.branch, "the branch (the current one)");
  command.add_option("--tag", options.event.tag, "the tag");
  command.add_option("--default-branch", options.event.default_branch,
                     "of the project (origin's, or main)");
  repeatable("--var", options.event.variables, "NAME=VALUE; repeatable");
  command.add_option("--secrets", options.event.secrets,
                     "file of NAME=VALUE lines that are masked; mode 0600");
  command
      .add_option("--executor", options.executor,
                  "auto (docker for jobs with an image, else shell), shell or docker")
      ->check(CLI::IsMember({"auto", "shell", "docker"}));
  command.add_option("--default-image", options.default_image, "image of jobs that name none");
  command
      .add_option("--concurrent", options.concurrent,
                  "jobs at the same time (the cores, at most 4)")
      ->check(CLI::Range(1, 256));
  command.add_flag("--shell-on-failure", options.shell_on_failure,
                   "open a shell where a job has failed; its clean-up waits until you leave it");
  auto* json = command.add_flag("--json", options.json, "print events, one JSON object on a line");
  auto* list = command.add_flag("--list", options.list, "print the jobs, and run none");
  command.add_flag("--dry-run", options.dry_run, "print the jobs that would run, and run none")
      ->excludes(list)
      ->excludes(json);
  list->excludes(json);
  command.add_flag("--verbose", options.verbose, "show what the runner tells of itself, too");
  add_include_options(command, options.includes);
  auto* server = command.add_option(
      "--server", options.server,
      "run on the runners of the server at this address, with the token of SLIPWAY_TOKEN_FILE");
  command.add_option("--project", options.project, "there (what origin's address says)")
      ->needs(server);
  // What is decided there, or makes no sense for what runs elsewhere.
  for (CLI::Option* local : command.get_options())
    if (local != server && local->get_name() != "--help" &&
        !is_one_of(local->get_name(), {"--project", "--branch", "--var", "--json", "--verbose"}))
      server->excludes(local);
}

}  // namespace

CLI::App* add_run_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("run", "run the pipeline here, from the work tree as it is");
  command->footer(
      "Needs no server. Files that are changed or new take part, ignored ones do not. Logs,\n"
      "artifacts and caches are left in .slipway/.\n\nExamples:\n"
      "  slipway run\n"
      "  slipway run test lint\n"
      "  slipway run --job deploy --var TARGET=staging --secrets ~/.deploy.env\n"
      "  slipway run --from-stage test --executor shell\n"
      "  slipway run --event merge_request --list\n"
      "  slipway run --server https://ci.example.com");
  const auto options = std::make_shared<RunOptions>();
  add_options(*command, *options);
  command->callback([options, &exit_code] {
    if (options->shell_on_failure && ::isatty(STDIN_FILENO) == 0) {
      std::cerr << "slipway: --shell-on-failure needs a terminal\n";
      exit_code = kUsage;
      return;
    }
    exit_code = run(*options);
  });
  return command;
}

}  // namespace slipway::cli
