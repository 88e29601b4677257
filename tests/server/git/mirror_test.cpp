#include "server/git/mirror.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "tests/server/git/git_repository.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

constexpr std::size_t kPlenty = 1 << 20;

struct Fixture {
  test::GitRepository remote;
  std::string first = remote.commit_file("README", "one\n");
  slipway::test::TempDirectory directory;
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};

  void fetch(const std::string& ref = "main", const std::string& sha = "") {
    const auto fetched = mirrors.fetch(7, remote.url(), ref, sha);
    if (!fetched) INFO(fetched.error().message);
    REQUIRE(fetched);
  }
  [[nodiscard]] bool has(const std::string& sha) const {
    return mirrors.commit(7, sha).has_value();
  }
  [[nodiscard]] ErrorKind reading(const std::string& sha, const std::string& path) const {
    const auto read = mirrors.read_file(7, sha, path, kPlenty);
    REQUIRE_FALSE(read);
    return read.error().kind;
  }
};

std::vector<std::string> sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a first fetch makes the mirror, with branches and tags", "[git]") {
  remote.git({"tag", "v1"});
  remote.git({"tag", "-a", "v2", "-m", "annotated"});
  fetch("main", first);
  CHECK(mirrors.path_of(7) == directory / "mirrors" / "7.git");
  const auto branch = mirrors.resolve(7, "main");
  REQUIRE(branch);
  CHECK(branch->sha == first);
  CHECK_FALSE(branch->is_tag);
  for (const char* name : {"v1", "v2"}) {
    const auto tag = mirrors.resolve(7, name);
    REQUIRE(tag);
    CHECK(tag->sha == first);
    CHECK(tag->is_tag);
  }
  const auto commit = mirrors.commit(7, first);
  REQUIRE(commit);
  CHECK(commit->message == "Change README\n");
  CHECK(commit->author_name == "Ada");
  CHECK(commit->author_email == "ada@example.com");
  CHECK(commit->authored_at % 1000 == 0);
  CHECK(commit->authored_at > 1'000'000'000'000);
}

TEST_CASE_METHOD(Fixture, "a branch wins over a tag of its name", "[git]") {
  remote.git({"tag", "both"});
  remote.git({"checkout", "--quiet", "-b", "both"});
  const std::string second = remote.commit_file("README", "two\n");
  fetch("main");
  const auto found = mirrors.resolve(7, "both");
  REQUIRE(found);
  CHECK(found->sha == second);
  CHECK_FALSE(found->is_tag);
}

TEST_CASE_METHOD(Fixture, "later fetches bring new commits, branches and tags", "[git]") {
  fetch();
  const std::string second = remote.commit_file("README", "two\n");
  CHECK_FALSE(has(second));
  fetch("main", second);
  CHECK(has(second));

  remote.git({"checkout", "--quiet", "-b", "feature/x"});
  const std::string third = remote.commit_file("README", "three\n");
  fetch("feature/x");
  CHECK(mirrors.resolve(7, "feature/x").value().sha == third);
  remote.git({"tag", "v3"});
  fetch("v3", third);
  CHECK(mirrors.resolve(7, "v3").value().is_tag);
}

TEST_CASE_METHOD(Fixture, "a known commit on a new branch brings the branch", "[git]") {
  fetch();
  remote.git({"branch", "again"});
  fetch("again", first);
  CHECK(mirrors.resolve(7, "again").value().sha == first);
}

TEST_CASE_METHOD(Fixture, "a commit that was pushed over is still fetched by its id", "[git]") {
  const std::string lost = remote.commit_file("README", "lost\n");
  remote.git({"reset", "--quiet", "--hard", first});
  const std::string now = remote.commit_file("README", "now\n");
  fetch("main", lost);
  CHECK(mirrors.resolve(7, "main").value().sha == now);
  CHECK(mirrors.read_file(7, lost, "README", kPlenty).value() == "lost\n");
}

