#include "runner/checkout.h"

#include <spdlog/fmt/fmt.h>
#include <fstream>

#include "tests/runner/git_tree.h"

using namespace slipway;
using namespace slipway::runner;
using test::GitRemote;
using test::GitServer;
using test::server;
using test::Tree;
namespace fs = std::filesystem;

namespace {

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + "\n";
  return text;
}

}  // namespace

TEST_CASE("a commit is checked out, and the token stays out of the tree", "[checkout]") {
  const GitRemote remote{server()};
  Tree tree;
  tree.cached = GENERATE(true, false);

  const std::string error = tree.error(remote.spec());

  CAPTURE(tree.said);
  REQUIRE(error.empty());
  CHECK(tree.text("README") == "hello\n");
  CHECK(tree.text(".git/HEAD") == remote.sha + "\n");
  CHECK(tree.said.find("Checking out " + remote.sha.substr(0, 8)) != std::string::npos);
  CHECK(tree.git({"remote", "get-url", "origin"}) == remote.url() + "\n");
  CHECK(tree.git({"for-each-ref", "--format=%(refname)"}) ==
        "refs/pipelines/7\nrefs/remotes/origin/main\n");
  for (const auto& entry : fs::recursive_directory_iterator{tree.directory.path()})
    if (entry.is_regular_file())
      CHECK(read_file(entry.path()).value_or("").find("glcbt-secret") == std::string::npos);
}

TEST_CASE("what an earlier job left is cleaned, and what it put into .git is not obeyed",
          "[checkout]") {
  Tree tree;
  tree.cached = GENERATE(true, false);
  GitRemote remote{server(), tree.cached ? "left" : "left-uncached"};
  REQUIRE(tree.check_out(remote.spec()));
  const auto canary = tree.directory / "canary";
  tree.write("left-over", "x");
  tree.write("README", "changed\n");
  tree.write(".git/index.lock", "");
  tree.write(".git/index", "no index at all");
  tree.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch " + canary.string() + "\n");
  fs::permissions(tree.directory / "tree/.git/hooks/post-checkout", fs::perms{0755});
  tree.write(".git/config", "[core]\n\tfsmonitor = touch " + canary.string() + "\n");
  remote.write("second", "new\n");
  remote.commit();

  const std::string error = tree.error(remote.spec());

  CAPTURE(tree.said);
  REQUIRE(error.empty());
  CHECK(tree.text("README") == "hello\n");
  CHECK(tree.text("second") == "new\n");
  CHECK_FALSE(fs::exists(tree.directory / "tree/left-over"));
  CHECK_FALSE(fs::exists(canary));
}

TEST_CASE("an index that says a changed file is unchanged is not believed", "[checkout]") {
  const GitRemote remote{server(), "index"};
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  tree.write("README", "other\n");
  tree.git({"update-index", "--assume-unchanged", "README"});

  REQUIRE(tree.check_out(remote.spec()));

  CHECK(tree.text("README") == "hello\n");
}

TEST_CASE("a file that did not change is not written again", "[checkout]") {
  GitRemote remote{server(), "same"};
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  const auto written = fs::last_write_time(tree.directory / "tree/README");
  remote.write("other", "x");
  remote.commit();

  REQUIRE(tree.check_out(remote.spec()));

  CHECK(tree.text("other") == "x");
  CHECK(fs::last_write_time(tree.directory / "tree/README") == written);
}

