#include "cli/run_trigger.h"

#include "base/files.h"
#include "cli/run_view.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::cli;

TEST_CASE("the project is what the address of its origin says", "[run]") {
  struct Case {
    std::string url;
    std::string server;
    std::string path;
  };
  for (const auto& [url, server, path] : std::vector<Case>{
           {"https://git.example/group/name.git", "https://git.example", "group/name"},
           {"http://git.example:8080/a/b/c", "http://git.example:8080", "a/b/c"},
           {"https://user:token@git.example/a/b/", "https://git.example", "a/b"},
           {"ssh://git@git.example:2222/a/b.git", "https://git.example", "a/b"},
           {"git@git.example:a/b.git", "https://git.example", "a/b"},
           {"/srv/git/name.git", "", ""},
           {"../name", "", ""},
           {"https://git.example", "", ""},
           {"https://git.example/a/../b", "", ""},
           {"git@git.example:a/-b", "", ""},
           {"", "", ""}}) {
    CAPTURE(url);
    const ProjectAddress address = project_address(url);
    CHECK(address.server == server);
    CHECK(address.path == path);
  }
}

TEST_CASE("what the options leave open comes from the work tree", "[run]") {
  runner::Snapshot snapshot;
  snapshot.root = "/home/ada/my project";
  snapshot.branch = "topic";
  snapshot.default_branch = "trunk";
  snapshot.sha = std::string(40, 'a');

  auto trigger = trigger_of({}, snapshot);
  REQUIRE(trigger);
  CHECK(trigger->source == pipeline::Source::Push);
  CHECK(trigger->branch == "topic");
  CHECK(trigger->project.path == "local/my-project");
  CHECK(trigger->project.default_branch == "trunk");

  EventOptions options;
  options.branch = "other";
  options.default_branch = "main";
  options.variables = {"A=1", "B=x=y", "A=2"};
  trigger = trigger_of(options, snapshot);
  REQUIRE(trigger);
  CHECK(trigger->branch == "other");
  CHECK(trigger->project.default_branch == "main");
  REQUIRE(trigger->pipeline_variables.size() == 2);
  CHECK(pipeline::find_variable(trigger->pipeline_variables, "A")->value == "2");
  CHECK(pipeline::find_variable(trigger->pipeline_variables, "B")->value == "x=y");

  snapshot.branch = "";  // detached
  CHECK(trigger_of({}, snapshot)->branch == "trunk");
}

TEST_CASE("a tag event needs a tag", "[run]") {
  EventOptions options;
  options.event = "tag";
  CHECK(trigger_of(options, {}).error().message == "--event tag needs --tag NAME");
  options.tag = "v1";
  const auto trigger = trigger_of(options, {});
  REQUIRE(trigger);
  CHECK(trigger->tag == "v1");
  CHECK(trigger->branch.empty());
}

TEST_CASE("a secret that cannot be read or masked is refused", "[run]") {
  const test::TempDirectory directory;
  const auto file = directory / "secrets";
  CHECK(read_secrets(file).error().kind == ErrorKind::NotFound);

  REQUIRE(replace_file(file, "PASSWORD=correct-horse\n", 0640));
  CHECK(read_secrets(file).error().kind == ErrorKind::Denied);

  REQUIRE(replace_file(file, "PASSWORD=correct-horse\n", 0600));
  const auto secrets = read_secrets(file);
  REQUIRE(secrets);
  REQUIRE(secrets->size() == 1);
  CHECK(secrets->front().masked);
  CHECK(secrets->front().raw);

  REQUIRE(replace_file(file, "PASSWORD=1234567\n", 0600));
  CHECK(read_secrets(file).error().message.find("has less than 8 characters") != std::string::npos);
}

TEST_CASE("times are told as people tell them", "[run]") {
  using std::chrono::milliseconds;
  CHECK(in_seconds(milliseconds{0}) == "0.0 s");
  CHECK(in_seconds(milliseconds{1250}) == "1.2 s");
  CHECK(in_seconds(milliseconds{59'999}) == "59.9 s");
  CHECK(in_seconds(milliseconds{187'000}) == "3 min 07 s");
}
