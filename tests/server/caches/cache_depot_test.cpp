// The caches that runners share, below HTTP.

#include "server/caches/cache_depot.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/crypto.h"
#include "base/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/support/zstd.h"

using namespace slipway;
using namespace slipway::server;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr CacheScope kOther{1, false};
constexpr CacheScope kProtected{1, true};

// Bytes that do not become smaller.
std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random{seed};
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

struct Fixture {
  test::TempDirectory directory;
  std::unique_ptr<CacheDepot> depot;

  explicit Fixture(CacheLimits limits = {1 << 20, 0}) { open(limits); }
  void open(CacheLimits limits) {
    auto opened = CacheDepot::open(directory / "caches", limits);
    REQUIRE(opened);
    depot = std::move(*opened);
  }
  // Its list names one piece.
  CacheList send(const CacheScope& scope, const std::string& bytes) const {
    const std::string id = sha256_hex(bytes);
    REQUIRE(depot->put_piece(scope, id, test::packed(bytes)));
    return {"s", 1, static_cast<long long>(bytes.size()), {{id, bytes.size()}}};
  }
  void store(const CacheScope& scope, const std::string& key, const std::string& bytes) const {
    const auto lacking = depot->put(scope, key, send(scope, bytes));
    REQUIRE(lacking);
    CHECK(lacking->empty());
  }
  // When it was used last; by default times would be too close to tell apart.
  void set_used(const CacheScope& scope, const std::string& key, int hours_ago) const {
    const fs::path file =
        directory / "caches" /
        (std::to_string(scope.project) + (scope.on_protected_refs ? "-protected" : "-other")) /
        "lists" / (sha256_hex(key) + ".json");
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours{hours_ago});
  }
  [[nodiscard]] bool has(const CacheScope& scope, const std::string& key) const {
    const auto list = depot->find(scope, key);
    if (!list) return false;
    for (const CachePiece& piece : list->pieces)
      if (!depot->piece(scope, piece.id)) return false;
    return true;
  }
  [[nodiscard]] std::vector<fs::path> files(const std::string& extension) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator{directory / "caches"})
      if (entry.path().extension() == extension) found.push_back(entry.path());
    return found;
  }
};

}  // namespace

TEST_CASE("a shared cache is stored once its pieces are there", "[caches]") {
  const Fixture f;
  const std::string id = sha256_hex("bytes");
  const CacheList list{"s", 1, 5, {{id, 5}}};
  CHECK(f.depot->missing(kOther, {id, id}) == std::vector<std::string>{id});
  CHECK(f.depot->put(kOther, "key", list).value() == std::vector<std::string>{id});
  CHECK_FALSE(f.depot->find(kOther, "key"));

  CHECK(f.depot->put_piece(kOther, id, test::packed("bytes")));
  CHECK(f.depot->missing(kOther, {id}).empty());
  CHECK(f.depot->put(kOther, "key", list).value().empty());

  const auto found = f.depot->find(kOther, "key");
  REQUIRE(found);
  CHECK(to_json(*found) == to_json(list));
  CHECK(f.depot->piece(kOther, id).value() == test::packed("bytes"));
}

TEST_CASE("the two sides of a project share nothing, nor do projects", "[caches]") {
  const Fixture f;
  f.store(kOther, "key", "bytes");
  const std::string id = sha256_hex("bytes");
  for (const CacheScope& scope : {kProtected, CacheScope{1, false, 7}, CacheScope{2, false},
                                  CacheScope{11, false}, CacheScope{11, false, 1}}) {
    CHECK_FALSE(f.depot->find(scope, "key"));
    CHECK(f.depot->missing(scope, {id}) == std::vector<std::string>{id});
    CHECK(f.depot->piece(scope, id).error().kind == ErrorKind::NotFound);
  }
}

TEST_CASE("only what bears its own hash is taken for a piece", "[caches]") {
  const Fixture f;
  const std::string id = sha256_hex("bytes");
  const std::string large(kLargestCachePiece + 1, 'x');
  CHECK_FALSE(f.depot->put_piece(kOther, id, test::packed("other")));
  CHECK_FALSE(f.depot->put_piece(kOther, id, "bytes"));
  CHECK_FALSE(f.depot->put_piece(kOther, id, test::packed("bytes").substr(0, 8)));
  CHECK_FALSE(f.depot->put_piece(kOther, id, ""));
  // A small frame that unpacks to a large one.
  CHECK_FALSE(f.depot->put_piece(kOther, sha256_hex(large), test::packed(large)));
  CHECK_FALSE(f.depot->put_piece(kOther, "../../../etc/passwd", test::packed("bytes")));
  CHECK(f.files(".zst").empty());
}

TEST_CASE("a piece that the disk has damaged is gone, and is asked for again", "[caches]") {
  const Fixture f;
  f.store(kOther, "key", "bytes");
  const std::string id = sha256_hex("bytes");
  REQUIRE(replace_file(f.files(".zst").at(0), test::packed("bytez")));

  CHECK(f.depot->piece(kOther, id).error().kind == ErrorKind::NotFound);

  CHECK(f.depot->missing(kOther, {id}) == std::vector<std::string>{id});
  f.store(kOther, "key", "bytes");
  CHECK(f.has(kOther, "key"));
}

