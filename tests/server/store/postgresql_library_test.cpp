#include "server/store/postgresql_library.h"

#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;

TEST_CASE("PostgreSQL's library that is not installed is named, with its package", "[store]") {
  const auto missing = load_postgresql_library("libsoci_nowhere.so.4.0");

  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::Unavailable);
  CHECK(missing.error().message ==
        "cannot load 'libsoci_nowhere.so.4.0': libsoci_nowhere.so.4.0: cannot open shared object "
        "file: No such file or directory");
  CHECK(missing.error().hint.find("libsoci-postgresql4.0") != std::string::npos);
}

TEST_CASE("a library that lacks what is called is refused when it is loaded", "[store]") {
  const auto other = load_postgresql_library("libc.so.6");

  REQUIRE_FALSE(other);
  CHECK(other.error().message.find("factory_postgresql") != std::string::npos);
}
