#include "runner/checkout.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "base/files.h"
#include "base/process.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::runner;

namespace {

// A repository with one commit, and an HTTP server that gives out its files.
class Remote {
 public:
  Remote() {
    git({"init", "--quiet", "--initial-branch=main", "."});
    write("README", "hello\n");
    commit();
    serve();
  }
  ~Remote() {
    server_->signal_group(SIGKILL);
    server_->wait();
  }
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  std::string git(std::vector<std::string> arguments) {
    ProcessSpec spec;
    spec.argv = {"git", "-c", "user.name=t", "-c", "user.email=t@t"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.workdir = directory_.path();
    spec.env = environment_subset({"PATH"});
    auto done = collect_process(spec);
    REQUIRE(done);
    CAPTURE(done->output);
    REQUIRE(done->outcome.succeeded());
    return done->output;
  }
  void write(const std::string& name, const std::string& text) {
    REQUIRE(replace_file(directory_ / name, text));
  }
  void commit() {
    git({"add", "--all"});
    git({"commit", "--quiet", "--message", "change"});
    git({"update-server-info"});
    sha = git({"rev-parse", "HEAD"}).substr(0, 40);
  }
  [[nodiscard]] pipeline::JobSpec spec() const {
    pipeline::JobSpec made;
    made.repo_url = "http://gitlab-ci-token:glcbt-secret@127.0.0.1:" + port_ + "/.git";
    made.ref = "main";
    made.sha = sha;
    made.depth = 0;  // plain files over HTTP cannot be shallow
    made.refspecs = {"+refs/heads/*:refs/remotes/origin/*"};
    return made;
  }

  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }

  std::string sha;

 private:
  void serve() {
    ProcessSpec spec;
    spec.argv = {"python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"};
    spec.workdir = directory_.path();
    spec.env = environment_subset({"PATH"});
    auto started = ChildProcess::start(spec);
    REQUIRE(started);
    server_.emplace(std::move(*started));
    std::string words;
    while (words.find(") ...") == std::string::npos) {
      pollfd ready{server_->output_fd(), POLLIN, 0};
      REQUIRE(::poll(&ready, 1, 30'000) == 1);
      char piece[256];
      const ssize_t got = ::read(server_->output_fd(), piece, sizeof piece);
      REQUIRE(got > 0);
      words.append(piece, static_cast<std::size_t>(got));
    }
    const auto at = words.find("port ") + 5;
    port_ = words.substr(at, words.find(' ', at) - at);
  }

  test::TempDirectory directory_;
  std::optional<ChildProcess> server_;
  std::string port_;
};

struct Tree {
  Result<void> check_out(const pipeline::JobSpec& spec,
                         const std::map<std::string, std::string>& variables = {}) {
    return runner::check_out(spec, variables, directory.path(),
                             [this](std::string_view chunk) { said += chunk; }, {});
  }
  std::string error(const pipeline::JobSpec& spec,
                    const std::map<std::string, std::string>& variables = {}) {
    const auto done = check_out(spec, variables);
    return done ? "" : done.error().message;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read_file(directory / name).value_or("(none)");
  }

  test::TempDirectory directory;
  std::string said;
};

}  // namespace

TEST_CASE("a commit is checked out, and the token stays out of the tree", "[checkout]") {
  const Remote remote;
  Tree tree;

  const std::string error = tree.error(remote.spec());

  CAPTURE(tree.said);
  REQUIRE(error.empty());
  CHECK(tree.text("README") == "hello\n");
  CHECK(tree.text(".git/HEAD") == remote.sha + "\n");
  CHECK(tree.said.find("Checking out " + remote.sha.substr(0, 8)) != std::string::npos);
  for (const auto& entry : std::filesystem::recursive_directory_iterator{tree.directory.path()})
    if (entry.is_regular_file())
      CHECK(read_file(entry.path()).value_or("").find("glcbt-secret") == std::string::npos);
}

TEST_CASE("what an earlier job left is cleaned, and what it put into .git is not obeyed",
          "[checkout]") {
  Remote remote;
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  const auto canary = tree.directory / "canary";
  REQUIRE(replace_file(tree.directory / "left-over", "x"));
  REQUIRE(replace_file(tree.directory / "README", "changed\n"));
  REQUIRE(replace_file(tree.directory / ".git/index.lock", ""));
  std::filesystem::create_directory(tree.directory / ".git/hooks");
  REQUIRE(replace_file(tree.directory / ".git/hooks/post-checkout",
                       "#!/bin/sh\ntouch " + canary.string() + "\n", 0755));
  REQUIRE(replace_file(tree.directory / ".git/config",
                       "[core]\n\tfsmonitor = touch " + canary.string() + "\n"));
  remote.write("second", "new\n");
  remote.commit();

  const std::string error = tree.error(remote.spec());

  CAPTURE(tree.said);
  REQUIRE(error.empty());
  CHECK(tree.text("README") == "hello\n");
  CHECK(tree.text("second") == "new\n");
  CHECK_FALSE(std::filesystem::exists(tree.directory / "left-over"));
  CHECK_FALSE(std::filesystem::exists(canary));
}

TEST_CASE("GIT_CLEAN_FLAGS says what is kept", "[checkout]") {
  const Remote remote;
  Tree tree;
  REQUIRE(tree.check_out(remote.spec()));
  REQUIRE(replace_file(tree.directory / "keep.log", "x"));
  REQUIRE(replace_file(tree.directory / "other", "x"));

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

TEST_CASE("only an address on the network is fetched from", "[checkout]") {
  const Remote remote;
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
    CHECK_FALSE(std::filesystem::exists(canary));
  }
}

TEST_CASE("a submodule is not taken from the runner's disk", "[checkout]") {
  Remote remote;
  const test::TempDirectory outside;
  remote.git({"clone", "--quiet", "--bare", ".", (outside / "local").string()});
  remote.git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
              (outside / "local").string(), "sub"});
  remote.commit();
  Tree tree;

