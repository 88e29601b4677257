#include "server/login/provider.h"

#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace slipway::server::login {
namespace {

struct Directory {
  test::TempDirectory directory;

  Directory() { write("secret", "s3cret\n"); }
  void write(const std::string& name, const std::string& text) {
    REQUIRE(replace_file(directory / name, text));
  }
  Result<std::vector<Provider>> read() { return read_providers(directory.path()); }
};

TEST_CASE_METHOD(Directory, "each file is a provider, by name", "[login]") {
  write("work.yml",
        "issuer: https://id.example\nclient_id: slipway\nclient_secret_file: secret\n"
        "title: Work\ncreate_accounts: true\n");
  write("github.yml", "kind: github\nclient_id: abc\nclient_secret_file: secret\n");
  write("notes.txt", "no provider");
  const auto providers = read();
  REQUIRE(providers);
  REQUIRE(providers->size() == 2);
  const auto& github = providers->at(0);
  CHECK(github.id == "github");
  CHECK(github.title == "GitHub");
  CHECK(github.kind == ProviderKind::GitHub);
  CHECK(github.api == "https://api.github.com");
  CHECK_FALSE(github.create_accounts);
  const auto& work = providers->at(1);
  CHECK(work.title == "Work");
  CHECK(work.client_secret == "s3cret");
  CHECK(work.create_accounts);
}

TEST_CASE_METHOD(Directory, "what is wrong is named with its place", "[login]") {
  const auto message = [&](const std::string& text) {
    write("a.yml", text);
    const auto providers = read();
    REQUIRE_FALSE(providers);
    return providers.error().message;
  };
  const std::string end = "client_id: slipway\nclient_secret_file: secret\n";
  CHECK(message(end).find("'issuer' is missing") != std::string::npos);
  CHECK(message("issuer: http://id.example\n" + end).find("clear text") != std::string::npos);
  CHECK(message("issuer: https://id.example\nclient_id: a\n").find("client_secret_file") !=
        std::string::npos);
  CHECK_FALSE(message("kind: facebook\n" + end).empty());
  CHECK_FALSE(message("client_secret: s3cret\n" + end).empty());
  CHECK_FALSE(
      message("issuer: https://id.example\nclient_id: a\nclient_secret_file: none\n").empty());
}

TEST_CASE("no directory, no providers", "[login]") {
  CHECK(read_providers("")->empty());
  CHECK_FALSE(read_providers("/nowhere/at/all"));
}

}  // namespace
}  // namespace slipway::server::login
