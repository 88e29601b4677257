#include "server/blobs/blob_store.h"

#include "base/crypto.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::server;

namespace {

struct BlobFixture {
  slipway::test::TempDirectory directory;
  Result<BlobStore> opened = BlobStore::open(directory / "artifacts");
  BlobStore& blobs = *opened;

  StoredBlob put(const std::string& text) {
    auto upload = blobs.receive(1234, 1000);
    REQUIRE(upload);
    REQUIRE(upload->write(text));
    auto stored = upload->commit();
    REQUIRE(stored);
    return *stored;
  }
  [[nodiscard]] bool has_temporary_files() const {
    return !std::filesystem::is_empty(directory / "artifacts" / "tmp");
  }
};

}  // namespace

TEST_CASE("a received file is kept under its job with its size and hash", "[blobs]") {
  BlobFixture fixture;

  const StoredBlob stored = fixture.put("content");

  CHECK(stored.name.rfind("1/1234/", 0) == 0);
  CHECK(stored.size == 7);
  CHECK(stored.sha256 == sha256_hex("content"));
  const auto blob = fixture.blobs.open_blob(stored.name);
  REQUIRE(blob);
  CHECK(blob->size == 7);
  CHECK(blob->read(3, 100).value() == "tent");
  CHECK(blob->read(7, 100).value().empty());
  CHECK(fixture.blobs.verify(stored));
  CHECK_FALSE(fixture.has_temporary_files());
}

TEST_CASE("an upload past its limit is refused and leaves nothing", "[blobs]") {
  BlobFixture fixture;
  {
    auto upload = fixture.blobs.receive(1, 5);
    REQUIRE(upload->write("12345"));
    const auto refused = upload->write("6");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::TooLarge);
    CHECK(refused.error().message == "the file is larger than the allowed 5 bytes");
    CHECK(fixture.has_temporary_files());
  }

  CHECK_FALSE(fixture.has_temporary_files());
}

TEST_CASE("what was being received when the server died is swept, the rest stays", "[blobs]") {
  BlobFixture fixture;
  const StoredBlob stored = fixture.put("kept");
  auto upload = fixture.blobs.receive(1, 100);
  REQUIRE(upload->write("half"));

  auto again = BlobStore::open(fixture.directory / "artifacts");

  REQUIRE(again);
  CHECK_FALSE(fixture.has_temporary_files());
  CHECK(again->open_blob(stored.name)->size == 4);
}

TEST_CASE("a damaged file is noticed", "[blobs]") {
  BlobFixture fixture;
  const StoredBlob stored = fixture.put("content");
  REQUIRE(replace_file(fixture.directory / "artifacts" / stored.name, "CONTENT"));

  const auto checked = fixture.blobs.verify(stored);

  REQUIRE_FALSE(checked);
  CHECK(checked.error().kind == ErrorKind::Conflict);
}

TEST_CASE("a removed file is gone, removing it again is fine", "[blobs]") {
  BlobFixture fixture;
  const StoredBlob stored = fixture.put("content");

  CHECK(fixture.blobs.remove(stored.name));
  CHECK(fixture.blobs.remove(stored.name));
  CHECK(fixture.blobs.open_blob(stored.name).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a name that leads out of the directory is refused", "[blobs]") {
  BlobFixture fixture;
  const std::string name = GENERATE("../secret", "/etc/passwd", "", "1/../../x");
  CAPTURE(name);

  CHECK(fixture.blobs.open_blob(name).error().kind == ErrorKind::InvalidInput);
  CHECK(fixture.blobs.remove(name).error().kind == ErrorKind::InvalidInput);
}