TEST_CASE_METHOD(Fixture, "a rewritten branch is followed", "[git]") {
  remote.commit_file("README", "two\n");
  fetch();
  remote.git({"reset", "--quiet", "--hard", first});
  fetch();
  CHECK(mirrors.resolve(7, "main").value().sha == first);
}

TEST_CASE_METHOD(Fixture, "a commit that never was is not found, with git's words", "[git]") {
  const std::string never(40, 'e');
  const auto failed = mirrors.fetch(7, remote.url(), "main", never);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::NotFound);
  CHECK(failed.error().message.find("the repository has no commit " + never + " any more: git ") ==
        0);
}

TEST_CASE_METHOD(Fixture, "a deleted branch and a deleted tag go, also for one below", "[git]") {
  remote.git({"branch", "old"});
  remote.git({"tag", "gone"});
  fetch();
  REQUIRE(mirrors.resolve(7, "old"));
  remote.git({"branch", "-D", "old"});
  remote.git({"tag", "-d", "gone"});
  remote.git({"branch", "old/below"});
  fetch("old/below");
  for (const char* name : {"old", "gone"}) {
    const auto missing = mirrors.resolve(7, name);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::NotFound);
    CHECK(missing.error().message == "there is no branch or tag '" + std::string{name} + "'");
  }
  CHECK(mirrors.resolve(7, "old/below").value().sha == first);
}

TEST_CASE_METHOD(Fixture, "what a pipeline keeps outlives its branch, a prune and a gc", "[git]") {
  remote.git({"checkout", "--quiet", "-b", "short-lived"});
  const std::string kept = remote.commit_file("README", "kept\n");
  remote.git({"checkout", "--quiet", "-b", "another"});
  const std::string dropped = remote.commit_file("README", "dropped\n");
  fetch("another");
  REQUIRE(mirrors.keep(7, kept));
  REQUIRE(mirrors.keep(7, kept));
  remote.git({"checkout", "--quiet", "main"});
  remote.git({"branch", "-D", "short-lived", "another"});
  remote.commit_file("README", "next\n");
  fetch();
  REQUIRE(
      run_git(mirrors.path_of(7), {"gc", "--quiet", "--prune=now"}, LocalRepositories::allowed));
  CHECK(has(kept));
  CHECK_FALSE(has(dropped));
  CHECK(mirrors.read_file(7, kept, "README", kPlenty).value() == "kept\n");
}

TEST_CASE_METHOD(Fixture, "keeping needs a commit that is there", "[git]") {
  fetch();
  const auto no_id = mirrors.keep(7, "main");
  REQUIRE_FALSE(no_id);
  CHECK(no_id.error().message == "'main' is no commit id");
  const auto missing = mirrors.keep(7, std::string(40, 'e'));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("cannot keep commit eeee") == 0);
}

TEST_CASE_METHOD(Fixture, "only regular files are read", "[git]") {
  remote.write("folder/deep.yml", "deep");
  remote.write("script.sh", "#!/bin/sh\n");
  std::filesystem::permissions(remote.path() / "script.sh", std::filesystem::perms::owner_all);
  std::filesystem::create_symlink("/etc/passwd", remote.path() / "link");
  std::filesystem::create_symlink("README", remote.path() / "inner-link");
  std::filesystem::create_symlink("folder", remote.path() / "folder-link");
  remote.write("binary", std::string{"\0\xFF\n", 3});
  const std::string sha = remote.commit("Files");
  fetch();
  CHECK(mirrors.read_file(7, sha, "README", kPlenty).value() == "one\n");
  CHECK(mirrors.read_file(7, sha, "folder/deep.yml", kPlenty).value() == "deep");
  CHECK(mirrors.read_file(7, sha, "script.sh", kPlenty).value() == "#!/bin/sh\n");
  CHECK(mirrors.read_file(7, sha, "binary", kPlenty).value() == std::string{"\0\xFF\n", 3});

  for (const char* path : {"link", "inner-link", "folder", "folder/"}) {
    INFO(path);
    const auto refused = mirrors.read_file(7, sha, path, kPlenty);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::NotFound);
  }
  CHECK(mirrors.read_file(7, sha, "link", kPlenty).error().message ==
        "'link' is not a regular file in commit " + sha);
  CHECK(mirrors.read_file(7, sha, "missing", kPlenty).error().message ==
        "there is no file 'missing' in commit " + sha);
  for (const char* path : {"", "/", "/README", "../README", "folder/../README", "./README",
                           "folder-link/deep.yml", ".git/config", "/etc/passwd", "readme"}) {
    INFO(path);
    CHECK(reading(sha, path) == ErrorKind::NotFound);
  }
}