TEST_CASE("a second checkout, even of another tree, fetches only what is new", "[checkout]") {
  GitRemote remote{server(), "big"};
  remote.write("big", lines(200'000));
  remote.commit();
  Tree first;
  REQUIRE(first.check_out(remote.spec()));
  const auto bytes_of_objects = [&] {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator{first.objects})
      if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
  };
  const auto before = bytes_of_objects();
  Tree second;
  second.objects = first.objects;
  remote.write("small", "x");
  remote.commit();

  REQUIRE(second.check_out(remote.spec(), {{"GIT_STRATEGY", "clone"}}));

  CHECK(second.text("small") == "x");
  CHECK(second.text("big") == lines(200'000));
  CHECK(bytes_of_objects() < before + before / 10);
  CHECK_FALSE(fs::exists(second.directory / "tree/.git/objects/pack"));
}

TEST_CASE("a shallow checkout has as many commits as asked, and a full one all", "[checkout]") {
  GitRemote remote{server(), "deep"};
  for (int i = 0; i < 5; ++i) remote.commit();
  Tree tree;
  tree.cached = GENERATE(true, false);

  REQUIRE(tree.check_out(remote.spec(2)));
  CHECK(tree.git({"rev-list", "--count", "HEAD"}) == "2\n");

  const auto all = remote.git({"rev-list", "--count", "HEAD"});
  REQUIRE(tree.check_out(remote.spec(0)));
  CHECK(tree.git({"rev-list", "--count", "HEAD"}) == all);
}

TEST_CASE("kept objects that were damaged are fetched anew", "[checkout]") {
  const GitRemote remote{server(), "damaged"};
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  for (const auto& entry : fs::recursive_directory_iterator{tree.objects})
    if (entry.is_regular_file() && entry.path().string().find("/objects/") != std::string::npos) {
      fs::permissions(entry.path(), fs::perms::owner_all);
      std::ofstream{entry.path(), std::ios::trunc} << "rotten";
    }

  const std::string error = tree.error(remote.spec(), {{"GIT_STRATEGY", "clone"}});

  CAPTURE(tree.said);
  CHECK(error.empty());
  CHECK(tree.said.find("what was kept of the repository is damaged") != std::string::npos);
  CHECK(tree.text("README") == "hello\n");
}

TEST_CASE("objects that somebody uses are not removed", "[checkout]") {
  const test::TempDirectory directory;
  const Git git{RemoteAddress::parse("http://x/y"),
                {},
                [](std::string_view) {},
                {},
                std::chrono::steady_clock::now() + std::chrono::minutes{1}};
  const auto place = ObjectCache::place_of(directory.path(), "http://x/y", false);
  auto one = ObjectCache::open(place, git);
  REQUIRE(one);
  {
    auto other = ObjectCache::open(place, git);
    REQUIRE(other);
    CHECK_FALSE(one->discard());
    CHECK(fs::exists(place));
  }
  CHECK(one->discard());
  CHECK_FALSE(fs::exists(place));
}

TEST_CASE("many small packs become one, and old pipelines are forgotten", "[checkout]") {
  const GitRemote remote{server(), "packs"};
  Tree tree;
  const auto spec = remote.spec();
  const VariableMap variables;
  const auto place = ObjectCache::place_of(tree.objects, spec.repo_url, false);
  Checkout checkout{spec,
                    variables,
                    {tree.directory / "tree", "", place, {}},
                    [](std::string_view) {},
                    {},
                    std::chrono::minutes{1}};
  REQUIRE(checkout.run());
  // As many fetches of many objects would leave it.
  fs::path pack;
  tree.git({"-C", place.string(), "repack", "-d", "-q"});
  for (const auto& entry : fs::directory_iterator{place / "objects/pack"})
    if (entry.path().extension() == ".pack") pack = entry.path();
  for (int i = 0; i < 41; ++i) {
    auto name = pack.string();
    name.replace(name.size() - 10, 5, fmt::format("{:05x}", i));
    for (const char* part : {".pack", ".idx"})
      fs::copy_file(fs::path{pack}.replace_extension(part), fs::path{name}.replace_extension(part));
    std::ofstream{place / "packed-refs", std::ios::app} << spec.sha << " refs/pipelines/" << 100 + i
                                                        << "\n";
  }

  checkout.tidy_objects();

  int packs = 0;
  for (const auto& entry : fs::directory_iterator{place / "objects/pack"})
    packs += entry.path().extension() == ".pack" ? 1 : 0;
  CHECK(packs == 1);
  const std::string refs = tree.git({"-C", place.string(), "for-each-ref", "--format=%(refname)"});
  CHECK(refs.find("refs/pipelines/140\n") != std::string::npos);
  CHECK(refs.find("refs/pipelines/121\n") != std::string::npos);
  CHECK(refs.find("refs/pipelines/120\n") == std::string::npos);
  CHECK(tree.text("README") == "hello\n");
}

TEST_CASE("GIT_CLEAN_FLAGS says what is kept", "[checkout]") {
  const GitRemote remote{server(), "clean"};
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  tree.write("keep.log", "x");
  tree.write("other", "x");

  REQUIRE(tree.check_out(remote.spec(), {{"GIT_CLEAN_FLAGS", "-ffdx -e *.log"}}));
  CHECK(tree.text("keep.log") == "x");
  CHECK(tree.text("other") == "(none)");
  REQUIRE(tree.check_out(remote.spec(), {{"GIT_CLEAN_FLAGS", "none"}}));
  CHECK(tree.text("keep.log") == "x");
  REQUIRE(tree.check_out(remote.spec()));
  CHECK(tree.text("keep.log") == "(none)");

  for (const char* flags : {"--exclude=x", "/etc", "-", "-F", "-ffdx ..", "-ffdx -e"}) {
    CAPTURE(flags);
    CHECK(tree.error(remote.spec(), {{"GIT_CLEAN_FLAGS", flags}}).rfind("GIT_CLEAN_FLAGS: ", 0) ==
          0);
  }
}

TEST_CASE("GIT_FETCH_EXTRA_FLAGS takes known flags and nothing that runs a program", "[checkout]") {
  GitRemote remote{server(), "flags"};
  remote.git({"tag", "-f", "v1"});
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  CHECK(tree.git({"tag"}).empty());
  REQUIRE(tree.check_out(remote.spec(), {{"GIT_FETCH_EXTRA_FLAGS", "--tags --prune -j 2"}}));
  CHECK(tree.git({"tag"}) == "v1\n");
  for (const char* flags : {"--upload-pack=touch x", "--upload-pack", "-c", "origin",
                            "--end-of-options", "--quiet=x", "--multiple", "--output=x"}) {
    CAPTURE(flags);
    const std::string text = flags;
    CHECK(tree.error(remote.spec(), {{"GIT_FETCH_EXTRA_FLAGS", flags}}) ==
          "GIT_FETCH_EXTRA_FLAGS: '" + text.substr(0, text.find(' ')) + "' is not allowed here");
  }
  CHECK(tree.error(remote.spec(), {{"GIT_FETCH_EXTRA_FLAGS", "--jobs=many"}}) ==
        "GIT_FETCH_EXTRA_FLAGS: --jobs needs a number");
}

TEST_CASE("only an address on the network is fetched from", "[checkout]") {
  const GitRemote remote{server(), "net"};
  const test::TempDirectory outside;
  const auto canary = (outside / "canary").string();
  for (const std::string& url :
       {"--upload-pack=touch " + canary, "ext::sh -c touch% " + canary, std::string{"/etc"},
        "file://" + outside.path().string(), std::string{"ssh://-oProxyCommand=touch " + canary},
        std::string{"http:///x"}, std::string{"../x"}, std::string{}}) {
    CAPTURE(url);
    Tree tree;
    auto spec = remote.spec();
    spec.repo_url = url;
    CHECK(tree.error(spec) ==
          "'" + url + "' is no address to fetch from: expected https, http or ssh");
    CHECK_FALSE(fs::exists(canary));
  }
}

TEST_CASE("what is no commit, refspec or setting is refused by name", "[checkout]") {
  const GitRemote remote{server(), "named"};
  Tree tree;
  auto spec = remote.spec();
  spec.sha = "--help";
  CHECK(tree.error(spec) == "'--help' is no commit id");
  spec = remote.spec();
  spec.refspecs = {"--upload-pack=x"};
  CHECK(tree.error(spec) == "'--upload-pack=x' is no refspec");
  const auto with = [&](const char* name, const char* value) {
    return tree.error(remote.spec(), {{name, value}});
  };
  CHECK(with("GIT_STRATEGY", "steal") ==
        "GIT_STRATEGY is 'steal', expected fetch, clone, none or empty");
  CHECK(with("GIT_DEPTH", "-3") == "GIT_DEPTH is '-3', expected a number of commits, 0 for all");
  CHECK(with("GIT_CHECKOUT", "maybe") == "GIT_CHECKOUT is 'maybe', expected true or false");
  CHECK(with("GIT_SUBMODULE_STRATEGY", "all") ==
        "GIT_SUBMODULE_STRATEGY is 'all', expected none, normal or recursive");
  CHECK(with("GIT_SUBMODULE_DEPTH", "x") ==
        "GIT_SUBMODULE_DEPTH is 'x', expected a number of commits, 0 for all");
  CHECK(with("GIT_SUBMODULE_UPDATE_FLAGS", "--reference=/etc") ==
        "GIT_SUBMODULE_UPDATE_FLAGS: '--reference=/etc' is not allowed here");
  CHECK(with("GET_SOURCES_ATTEMPTS", "11") ==
        "GET_SOURCES_ATTEMPTS is '11', expected a number from 1 to 10");
  spec = remote.spec();
  spec.sha = std::string(40, 'a');
  CHECK(tree.error(spec) == "git checkout failed with exit code 128");
}

TEST_CASE("sources that do not come are tried for as often as asked", "[checkout]") {
  const GitRemote remote{server(), "tries"};
  Tree tree;
  auto spec = remote.spec();
  spec.repo_url += "-not-there";

  CHECK(tree.error(spec, {{"GET_SOURCES_ATTEMPTS", "2"}}) == "git fetch failed with exit code 128");
  CHECK(tree.said.find("WARNING: git fetch failed with exit code 128; attempt 2 of 2\n") !=
        std::string::npos);
}

TEST_CASE("GIT_CHECKOUT false fetches and leaves the files", "[checkout]") {
  GitRemote remote{server(), "fetch-only"};
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  const std::string before = remote.sha;
  remote.write("README", "newer\n");
  remote.commit();

  REQUIRE(tree.check_out(remote.spec(), {{"GIT_CHECKOUT", "false"}}));

  CHECK(tree.text("README") == "hello\n");
  CHECK(tree.git({"show", remote.sha + ":README"}) == "newer\n");
}

TEST_CASE("GIT_STRATEGY none leaves the tree alone, empty empties it", "[checkout]") {
  const GitRemote remote{server(), "none"};
  Tree tree;
  tree.write("kept", "x");

  REQUIRE(tree.check_out(remote.spec(), {{"GIT_STRATEGY", "none"}}));
  CHECK(tree.text("kept") == "x");
  CHECK(tree.said == "Skipping Git repository setup\n");

  REQUIRE(tree.check_out(remote.spec(), {{"GIT_STRATEGY", "empty"}}));
  CHECK(fs::is_empty(tree.directory / "tree"));
}

TEST_CASE("a repository on this machine is fetched from only where the caller allows it",
          "[checkout]") {
  GitRemote remote{server(), "local"};
  remote.git({"config", "uploadpack.allowAnySHA1InWant", "true"});
  Tree tree;
  tree.local = LocalRepositories::allowed;
  auto spec = remote.spec();
  spec.repo_url = "file://" + remote.directory().string();

  const auto error = tree.error(spec);
  CAPTURE(tree.said, error);
  CHECK(error.empty());

  CHECK(tree.text("README") == "hello\n");
}