TEST_CASE("halves that a crash has left are no caches", "[caches]") {
  Fixture f;
  f.store(kOther, "key", "bytes");
  f.store(kOther, "damaged", "more bytes");
  const fs::path list = f.directory / "caches/1-other/lists" / (sha256_hex("damaged") + ".json");
  REQUIRE(replace_file(list, read_file(list)->substr(0, 40)));
  REQUIRE(replace_file(f.files(".zst").at(0).string() + ".a1B2c3", "half"));

  f.open({1 << 20, 0});

  CHECK(f.has(kOther, "key"));
  CHECK_FALSE(f.depot->find(kOther, "damaged"));
  CHECK(f.files(".a1B2c3").empty());
}

TEST_CASE("what was used longest ago goes when the place is full", "[caches]") {
  const Fixture f{{2'500'000, 0}};
  for (const auto& [key, hours] : {std::pair{"old", 3}, {"older", 4}, {"used", 5}}) {
    f.store(kOther, key, random_bytes(700'000, static_cast<unsigned>(hours)));
    f.set_used(kOther, key, hours);
  }
  CHECK(f.depot->find(kOther, "used"));

  f.store(kProtected, "new", random_bytes(700'000, 9));

  CHECK(f.has(kOther, "old"));
  CHECK(f.has(kOther, "used"));
  CHECK(f.has(kProtected, "new"));
  CHECK_FALSE(f.depot->find(kOther, "older"));
  CHECK(f.files(".zst").size() == 3);
}

TEST_CASE("a project beyond its share pushes out nothing of another's", "[caches]") {
  const Fixture f{{2'500'000, 1'500'000}};
  const CacheScope small{2, false};
  f.store(small, "key", random_bytes(700'000, 1));
  f.set_used(small, "key", 100);
  for (unsigned i = 2; i < 5; ++i) {
    f.store(kOther, std::to_string(i), random_bytes(700'000, i));
    f.set_used(kOther, std::to_string(i), 10 - static_cast<int>(i));
  }

  CHECK(f.has(small, "key"));
  CHECK_FALSE(f.depot->find(kOther, "2"));
  CHECK(f.has(kOther, "4"));
}

TEST_CASE("a piece that two caches name stays while one of them does", "[caches]") {
  const Fixture f{{1'500'000, 0}};
  const std::string both = random_bytes(600'000, 1);
  f.store(kOther, "old", both);
  f.set_used(kOther, "old", 2);
  f.store(kOther, "new", both);
  f.store(kOther, "newer", random_bytes(600'000, 2));
  f.set_used(kOther, "newer", 1);
  f.store(kOther, "newest", random_bytes(600'000, 3));

  CHECK(f.has(kOther, "new"));
  CHECK(f.has(kOther, "newest"));
  CHECK_FALSE(f.depot->find(kOther, "newer"));
}

TEST_CASE("pieces that no list names fill no disk", "[caches]") {
  const Fixture f{{1'000'000, 0}};
  CHECK(f.send(kOther, random_bytes(600'000, 1)).pieces.size() == 1);
  CHECK(f.send(kOther, random_bytes(600'000, 2)).pieces.size() == 1);
  const std::string third = random_bytes(600'000, 3);
  CHECK(f.depot->put_piece(kOther, sha256_hex(third), test::packed(third)).error().kind ==
        ErrorKind::TooLarge);
  // Whoever sent them does not come back.
  for (const fs::path& piece : f.files(".zst"))
    fs::last_write_time(piece, fs::file_time_type::clock::now() - std::chrono::hours{2});
  CHECK(f.depot->put_piece(kOther, sha256_hex(third), test::packed(third)));
  CHECK(f.files(".zst").size() == 1);
}

TEST_CASE("a smaller limit counts from the start, and a project's caches go with it", "[caches]") {
  Fixture f;
  f.store(kOther, "a", random_bytes(300'000, 1));
  f.set_used(kOther, "a", 1);
  f.store({2, true}, "b", random_bytes(300'000, 2));

  f.open({400'000, 0});

  CHECK_FALSE(f.depot->find(kOther, "a"));
  CHECK(f.has({2, true}, "b"));
  f.depot->remove(2);
  CHECK_FALSE(f.depot->find({2, true}, "b"));
  CHECK(f.files(".zst").empty());
  f.store(kOther, "c", random_bytes(390'000, 3));
  CHECK(f.has(kOther, "c"));
}

TEST_CASE("lists of caches are read strictly", "[caches]") {
  const json good = to_json(CacheList{"s", 1, 2, {{sha256_hex("x"), 1}}});
  CHECK(cache_list_from_json(good));
  const auto error = [&](const char* field, const json& value) {
    json changed = good;
    changed[field] = value;
    return cache_list_from_json(changed).error().message;
  };
  const auto piece = [](const std::string& id, int size) {
    return json::array({json::array({id, size})});
  };
  CHECK(error("files", -1) == "'files' of the cache must be a number that is not negative");
  CHECK(error("bytes", "1") == "'bytes' of the cache must be a number that is not negative");
  CHECK(error("signature", std::string(129, 's')) ==
        "'signature' of the cache must be a text of at most 128 characters");
  CHECK(error("pieces", json::array()) ==
        "'pieces' of the cache must be a list of 1 to 65536 pieces");
  CHECK(error("pieces", piece("../x", 1)) ==
        "'pieces[0]' of the cache must be named by 64 small hex digits");
  CHECK(error("pieces", piece(sha256_hex("x"), 4'194'305)) ==
        "'pieces[0]' of the cache must be of 1 to 4194304 bytes");
  CHECK(error("pieces", json::array({json::array({sha256_hex("x")})})) ==
        "'pieces[0]' of the cache must be a pair of an id and a size");
}
