// A repository made with the git command line, as somebody's remote.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/process.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace slipway::server::test {

class GitRepository {
 public:
  GitRepository() { git({"init", "--quiet", "--initial-branch=main", "."}); }

  [[nodiscard]] std::filesystem::path path() const { return directory_.path(); }
  [[nodiscard]] std::string url() const { return path().string(); }

  std::string git(const std::vector<std::string>& arguments) const {
    ProcessSpec spec;
    spec.argv = {"git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.workdir = path();
    spec.env = environment_subset({"PATH"});
    spec.env["GIT_CONFIG_GLOBAL"] = "/dev/null";
    spec.env["GIT_CONFIG_NOSYSTEM"] = "1";
    const auto done = collect_process(spec);
    REQUIRE(done);
    INFO(done->output);
    REQUIRE(done->outcome.succeeded());
    std::string output = done->output;
    while (!output.empty() && output.back() == '\n') output.pop_back();
    return output;
  }

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((path() / file).parent_path());
    std::ofstream{path() / file, std::ios::binary} << text;
  }
  // All that changed, as a new commit on the branch that is checked out.
  std::string commit(const std::string& message) const {
    git({"add", "--all"});
    git({"commit", "--quiet", "--allow-empty", "-m", message});
    return head();
  }
  std::string commit_file(const std::string& file, const std::string& text) const {
    write(file, text);
    return commit("Change " + file);
  }
  [[nodiscard]] std::string head() const { return git({"rev-parse", "HEAD"}); }

 private:
  slipway::test::TempDirectory directory_;
};

}  // namespace slipway::server::test
