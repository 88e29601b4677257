// What of a checkout comes from elsewhere: submodules and large files.

#include "tests/runner/git_tree.h"

using namespace slipway;
using namespace slipway::runner;
using test::GitRemote;
using test::GitServer;
using test::server;
using test::Tree;
namespace fs = std::filesystem;

namespace {

std::string kilobytes(int count, char of) {
  return std::string(static_cast<std::size_t>(count) << 10U, of);
}

}  // namespace

TEST_CASE("submodules of the same server are let in by the job's token", "[checkout]") {
  const GitServer own;  // for each section
  const GitRemote part{own, "part"};
  GitRemote middle{own, "middle"};
  middle.add_submodule(part, "inner", "../part");
  GitRemote remote{own, "whole"};
  remote.add_submodule(middle, "middle", "../middle");
  remote.add_submodule(part, "other", "../part");
  Tree tree;

  SECTION("normal: those of the project itself") {
    const auto error = tree.error(remote.spec(), {{"GIT_SUBMODULE_STRATEGY", "normal"}});
    CAPTURE(tree.said);
    REQUIRE(error.empty());
    CHECK(tree.text("other/README") == "hello\n");
    CHECK(tree.text("middle/README") == "hello\n");
    CHECK(tree.text("middle/inner/README") == "(none)");
  }
  SECTION("recursive: theirs too") {
    const auto error = tree.error(remote.spec(3), {{"GIT_SUBMODULE_STRATEGY", "recursive"},
                                                   {"GIT_SUBMODULE_UPDATE_FLAGS", "--jobs 2"}});
    CAPTURE(tree.said);
    REQUIRE(error.empty());
    CHECK(tree.text("middle/inner/README") == "hello\n");
    // A second job finds nothing of the first.
    REQUIRE(tree.check_out(remote.spec(3), {{"GIT_SUBMODULE_STRATEGY", "recursive"}}));
    CHECK(tree.text("middle/inner/README") == "hello\n");
  }
  SECTION("only those that are named") {
    const auto error = tree.error(
        remote.spec(),
        {{"GIT_SUBMODULE_STRATEGY", "normal"}, {"GIT_SUBMODULE_PATHS", ":(exclude)other middle"}});
    CAPTURE(tree.said);
    REQUIRE(error.empty());
    CHECK(tree.text("middle/README") == "hello\n");
    CHECK(tree.text("other/README") == "(none)");
  }
}

TEST_CASE("a submodule's address over ssh becomes one over HTTP when asked", "[checkout]") {
  const GitRemote part{server(), "ssh-part"};
  GitRemote remote{server(), "ssh"};
  remote.add_submodule(part, "sub", "git@127.0.0.1:ssh-part");
  Tree tree;

  const auto error = tree.error(
      remote.spec(), {{"GIT_SUBMODULE_STRATEGY", "normal"}, {"GIT_SUBMODULE_FORCE_HTTPS", "true"}});

  CAPTURE(tree.said);
  REQUIRE(error.empty());
  CHECK(tree.text("sub/README") == "hello\n");
}

TEST_CASE("a submodule is not taken from the runner's disk", "[checkout]") {
  const GitRemote part{server(), "disk-part"};
  GitRemote remote{server(), "disk"};
  remote.add_submodule(part, "sub", part.directory().string());
  Tree tree;

  const std::string error = tree.error(remote.spec(), {{"GIT_SUBMODULE_STRATEGY", "normal"}});

  CHECK(error == "git submodule failed with exit code 1");
  CHECK(tree.said.find("transport 'file' not allowed") != std::string::npos);
  CHECK_FALSE(fs::exists(tree.directory / "tree/sub/README"));
}

TEST_CASE("what is kept of a submodule's repository is not fetched again", "[checkout]") {
  const GitServer own;
  const GitRemote part{own, "part"};
  GitRemote remote{own, "whole"};
  remote.add_submodule(part, "sub", "../part");
  Tree tree;
  const VariableMap variables{{"GIT_SUBMODULE_STRATEGY", "normal"}};
  REQUIRE(tree.check_out(remote.spec(), variables));
  const auto kept = ObjectCache::place_of(tree.objects, part.url(), false);
  CHECK(fs::exists(kept / "HEAD"));
  // Borrowed, so the tree has none of the submodule's objects itself.
  CHECK(tree.git({"-C", "sub", "count-objects", "-v"}).find("in-pack: 0\n") != std::string::npos);
  CHECK(tree.git({"-C", "sub", "log", "--format=%s"}) == "change\n");

  REQUIRE(tree.check_out(remote.spec(3), variables));
  CHECK(tree.text("sub/README") == "hello\n");
}

