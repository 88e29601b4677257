#include "server/git/git_command.h"

#include <filesystem>

#include "server/git/mirror.h"
#include "tests/server/git/git_repository.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace slipway::server {

TEST_CASE("addresses of git hosts are accepted", "[git]") {
  const std::string url = GENERATE(
      as<std::string>{}, "https://git.example/group/name.git", "https://git.example:8443/name",
      "https://oauth2@git.example/group/name.git", "ssh://git@git.example/group/name.git",
      "ssh://git@git.example:2222/name.git", "git@git.example:group/name.git",
      "git.example:name.git", "https://[2001:db8::1]/name.git", "https://git.example/a;b$(c)'d");
  INFO(url);
  CHECK(check_repository_url(url, LocalRepositories::refused));
}

TEST_CASE("addresses that git or ssh would take for something else are refused", "[git]") {
  const std::string url = GENERATE(
      as<std::string>{}, "", " ", "-", "--upload-pack=touch", "-oProxyCommand=touch",
      "ext::sh%20-c%20touch", "ext::touch", "ext::sh -c touch", "fd::17", "fd::17/x",
      "x@ext::touch", "transport::address", "file:///etc", "file://localhost/etc",
      "http://git.example/name.git", "git://git.example/name.git", "ftp://git.example/name",
      "HTTPS://git.example/name.git", "https:/git.example/name", "https:git.example", "https://",
      "https:///name", "https://git.example", "https://git.example/", "ssh://git.example",
      "ssh://-oProxyCommand=touch/name", "ssh://git@-oProxyCommand=touch/name",
      "ssh://-oProxyCommand=touch@git.example/name", "ssh://[-oProxyCommand=touch]/name",
      "ssh://[-F]/name", "[-F]:name", "git@[-v]:name", "-F:name", "git@-F:name", "-l@host:name",
      "host:-name", "host:", ":name", "git@:name", "./name", "../name", "name", "name.git",
      "https://git.example/na me", "https://git.example/name\n--upload-pack=touch",
      "https://git.example/\x01", "https://git.example\\@evil/name", "https://a@b@git.example/x",
      "https://git.example`id`/name", "$(touch):name", "https://$(touch)/name", "https://?/name",
      "https://git.example?x/name", "https://git.example#x/name");
  INFO(url);
  for (const auto local : {LocalRepositories::refused, LocalRepositories::allowed}) {
    const auto refused = check_repository_url(url, local);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::InvalidInput);
    CHECK(refused.error().message.find("is no repository to fetch from") != std::string::npos);
    CHECK_FALSE(refused.error().hint.empty());
  }
  CHECK_FALSE(check_repository_url(std::string{"https://h/x\0y", 13}, LocalRepositories::refused));
  CHECK_FALSE(
      check_repository_url("https://h/" + std::string(3000, 'x'), LocalRepositories::refused));
}

TEST_CASE("a password in an address is refused and not repeated", "[git]") {
  const std::string url =
      GENERATE(as<std::string>{}, "https://ada:hunter2@git.example/name.git",
               "https://:hunter2@git.example/name.git", "ssh://ada:hunter2@git.example/name.git");
  const auto refused = check_repository_url(url, LocalRepositories::allowed);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("a password does not belong into an address") !=
        std::string::npos);
  CHECK(refused.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("a path of this machine is only for those who allow it", "[git]") {
  CHECK(check_repository_url("/srv/name.git", LocalRepositories::allowed));
  const auto refused = check_repository_url("/srv/name.git", LocalRepositories::refused);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        "'/srv/name.git' is no repository to fetch from: paths on the server's machine are "
        "refused");
}

TEST_CASE("names of branches and tags may stand in a command line", "[git]") {
  CHECK(is_safe_ref(GENERATE(as<std::string>{}, "main", "feature/x", "v1.0.0", "a-b_c+d", "#12",
                             "$(touch)", "`id`", "größe", "a=b", "@")));
}