  const std::string error = tree.error(remote.spec(), {{"GIT_SUBMODULE_STRATEGY", "normal"}});

  CHECK(error == "git submodule failed with exit code 1");
  CHECK(tree.said.find("transport 'file' not allowed") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(tree.directory / "sub/README"));
}

TEST_CASE("what is no commit, refspec or strategy is refused by name", "[checkout]") {
  const Remote remote;
  Tree tree;
  auto spec = remote.spec();
  spec.sha = "--help";
  CHECK(tree.error(spec) == "'--help' is no commit id");
  spec = remote.spec();
  spec.refspecs = {"--upload-pack=x"};
  CHECK(tree.error(spec) == "'--upload-pack=x' is no refspec");
  CHECK(tree.error(remote.spec(), {{"GIT_STRATEGY", "steal"}}) ==
        "GIT_STRATEGY is 'steal', expected fetch, clone, none or empty");
  spec = remote.spec();
  spec.sha = std::string(40, 'a');
  CHECK(tree.error(spec) == "git checkout failed with exit code 128");
}

TEST_CASE("GIT_STRATEGY none leaves the tree alone", "[checkout]") {
  const Remote remote;
  Tree tree;
  REQUIRE(replace_file(tree.directory / "kept", "x"));

  REQUIRE(tree.check_out(remote.spec(), {{"GIT_STRATEGY", "none"}}));

  CHECK(tree.text("kept") == "x");
  CHECK(tree.said == "Skipping Git repository setup\n");
}

TEST_CASE("a repository on this machine is fetched from only where the caller allows it",
          "[checkout]") {
  Remote remote;
  remote.git({"config", "uploadpack.allowAnySHA1InWant", "true"});
  auto spec = remote.spec();
  spec.repo_url = "file://" + remote.path().string();
  const test::TempDirectory tree;

  const auto done = check_out(
      spec, {}, tree.path(), [](std::string_view) {}, {}, std::chrono::hours{1},
      LocalRepositories::allowed);

  REQUIRE(done);
  CHECK(read_file(tree / "README").value() == "hello\n");
}
