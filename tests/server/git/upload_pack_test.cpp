#include "server/git/upload_pack.h"

#include "server/git/mirror.h"
#include "tests/server/git/git_repository.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

std::string packet(const std::string& line) {
  static const char* digits = "0123456789abcdef";
  const std::size_t size = line.size() + 4;
  std::string text{"0000"};
  for (int i = 0; i < 4; ++i) text[3U - i] = digits[(size >> (4U * i)) & 15U];
  return text + line;
}

struct Fixture {
  test::GitRepository remote;
  std::string sha = remote.commit_file("README", "one\n");
  slipway::test::TempDirectory directory;
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};

  Fixture() {
    remote.git({"tag", "v1"});
    REQUIRE(mirrors.fetch(7, remote.url(), "main", sha));
  }
  // All that it says, in pieces of at most `piece`.
  static Result<std::string> drain(Result<UploadPack> conversation, std::size_t piece = 4096) {
    REQUIRE(conversation);
    std::string all;
    while (true) {
      auto bytes = conversation->read(piece);
      if (!bytes) return std::move(bytes).error();
      REQUIRE(bytes->size() <= piece);
      if (bytes->empty()) return all;
      all += *bytes;
    }
  }
  [[nodiscard]] std::string advertised(const std::string& protocol) const {
    return drain(UploadPack::advertise(mirrors.path_of(7), protocol)).value();
  }
  [[nodiscard]] Result<std::string> answered(const std::string& protocol,
                                             const std::string& request,
                                             std::size_t piece = 4096) const {
    return drain(UploadPack::answer(mirrors.path_of(7), protocol, request), piece);
  }
};

std::string fetch_request(const std::string& id) {
  return packet("command=fetch") + "0001" + packet("no-progress") + packet("want " + id + "\n") +
         packet("done\n") + "0000";
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a clone checks out the branch that the project says", "[git]") {
  const auto mirror = mirrors.path_of(7);
  REQUIRE(set_checked_out_branch(mirror, "main"));
  CHECK(advertised("").find(sha + " HEAD") != std::string::npos);
  // One that is not there (yet) changes nothing.
  REQUIRE(set_checked_out_branch(mirror, "gone"));
  CHECK(advertised("").find(sha + " HEAD") != std::string::npos);
  CHECK_FALSE(set_checked_out_branch(directory.path() / "nothing", "main"));
}

TEST_CASE_METHOD(Fixture, "the advertisement names every ref with its commit", "[git]") {
  const std::string text = advertised("");
  CHECK(text.find(sha + " refs/heads/main") != std::string::npos);
  CHECK(text.find(sha + " refs/tags/v1\n") != std::string::npos);
  CHECK(text.substr(text.size() - 4) == "0000");
}

TEST_CASE_METHOD(Fixture, "protocol 2 is spoken when asked for, and only by its name", "[git]") {
  const std::string two = advertised("version=2");
  CHECK(two.find("version 2\n") == 4);
  CHECK(two.find("refs/heads/main") == std::string::npos);
  for (const char* other : {"version=9", "version=2:x", "2", "VERSION=2", "version=2\n"}) {
    INFO(other);
    CHECK(advertised(other).find("refs/heads/main") != std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "ls-refs lists what is asked for", "[git]") {
  const auto listed = answered("version=2", packet("command=ls-refs\n") + "0001" +
                                                packet("ref-prefix refs/heads/\n") + "0000");
  REQUIRE(listed);
  CHECK(*listed == packet(sha + " refs/heads/main\n") + "0000");
}

TEST_CASE_METHOD(Fixture, "a fetch streams a pack, in pieces as small as they are asked", "[git]") {
  const auto whole = answered("version=2", fetch_request(sha));
  REQUIRE(whole);
  CHECK(whole->find("PACK") != std::string::npos);
  const auto pieces = answered("version=2", fetch_request(sha), 7);
  REQUIRE(pieces);
  CHECK(pieces->find("PACK") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a commit that no branch has any more is given by its id", "[git]") {
  const std::string lost = remote.commit_file("README", "lost\n");
  REQUIRE(mirrors.fetch(7, remote.url(), "main", lost));
  remote.git({"reset", "--quiet", "--hard", sha});
  REQUIRE(mirrors.fetch(7, remote.url(), "main", ""));
  REQUIRE(mirrors.resolve(7, "main").value().sha == sha);
  const auto pack = answered("version=2", fetch_request(lost));
  REQUIRE(pack);
  CHECK(pack->find("PACK") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a commit that is not there and nonsense end as errors", "[git]") {
  const auto missing = answered("version=2", fetch_request(std::string(40, 'e')));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::Unavailable);
  CHECK(missing.error().message == "git upload-pack failed");
  for (const char* request : {"nonsense", "ffff", "0003", "0010command=push\n0000"}) {
    INFO(request);
    const auto failed = answered("version=2", request);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message == "git upload-pack failed");
  }
}

TEST_CASE_METHOD(Fixture, "a folder that is no repository is no mirror", "[git]") {
  const auto failed = drain(UploadPack::advertise(directory.path(), ""));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "git upload-pack failed");
}

TEST_CASE_METHOD(Fixture, "a request longer than a pipe is taken whole", "[git]") {
  std::string request = packet("command=ls-refs\n") + "0001";
  for (int i = 0; i < 20'000; ++i) request += packet("ref-prefix refs/none/\n");
  request += packet("ref-prefix refs/tags/\n") + "0000";
  const auto listed = answered("version=2", request);
  REQUIRE(listed);
  CHECK(listed->find(sha + " refs/tags/v1\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a conversation that is dropped half-way leaves no process", "[git]") {
  for (int i = 0; i < 3; ++i) {
    auto conversation = UploadPack::answer(mirrors.path_of(7), "version=2", fetch_request(sha));
    REQUIRE(conversation);
    CHECK(conversation->read(1).value().size() == 1);
  }
}

}  // namespace slipway::server