TEST_CASE("names that are options, ranges, refspecs or patterns may not", "[git]") {
  const std::string ref =
      GENERATE(as<std::string>{}, "", "-", "--upload-pack=touch", "-x", "/main", "main/", "a..b",
               "a.", "a//b", "main:refs/heads/x", "+main:x", "HEAD~1", "HEAD^", "main@{1}", "a*",
               "a?", "a[b", "a\\b", "a b", "a\nb", "a\tb",
               "a\x7F"
               "b",
               "^main");
  INFO(ref);
  CHECK_FALSE(is_safe_ref(ref));
  CHECK_FALSE(is_safe_ref(std::string{"a\0b", 3}));
  CHECK_FALSE(is_safe_ref(std::string(256, 'a')));
}

TEST_CASE("a commit id is 40 or 64 lower-case digits", "[git]") {
  CHECK(is_commit_id(std::string(40, 'a')));
  CHECK(is_commit_id(std::string(64, '0')));
  CHECK_FALSE(is_commit_id(GENERATE(std::string{}, std::string(39, 'a'), std::string(41, 'a'),
                                    std::string(40, 'A'), std::string(40, 'g'),
                                    std::string(39, 'a') + "\n", std::string{"HEAD"})));
}

TEST_CASE("no hostile address, branch or commit runs anything", "[git]") {
  const slipway::test::TempDirectory directory;
  const std::string canary = (directory / "canary").string();
  const test::GitRepository remote;
  const std::string sha = remote.commit_file("file", "text");
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};
  REQUIRE(mirrors.fetch(1, remote.url(), "main", sha));

  for (const std::string& command :
       {"--upload-pack=touch " + canary, "--upload-pack=touch${IFS}" + canary,
        "ext::sh -c touch% " + canary, "ext::touch%20" + canary,
        "ssh://-oProxyCommand=touch${IFS}" + canary + "/x", "-oProxyCommand=touch " + canary,
        "$(touch " + canary + ")", "`touch " + canary + "`", "|touch " + canary}) {
    INFO(command);
    for (const auto& failed :
         {mirrors.fetch(1, command, "main", ""), mirrors.fetch(1, remote.url(), "x:" + command, ""),
          mirrors.fetch(1, remote.url(), "main", command)}) {
      REQUIRE_FALSE(failed);
      CHECK(failed.error().kind == ErrorKind::InvalidInput);
    }
    CHECK_FALSE(mirrors.resolve(1, command));
    CHECK_FALSE(mirrors.commit(1, command));
    CHECK_FALSE(mirrors.read_file(1, command, "file", 100));
    CHECK_FALSE(mirrors.read_file(1, sha, command, 100));
    CHECK_FALSE(mirrors.keep(1, command));
    CHECK_FALSE(std::filesystem::exists(canary));
  }
}

TEST_CASE("git reads nobody's configuration and asks nobody", "[git]") {
  const auto spec = git_process("/", {"fetch"}, LocalRepositories::refused);
  CHECK(spec.env.at("GIT_CONFIG_GLOBAL") == "/dev/null");
  CHECK(spec.env.at("GIT_CONFIG_NOSYSTEM") == "1");
  CHECK(spec.env.at("GIT_TERMINAL_PROMPT") == "0");
  CHECK(spec.env.at("GIT_ALLOW_PROTOCOL") == "https:ssh");
  CHECK(git_process("/", {}, LocalRepositories::allowed).env.at("GIT_ALLOW_PROTOCOL") ==
        "https:ssh:file");
  CHECK(spec.argv.back() == "fetch");
}

TEST_CASE("git itself refuses a local path where only hosts are allowed", "[git]") {
  const test::GitRepository remote;
  remote.commit_file("file", "text");
  const auto refused =
      run_git(remote.path(), {"ls-remote", remote.url()}, LocalRepositories::refused);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Unavailable);
  CHECK(refused.error().message.find("git ls-remote failed: ") == 0);
  CHECK(refused.error().message.find("'file' not allowed") != std::string::npos);
  CHECK(run_git(remote.path(), {"ls-remote", remote.url()}, LocalRepositories::allowed));
}

}  // namespace slipway::server