TEST_CASE_METHOD(Fixture, "a file is read up to its limit", "[git]") {
  fetch();
  CHECK(mirrors.read_file(7, first, "README", 4).value() == "one\n");
  const auto longer = mirrors.read_file(7, first, "README", 3);
  REQUIRE_FALSE(longer);
  CHECK(longer.error().kind == ErrorKind::TooLarge);
  CHECK(longer.error().message == "'README' is longer than 3 bytes");
}

TEST_CASE_METHOD(Fixture, "the same content has the same id wherever it stands", "[git]") {
  remote.write("copy", "one\n");
  const std::string sha = remote.commit_file("other", "two\n");
  fetch();
  const std::string id = mirrors.file_id(7, first, "README").value();
  CHECK(is_commit_id(id));
  CHECK(mirrors.file_id(7, sha, "copy").value() == id);
  CHECK(mirrors.file_id(7, sha, "other").value() != id);
  CHECK_FALSE(mirrors.file_id(7, first, "copy"));
}

TEST_CASE_METHOD(Fixture, "changed files are added, changed, moved and removed ones", "[git]") {
  remote.write("same", "same");
  remote.write("moved/from", "moved");
  remote.write("removed", "removed");
  const std::string before = remote.commit("Before");
  remote.git({"mv", "moved/from", "to"});
  remote.git({"rm", "--quiet", "removed"});
  remote.write("added/größe", "added");
  const std::string after = remote.commit_file("README", "two\n");
  fetch();
  CHECK(sorted(mirrors.changed_paths(7, before, after).value()) ==
        std::vector<std::string>{"README", "added/größe", "moved/from", "removed", "to"});
  CHECK(mirrors.changed_paths(7, after, after).value().empty());
  const auto unknown = mirrors.changed_paths(7, std::string(40, 'e'), after);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::NotFound);
}

TEST_CASE_METHOD(Fixture, "changes since another branch are those after the merge base", "[git]") {
  remote.git({"checkout", "--quiet", "-b", "feature"});
  const std::string feature = remote.commit_file("src/a", "a");
  remote.git({"checkout", "--quiet", "main"});
  const std::string main = remote.commit_file("README", "two\n");
  fetch();
  CHECK(mirrors.changed_since(7, main, feature).value() == std::vector<std::string>{"src/a"});
  CHECK(mirrors.changed_since(7, first, main).value() == std::vector<std::string>{"README"});
  CHECK(mirrors.changed_since(7, main, first).value().empty());
  remote.git({"checkout", "--quiet", "--orphan", "unrelated"});
  const std::string unrelated = remote.commit("Unrelated");
  fetch("unrelated");
  CHECK(mirrors.changed_since(7, main, unrelated).value().empty());
  CHECK(mirrors.changed_since(7, std::string(40, 'e'), main).error().kind == ErrorKind::NotFound);
  CHECK(mirrors.changed_since(7, main, std::string(40, 'e')).error().kind == ErrorKind::NotFound);
}