TEST_CASE("a submodule whose commit is on no branch comes all the same", "[checkout]") {
  const GitServer own;
  GitRemote part{own, "part"};
  part.git({"checkout", "--quiet", "--detach"});
  part.write("README", "detached\n");
  part.commit();
  GitRemote remote{own, "whole"};
  remote.add_submodule(part, "sub", "../part");
  part.git({"checkout", "--quiet", "main"});
  part.git({"tag", "kept", part.sha});
  Tree tree;
  const auto error = tree.error(remote.spec(), {{"GIT_SUBMODULE_STRATEGY", "normal"}});
  CAPTURE(tree.said);
  CHECK(error.empty());
  CHECK(tree.text("sub/README") == "detached\n");
}

TEST_CASE("a submodule that a link leads out of the tree is not followed", "[checkout]") {
  const GitServer own;
  const GitRemote part{own, "part"};
  GitRemote remote{own, "whole"};
  remote.add_submodule(part, "sub", "../part");
  remote.git({"rm", "--quiet", "--cached", "sub"});
  fs::remove_all(remote.directory() / "sub");
  fs::create_directory_symlink("/tmp", remote.directory() / "sub");
  remote.commit();
  Tree tree;
  (void)tree.check_out(remote.spec(), {{"GIT_SUBMODULE_STRATEGY", "recursive"}});
  CHECK_FALSE(fs::exists("/tmp/README"));
  CHECK_FALSE(fs::exists("/tmp/.git"));
}

TEST_CASE("large files come by Git LFS, and once for all trees of a project", "[checkout]") {
  REQUIRE(has_git_lfs());
  GitRemote remote{server(), "large"};
  remote.write_large("a.large", kilobytes(300, 'a'));
  remote.write_large("deep/b.large", kilobytes(200, 'b'));
  remote.commit();
  Tree tree;

  const auto error = tree.error(remote.spec());
  CAPTURE(tree.said);
  REQUIRE(error.empty());
  CHECK(tree.text("a.large") == kilobytes(300, 'a'));
  CHECK(tree.text("deep/b.large") == kilobytes(200, 'b'));
  CHECK(tree.git({"status", "--porcelain"}).empty());
  CHECK(remote.given().size() == 2 * 65);

  remote.write_large("a.large", kilobytes(300, 'A'));
  remote.commit();
  Tree other;
  other.objects = tree.objects;
  REQUIRE(other.check_out(remote.spec()));
  CHECK(other.text("a.large") == kilobytes(300, 'A'));
  CHECK(other.text("deep/b.large") == kilobytes(200, 'b'));
  CHECK(remote.given().size() == 3 * 65);  // the new one alone
}

TEST_CASE("GIT_LFS_SKIP_SMUDGE leaves the pointers of large files", "[checkout]") {
  GitRemote remote{server(), "pointers"};
  remote.write_large("a.large", kilobytes(1, 'a'));
  remote.commit();
  Tree tree;
  REQUIRE(tree.check_out(remote.spec(), {{"GIT_LFS_SKIP_SMUDGE", "1"}}));
  CHECK(tree.text("a.large").rfind("version https://git-lfs.github.com/spec/v1", 0) == 0);
  CHECK(remote.given().empty());
}

TEST_CASE("a large file that its server does not have is an error with a way out", "[checkout]") {
  GitRemote remote{server(), "lost"};
  remote.write_large("a.large", kilobytes(1, 'a'));
  remote.commit();
  fs::remove_all(remote.directory().string() + ".lfs");
  Tree tree;
  const auto done = tree.check_out(remote.spec());
  REQUIRE_FALSE(done);
  CHECK(done.error().message ==
        "cannot get the large files of Git LFS: git lfs failed with exit code 2");
  CHECK(done.error().hint.find("`lfs.url` in the repository's .lfsconfig") != std::string::npos);
  CHECK(done.error().hint.find("GIT_LFS_SKIP_SMUDGE: '1'") != std::string::npos);
  CHECK(tree.said.find("there is no such object") != std::string::npos);
}

TEST_CASE("the large files of a submodule come too", "[checkout]") {
  const GitServer own;
  GitRemote part{own, "part"};
  part.write_large("a.large", kilobytes(2, 'p'));
  part.commit();
  GitRemote remote{own, "whole"};
  // As a person without Git LFS would add it.
  remote.add_submodule(part, "sub", "../part");
  Tree tree;
  const auto error = tree.error(remote.spec(), {{"GIT_SUBMODULE_STRATEGY", "recursive"}});
  CAPTURE(tree.said);
  REQUIRE(error.empty());
  CHECK(tree.text("sub/a.large") == kilobytes(2, 'p'));
}
