#include "server/blobs/blob_store.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"

#include <algorithm>

namespace slipway::server {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = std::size_t{256} << 10U;
constexpr std::size_t kMarkBytes = 6;

// SHA-256 in pieces.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void update(std::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  std::string hex() {
    std::string raw(32, '\0');
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(raw.data()), nullptr);
    return hex_encode(raw);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

Error unavailable(const std::string& attempted, int code) {
  return fail(ErrorKind::Unavailable, errno_error(attempted, code).message);
}

Result<void> sync_directory(const fs::path& directory) {
  const UniqueFd fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.is_open() || ::fsync(fd.get()) != 0)
    return unavailable("cannot sync '" + directory.string() + "'", errno);
  return {};
}

}  // namespace

struct BlobUpload::State {
  fs::path directory;  // of the store
  fs::path temporary;
  std::string name;
  UniqueFd file;
  long long limit = 0;
  long long size = 0;
  Digest digest;
  bool kept = false;

  ~State() {
    std::error_code ignored;
    if (!kept) fs::remove(temporary, ignored);
  }
};

BlobUpload::BlobUpload(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlobUpload::BlobUpload(BlobUpload&&) noexcept = default;
BlobUpload& BlobUpload::operator=(BlobUpload&&) noexcept = default;
BlobUpload::~BlobUpload() = default;

Result<void> BlobUpload::write(std::string_view bytes) {
  state_->size += static_cast<long long>(bytes.size());
  if (state_->size > state_->limit)
    return fail(ErrorKind::TooLarge,
                "the file is larger than the allowed " + std::to_string(state_->limit) + " bytes");
  state_->digest.update(bytes);
  if (auto written = write_all(state_->file.get(), bytes); !written)
    return fail(ErrorKind::Unavailable, written.error().message);
  return {};
}

Result<StoredBlob> BlobUpload::commit() {
  const fs::path target = state_->directory / state_->name;
  if (::fsync(state_->file.get()) != 0) return unavailable("cannot sync an upload", errno);
  std::error_code failed;
  // Whoever removes the last blob beside it takes the directory away in between.
  constexpr int kTries = 10;
  for (int tries = 0; tries < kTries; ++tries) {
    fs::create_directories(target.parent_path(), failed);
    if (!failed) fs::rename(state_->temporary, target, failed);
    if (failed != std::errc::no_such_file_or_directory) break;
  }
  if (failed) return unavailable("cannot keep '" + target.string() + "'", failed.value());
  state_->kept = true;
  // The directories above may be new as well.
  for (fs::path parent = target.parent_path(); parent != state_->directory.parent_path();
       parent = parent.parent_path())
    if (auto synced = sync_directory(parent); !synced) {
      // Not durable, so not kept: nobody will know its name.
      fs::remove(target, failed);
      return synced.error();
    }
  return StoredBlob{state_->name, state_->size, state_->digest.hex()};
}

Result<std::string> OpenBlob::read(long long offset, std::size_t max) const {
  if (offset >= size) return std::string{};
  std::string bytes(std::min(max, static_cast<std::size_t>(size - offset)), '\0');
  const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), offset);
  if (got < 0) return errno_error("cannot read an artifact", errno);
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

EarlierBlobs::EarlierBlobs(fs::path directory, std::string mark)
    : directory_(std::move(directory)), mark_(std::move(mark)) {
  std::error_code ignored;
  at_ = fs::recursive_directory_iterator{directory_, ignored};
}

std::optional<std::string> EarlierBlobs::next() {
  std::error_code failed;
  while (at_ != fs::recursive_directory_iterator{}) {
    const fs::path path = at_->path();
    const bool is_file = at_->is_regular_file(failed);
    if (at_.depth() == 0 && path.filename() == "tmp") at_.disable_recursion_pending();
    at_.increment(failed);
    if (failed) at_ = {};
    if (is_file && !path.filename().string().starts_with(mark_))
      return path.lexically_relative(directory_).string();
  }
  return std::nullopt;
}

BlobStore::BlobStore(fs::path directory)
    : directory_(std::move(directory)), mark_(random_hex(kMarkBytes)) {}

EarlierBlobs BlobStore::earlier() const {
  return {directory_, mark_};
}

Result<BlobStore> BlobStore::open(const fs::path& directory) {
  std::error_code failed;
  fs::remove_all(directory / "tmp", failed);
  fs::create_directories(directory / "tmp", failed);
  if (failed)
    return unavailable("cannot make '" + (directory / "tmp").string() + "'", failed.value());
  return BlobStore{directory};
}

Result<BlobUpload> BlobStore::receive(std::int64_t job, long long limit) const {
  auto state = std::make_unique<BlobUpload::State>();
  const std::string id = mark_ + random_hex(16 - kMarkBytes);
  state->directory = directory_;
  state->temporary = directory_ / "tmp" / id;
  state->name = std::to_string(job / 1000) + "/" + std::to_string(job) + "/" + id;
  state->limit = limit;
  state->file.reset(
      ::open(state->temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!state->file.is_open())
    return unavailable("cannot make '" + state->temporary.string() + "'", errno);
  return BlobUpload{std::move(state)};
}

Result<fs::path> BlobStore::path_of(std::string_view name) const {
  // Names come from our own rows; a damaged one must still not lead out of the directory.
  const bool plain =
      !name.empty() && name.front() != '/' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '/';
      });
  if (!plain)
    return fail(ErrorKind::InvalidInput, "'" + std::string{name} + "' is not the name of a blob");
  return directory_ / name;
}

Result<OpenBlob> BlobStore::open_blob(std::string_view name) const {
  const auto path = path_of(name);
  if (!path) return path.error();
  OpenBlob blob;
  blob.file.reset(::open(path->c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!blob.file.is_open() || ::fstat(blob.file.get(), &status) != 0)
    return fail(ErrorKind::NotFound,
                errno_error("cannot open '" + path->string() + "'", errno).message);
  blob.size = status.st_size;
  return blob;
}

Result<void> BlobStore::remove(std::string_view name) const {
  const auto path = path_of(name);
  if (!path) return path.error();
  std::error_code failed;
  fs::remove(*path, failed);
  if (failed) return errno_error("cannot remove '" + path->string() + "'", failed.value());
  // That of its job, and that of a thousand jobs: they stay when something else is in them.
  fs::path parent = path->parent_path();
  for (; parent != directory_ && ::rmdir(parent.c_str()) == 0; parent = parent.parent_path()) {
  }
  return {};
}

Result<void> BlobStore::verify(const StoredBlob& blob) const {
  const auto opened = open_blob(blob.name);
  if (!opened) return opened.error();
  Digest digest;
  for (long long offset = 0; offset < opened->size;) {
    const auto chunk = opened->read(offset, kChunk);
    if (!chunk) return chunk.error();
    if (chunk->empty()) break;
    digest.update(*chunk);
    offset += static_cast<long long>(chunk->size());
  }
  if (opened->size != blob.size || digest.hex() != blob.sha256)
    return fail(ErrorKind::Conflict, "artifact '" + blob.name + "' is not what was received");
  return {};
}

}  // namespace slipway::server