TEST_CASE_METHOD(Fixture, "a commit is named by a branch, a tag or enough of its id", "[git]") {
  remote.git({"tag", "v1"});
  const std::string second = remote.commit_file("README", "two\n");
  fetch();
  REQUIRE(mirrors.keep(7, first));
  const auto named = [&](const std::string& name) { return mirrors.commit_of(7, name); };
  CHECK(named("main").value() == second);
  CHECK(named("refs/heads/main").value() == second);
  CHECK(named("v1").value() == first);
  CHECK(named("refs/tags/v1").value() == first);
  CHECK(named(first).value() == first);
  CHECK(named(first.substr(0, 7)).value() == first);
  for (const std::string& nothing :
       {first.substr(0, 6), std::string{"none"}, std::string{"main~1"}, "refs/keep/" + first,
        std::string(40, 'e'), std::string(7, 'e'), std::string{"refs/heads/v1"}}) {
    INFO(nothing);
    REQUIRE_FALSE(named(nothing));
    CHECK(named(nothing).error().kind == ErrorKind::NotFound);
    CHECK(named(nothing).error().message == "there is no branch, tag or commit '" + nothing + "'");
  }
}

TEST_CASE_METHOD(Fixture, "an annotated tag has a message, another has none", "[git]") {
  remote.git({"tag", "light"});
  remote.git({"tag", "--annotate", "v1", "--message", "The first"});
  fetch();
  CHECK(mirrors.tag_message(7, "v1").value() == "The first\n");
  CHECK(mirrors.tag_message(7, "light").value().empty());
  CHECK(mirrors.tag_message(7, "none").error().kind == ErrorKind::NotFound);
  CHECK(mirrors.tag_message(7, "a..b").error().kind == ErrorKind::NotFound);
}

TEST_CASE_METHOD(Fixture, "the files of a commit are listed up to a limit", "[git]") {
  remote.write("folder/b", "b");
  const std::string sha = remote.commit_file("a", "a");
  fetch();
  CHECK(sorted(mirrors.paths(7, sha).value()) ==
        std::vector<std::string>{"README", "a", "folder/b"});
  CHECK(mirrors.paths(7, sha, 3).has_value());
  const auto many = mirrors.paths(7, sha, 2);
  REQUIRE_FALSE(many);
  CHECK(many.error().kind == ErrorKind::TooLarge);
  CHECK(many.error().message == "commit " + sha + " has more than 2 files");
}

TEST_CASE_METHOD(Fixture, "a repository that is not there is said to be so", "[git]") {
  const auto failed = mirrors.fetch(7, (directory / "nowhere").string(), "main", "");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::Unavailable);
  CHECK(failed.error().message.find("git fetch failed: ") == 0);
  CHECK(failed.error().message.find("nowhere") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "hooks of a mirror and of a remote never run", "[git]") {
  fetch();
  const auto canary = directory / "canary";
  const std::string hook = "#!/bin/sh\ntouch " + canary.string() + "\n";
  for (const auto& hooks : {remote.path() / ".git/hooks", mirrors.path_of(7) / "hooks"})
    for (const char* name : {"reference-transaction", "post-update", "post-merge"}) {
      std::filesystem::create_directories(hooks);
      std::ofstream{hooks / name} << hook;
      std::filesystem::permissions(hooks / name, std::filesystem::perms::owner_all);
    }
  // With plumbing that runs no hook of the remote's own.
  const std::string tree = remote.git({"rev-parse", "HEAD^{tree}"});
  const std::string next = remote.git({"commit-tree", tree, "-p", first, "-m", "Next"});
  remote.git({"-c", "core.hooksPath=/dev/null", "update-ref", "refs/heads/main", next});
  fetch("main", next);
  CHECK(has(next));
  CHECK_FALSE(std::filesystem::exists(canary));
}

TEST_CASE_METHOD(Fixture, "a removed mirror is gone, and can be fetched anew", "[git]") {
  fetch();
  mirrors.remove(7);
  CHECK_FALSE(std::filesystem::exists(mirrors.path_of(7)));
  const auto missing = mirrors.resolve(7, "main");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("cannot open the mirror") == 0);
  fetch();
  CHECK(has(first));
}

TEST_CASE_METHOD(Fixture, "many fetch one repository at once", "[git]") {
  std::vector<std::thread> threads;
  std::vector<std::optional<Result<void>>> results(4);
  for (auto& result : results)
    threads.emplace_back([&] { result.emplace(mirrors.fetch(7, remote.url(), "main", first)); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result->has_value());
  CHECK(has(first));
}

}  // namespace slipway::server
