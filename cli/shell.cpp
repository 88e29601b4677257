#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/run_store.h"
#include "cli/run_trigger.h"
#include "runner/local/debug_shell.h"
#include "runner/local/results.h"
#include "runner/local/snapshot.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

int refuse(const Error& error) {
  print_error(error);
  return error.kind == ErrorKind::InvalidInput ? kUsage : kFailed;
}

std::string names_of(const std::vector<runner::LeftPlace>& places) {
  std::string names;
  for (const runner::LeftPlace& place : places) names += (names.empty() ? "" : ", ") + place.job;
  return names;
}

int list(const std::vector<runner::LeftPlace>& places) {
  for (const runner::LeftPlace& place : places)
    std::cout << place.job << "  " << (place.image.empty() ? place.executor : place.image) << "  "
              << place.script.directory << "\n";
  return kOk;
}

Result<runner::LeftPlace> find(const std::vector<runner::LeftPlace>& places,
                               const std::string& job) {
  const auto found = std::find_if(places.begin(), places.end(),
                                  [&](const runner::LeftPlace& place) { return place.job == job; });
  if (found != places.end()) return *found;
  return fail(ErrorKind::NotFound, "the last `slipway run` has left no work tree of '" + job + "'")
      .with_hint(places.empty() ? "run it first: slipway run --job '" + job + "'"
                                : "there are those of: " + names_of(places));
}

int open_shell(runner::LeftPlace place, const std::string& secrets, const std::string& label) {
  if (::isatty(STDIN_FILENO) == 0) {
    std::cerr << "slipway: a shell needs a terminal\n";
    return kUsage;
  }
  if (!secrets.empty()) {
    const auto given = read_secrets(secrets);
    if (!given) return refuse(given.error());
    for (const pipeline::Variable& secret : *given)
      place.script.variables.emplace_back(secret.name, secret.value);
  }
  runner::RunnerSettings settings;
  const auto executor = runner::parse_executor(place.executor);
  if (!executor) return refuse(executor.error());
  settings.executor = *executor;
  pipeline::JobSpec spec;
  if (!place.image.empty()) {
    spec.image.emplace().name = place.image;
    spec.image->docker_user = place.user;
  }
  std::cerr << "in the work tree of " << place.job
            << ", with its variables but for secrets (see --secrets); `exit` leaves it\n";
  runner::open_debug_shell(settings, spec, place.script, label);
  return kOk;
}

int shell(const std::string& job, const std::string& secrets) {
  const auto root = runner::root_of(fs::current_path());
  if (!root) return refuse(root.error());
  const fs::path store = run_store_of(*root);
  const auto locked = lock_run_store(store, *root);
  if (!locked) return refuse(locked.error());
  const auto results = runner::LocalResults::open(*root / ".slipway");
  if (!results) return refuse(results.error());
  const auto places = results->places();
  if (job.empty()) return list(places);
  auto place = find(places, job);
  if (!place) return refuse(place.error());
  return open_shell(std::move(*place), secrets, run_label_of(store));
}

}  // namespace

CLI::App* add_shell_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("shell", "open a shell where a job of the last `slipway run` was");
  command->footer(
      "Docker jobs get a new container of their image, without their services. Without a job it\n"
      "lists those whose work trees are there: all that failed, and the last ones of the "
      "others.\n\n"
      "Example:\n"
      "  slipway shell test");
  const auto job = std::make_shared<std::string>();
  const auto secrets = std::make_shared<std::string>();
  command->add_option("job", *job, "the job");
  command->add_option("--secrets", *secrets, "file of NAME=VALUE lines; mode 0600");
  command->callback([job, secrets, &exit_code] { exit_code = shell(*job, *secrets); });
  return command;
}

}  // namespace slipway::cli
