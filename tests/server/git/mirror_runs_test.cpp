// Commits that somebody sends: what of them becomes a ref of the mirror, and what is refused.
#include <filesystem>

#include "base/files.h"
#include "server/git/mirror.h"
#include "tests/server/git/git_repository.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

struct Fixture {
  test::GitRepository remote;
  std::string pushed = remote.commit_file("README", "one\n");
  slipway::test::TempDirectory directory;
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};
  std::string sent;

  Fixture() {
    REQUIRE(mirrors.fetch(7, remote.url(), "main", ""));
    sent = remote.commit_file("new", "text\n");
    remote.git({"update-ref", "refs/slipway/run", sent});
  }
  std::filesystem::path bundle(const std::vector<std::string>& what) {
    const auto file = mirrors.make_upload_file().value();
    std::vector<std::string> words{"bundle", "create", "--quiet", file.string()};
    words.insert(words.end(), what.begin(), what.end());
    remote.git(words);
    return file;
  }
  std::vector<std::string> refs() { return mirrors.refs_below(7, "refs/slipway/").value(); }
};

const std::string kRef = "refs/slipway/uploads/x";

}  // namespace

TEST_CASE_METHOD(Fixture, "what is new of a commit is sent, and the rest was there", "[git]") {
  CHECK(mirrors.known(7, {sent, pushed, "HEAD"}).value() == std::vector{pushed});
  CHECK(mirrors.known(8, {pushed}).value().empty());
  const auto file = bundle({"refs/slipway/run", "^" + pushed});
  REQUIRE(mirrors.take_bundle(7, file, sent, kRef));
  CHECK(mirrors.read_file(7, sent, "new", 100).value() == "text\n");
  CHECK(refs() == std::vector{kRef});
  // No branch has moved, and none of the bundle's own refs came along.
  CHECK(mirrors.resolve(7, "main")->sha == pushed);
  // The branches' prune leaves it.
  REQUIRE(mirrors.fetch(7, remote.url(), "main", ""));
  CHECK(refs() == std::vector{kRef});
}

TEST_CASE_METHOD(Fixture, "only the ref for a run is taken from a bundle", "[git]") {
  remote.git({"update-ref", "refs/heads/evil", sent});
  remote.git({"tag", "v1", sent});
  const auto file = bundle({"refs/slipway/run", "refs/heads/evil", "refs/tags/v1"});
  REQUIRE(mirrors.take_bundle(7, file, sent, kRef));
  CHECK_FALSE(mirrors.resolve(7, "evil"));
  CHECK_FALSE(mirrors.resolve(7, "v1"));
}

TEST_CASE_METHOD(Fixture, "what is no bundle, or not the commit, leaves nothing", "[git]") {
  const auto refused = [&](const std::filesystem::path& file, const std::string& sha) {
    const auto taken = mirrors.take_bundle(7, file, sha, kRef);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().kind == ErrorKind::InvalidInput);
    CHECK(refs().empty());
    CHECK(taken.error().message.find(directory.path().string()) == std::string::npos);
  };
  refused(bundle({"refs/slipway/run"}), pushed);  // another one than it says
  refused(bundle({"refs/heads/main"}), sent);     // without the ref
  const auto text = mirrors.make_upload_file().value();
  REQUIRE(replace_file(text, "hello"));
  refused(text, sent);
  auto bytes = read_file(bundle({"refs/slipway/run"})).value();
  bytes.resize(bytes.size() - 30);
  const auto cut = mirrors.make_upload_file().value();
  REQUIRE(replace_file(cut, bytes));
  refused(cut, sent);
  refused(directory / "mirrors" / "uploads" / "none", sent);
  refused(bundle({"refs/slipway/run"}), "--upload-pack=x");
  // It builds on a commit that the mirror has not.
  const auto after = remote.commit_file("more", "text\n");
  remote.git({"update-ref", "refs/slipway/run", after});
  refused(bundle({"refs/slipway/run", "^" + sent}), after);
}

TEST_CASE_METHOD(Fixture, "a commit with what git warns of is refused", "[git]") {
  // A tree that would write into .git.
  ProcessSpec spec;
  spec.argv = {"git", "mktree"};
  spec.workdir = remote.path();
  spec.env = environment_subset({"PATH"});
  spec.input = "100644 blob " + remote.git({"hash-object", "-w", "new"}) + "\t.git\n";
  const auto made = collect_process(spec);
  REQUIRE(made);
  const auto tree = remote.git({"commit-tree", "-m", "x", made->output.substr(0, 40)});
  remote.git({"update-ref", "refs/slipway/run", tree});
  const auto taken = mirrors.take_bundle(7, bundle({"refs/slipway/run"}), tree, kRef);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message.find("hasDotgit") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "refs are made, listed and dropped; their objects go in a day", "[git]") {
  CHECK(mirrors.point_ref(7, kRef, sent).error().kind == ErrorKind::NotFound);
  REQUIRE(mirrors.point_ref(7, kRef, pushed));
  CHECK_FALSE(mirrors.point_ref(7, "refs/slipway/runs/1/a b", pushed));
  CHECK(mirrors.ref_made_at(7, kRef));
  CHECK_FALSE(mirrors.ref_made_at(7, "refs/slipway/none"));
  REQUIRE(mirrors.collect_garbage(7));
  CHECK(mirrors.ref_made_at(7, kRef));  // still a file of its own
  REQUIRE(mirrors.drop_ref(7, kRef));
  REQUIRE(mirrors.drop_ref(7, kRef));
  CHECK(refs().empty());
}

}  // namespace slipway::server
