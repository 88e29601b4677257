// The place of a project on a runner, for tests of checkouts.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "runner/checkout.h"
#include "tests/runner/git_remote.h"

namespace slipway::test {

// One for all tests of a program.
inline const GitServer& server() {
  static const GitServer running;
  return running;
}

// The place of one project on a runner, from job to job.
struct Tree {
  Result<void> check_out(const pipeline::JobSpec& spec, const runner::VariableMap& variables = {}) {
    said.clear();
    runner::Checkout checkout{
        spec,
        variables,
        {directory / "tree",
         directory / "tree.index",
         cached ? runner::ObjectCache::place_of(objects, spec.repo_url, spec.depth > 0)
                : std::filesystem::path{},
         {false, local}},
        [this](std::string_view chunk) { said += chunk; },
        {},
        std::chrono::minutes{1}};
    return checkout.run();
  }
  std::string error(const pipeline::JobSpec& spec, const runner::VariableMap& variables = {}) {
    const auto done = check_out(spec, variables);
    return done ? "" : done.error().message;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read_file(directory / "tree" / name).value_or("(none)");
  }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((directory / "tree" / name).parent_path());
    REQUIRE(replace_file(directory / "tree" / name, text));
  }
  std::string git(std::vector<std::string> arguments) const {
    ProcessSpec spec;
    spec.argv = {"git"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.workdir = directory / "tree";
    spec.env = environment_subset({"PATH"});
    auto done = collect_process(spec);
    REQUIRE(done);
    CAPTURE(arguments, done->output);
    REQUIRE(done->outcome.succeeded());
    return done->output;
  }

  Tree() { std::filesystem::create_directory(directory / "tree"); }
  TempDirectory directory;
  std::filesystem::path objects = directory / "objects";
  bool cached = true;
  runner::LocalRepositories local = runner::LocalRepositories::refused;
  std::string said;
};

}  // namespace slipway::test
