#include "cli/include_map.h"

#include "base/files.h"
#include "tests/base/scripted_server.h"
#include "tests/server/git/git_repository.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::cli;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  test::TempDirectory root;
  test::TempDirectory cache;
  server::Mirrors mirrors{cache / "repositories", server::LocalRepositories::allowed};
  std::vector<std::string> flags;
  IncludeMap map = *IncludeMap::read(root.path(), {});

  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((root / path).parent_path());
    REQUIRE(replace_file(root / path, text));
  }
  MappedIncludes includes(bool allow_private = false) {
    auto read = IncludeMap::read(root.path(), flags);
    REQUIRE(read);
    map = *read;
    return {WorkingTree{root.path()}, map, mirrors, cache.path(), allow_private};
  }
  std::string place_of(const std::string& host, const std::string& path) {
    (void)includes();
    return map.place_of({host, path}).value_or("(none)");
  }
};

constexpr const char* kConfig =
    "include_map:\n"
    "  group: https://git.example/group\n"
    "  group/special: ../special\n"
    "  gitlab.example.com/parts: https://git.example/parts\n"
    "  template: ci/templates\n";

}  // namespace

TEST_CASE_METHOD(Fixture, "the longest key that matches says where a project is", "[include_map]") {
  write(".slipway/config.yml", kConfig);
  CHECK(place_of("", "group/app") == "https://git.example/group/app");
  CHECK(place_of("", "group/special") == (root.path().parent_path() / "special").string());
  CHECK(place_of("", "groups/app") == "(none)");
  CHECK(place_of("", "parts/x") == "(none)");
  CHECK(place_of("gitlab.example.com", "parts/x") == "https://git.example/parts/x");
  CHECK(place_of("gitlab.example.com", "group/app") == "https://git.example/group/app");
  CHECK(place_of(kThisServer, "group/app") == "https://git.example/group/app");
  CHECK(place_of("", "group/../../etc") == "(none)");
  CHECK(place_of("", "template/x") == "(none)");
}

TEST_CASE_METHOD(Fixture, "a flag beats the file", "[include_map]") {
  write(".slipway/config.yml", kConfig);
  flags = {"group=ssh://git@other.example/g"};
  CHECK(place_of("", "group/app") == "ssh://git@other.example/g/app");
}

TEST_CASE_METHOD(Fixture, "a map that cannot be read is an error with its place", "[include_map]") {
  const auto message = [&](const std::string& flag) {
    const auto read = IncludeMap::read(root.path(), {flag});
    REQUIRE_FALSE(read);
    return read.error().message;
  };
  CHECK(message("group") == "--include-map 'group' must be PROJECT=PATH_OR_URL");
  CHECK(message("=x") == "--include-map '=x' must be PROJECT=PATH_OR_URL");
  CHECK(message("group=") == "--include-map 'group=' must be PROJECT=PATH_OR_URL");
  write(".slipway/config.yml", "include_map:\n  group: []\n");
  CHECK(message("a=b") ==
        (root / ".slipway/config.yml").string() + ":2 must be PROJECT=PATH_OR_URL");
  write(".slipway/config.yml", "include_map: [\n");
  CHECK(message("a=b").find("config.yml: ") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a repository is read at a reference, HEAD being its default branch",
                 "[include_map]") {
  const server::test::GitRepository shared;
  shared.commit_file("a.yml", "first\n");
  shared.git({"tag", "1.0.0"});
  shared.commit_file("a.yml", "second\n");
  flags = {"group/shared=" + shared.url()};
  auto source = includes();
  const pipeline::IncludeProject project{"", "group/shared"};
  const auto text_at = [&](const std::string& ref) {
    const auto commit = source.project_commit(project, ref);
    REQUIRE(commit);
    return source.project_file(project, *commit, "a.yml").value_or("(none)");
  };
  CHECK(text_at("HEAD") == "second\n");
  CHECK(text_at("main") == "second\n");
  CHECK(text_at("1.0.0") == "first\n");
  CHECK(source.project_tags(project).value_or({}) == std::vector<std::string>{"1.0.0"});
  CHECK(source.project_commit(project, "none").error().kind == ErrorKind::InvalidInput);
}

TEST_CASE_METHOD(Fixture, "a plain directory stands for every reference", "[include_map]") {
  write("shared/a.yml", "text\n");
  flags = {"group=" + (root / "shared").string()};
  auto source = includes();
  const pipeline::IncludeProject project{"", "group"};
  for (const char* ref : {"HEAD", "v1"}) {
    const auto commit = source.project_commit(project, ref);
    REQUIRE(commit);
    CHECK(source.project_file(project, *commit, "a.yml").value_or("") == "text\n");
    CHECK(source.project_paths(project, *commit).value_or({}) == std::vector<std::string>{"a.yml"});
  }
}

TEST_CASE_METHOD(Fixture, "a project that the map does not name says what to do", "[include_map]") {
  auto source = includes();
  const auto commit = source.project_commit({"git.example", "a/b"}, "HEAD");
  REQUIRE_FALSE(commit);
  CHECK(commit.error().kind == ErrorKind::NotFound);
  CHECK(commit.error().hint ==
        "say where it is with --include-map git.example/a/b=PATH_OR_URL, or under include_map in "
        ".slipway/config.yml");
  flags = {"a=" + (root / "nothing").string()};
  CHECK(includes().project_commit({"", "a/b"}, "HEAD").error().hint ==
        "there is nothing at " + (root / "nothing/b").string() + ", where the include map leads");
}

TEST_CASE_METHOD(Fixture, "templates come from the mapped directory", "[include_map]") {
  CHECK(includes().template_file("Go.gitlab-ci.yml").error().hint ==
        "no templates are shipped: say where it is with --include-map template=PATH_OR_URL, or "
        "under include_map in .slipway/config.yml, a directory with the templates that you use");
  write(".slipway/config.yml", kConfig);
  write("ci/templates/Go.gitlab-ci.yml", "go\n");
  CHECK(includes().template_file("Go.gitlab-ci.yml").value_or("") == "go\n");
  CHECK(includes().template_file("../x.gitlab-ci.yml").error().kind == ErrorKind::NotFound);
}

TEST_CASE_METHOD(Fixture, "a remote file is kept for a minute, and longer for want of a server",
                 "[include_map]") {
  std::string url;
  {
    test::ScriptedServer server{{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na\n"}};
    url = server.url("/a.yml");
    CHECK(includes(true).remote_file(url).value_or("") == "a\n");
    CHECK(includes(true).remote_file(url).value_or("") == "a\n");
    CHECK(server.requests().size() == 1);
  }
  const fs::path copy = fs::directory_iterator {
    cache / "remote"
    } -> path();
  fs::last_write_time(copy, fs::file_time_type::clock::now() - std::chrono::hours{1});
  CHECK(includes(true).remote_file(url).value_or("") == "a\n");
  REQUIRE(replace_file(copy, std::string(64, '0') + "\nchanged"));
  CHECK(includes(true).remote_file(url).error().message == "a socket error");
}

TEST_CASE_METHOD(Fixture, "a remote file of the local network needs permission", "[include_map]") {
  const auto answer = includes().remote_file("http://127.0.0.1:1/a.yml");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::Denied);
}
