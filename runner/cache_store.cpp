#include "runner/cache_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "base/crypto.h"
#include "base/files.h"
#include "runner/artifacts.h"
#include "runner/pieces.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Fast rather than small: most of what is cached is compressed already.
constexpr int kLevel = 1;
constexpr std::size_t kLargestList = std::size_t{64} << 20U;

// nullopt for what is missing or damaged: a cache may always be missed.
std::optional<CacheList> read_list(const fs::path& file) {
  const auto text = read_file(file, kLargestList);
  if (!text) return std::nullopt;
  auto list = cache_list_from_json(json::parse(*text, nullptr, false));
  if (!list) return std::nullopt;
  return std::move(*list);
}

// Names, sizes, times and modes: when none has changed, the contents are taken for unchanged.
void look_at(const fs::path& tree, const std::vector<std::string>& files, CacheList& list) {
  std::string facts;
  for (const std::string& file : files) {
    struct stat info {};
    if (::lstat((tree / file).c_str(), &info) != 0) continue;
    if (S_ISREG(info.st_mode)) list.bytes += info.st_size;
    facts += file + '\0' + std::to_string(info.st_size) + ' ' + std::to_string(info.st_mode) + ' ' +
             std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) +
             '\n';
  }
  list.files = files.size();
  list.signature = sha256_hex(facts);
}

Result<std::string> compressed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(size) != 0)
    return fail(ErrorKind::Internal, std::string{"zstd: "} + ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

// An error unless it is what the piece's name and size say.
Result<void> unpack(const CachePiece& piece, std::string_view packed, std::string& bytes) {
  bytes.resize(piece.size);
  const std::size_t size =
      ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0 || size != piece.size || sha256_hex(bytes) != piece.id)
    return fail(ErrorKind::InvalidInput, "a piece of the cache is damaged");
  return {};
}

using Sizes = std::map<std::string, long long>;  // of the pieces by id, as they are on disk

Sizes sizes_of_pieces(const fs::path& directory) {
  Sizes sizes;
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator{directory / "pieces", failed})
    if (entry.is_regular_file(failed))
      sizes[entry.path().stem().string()] = static_cast<long long>(entry.file_size(failed));
  return sizes;
}

fs::path piece_in(const fs::path& directory, const std::string& id) {
  return directory / "pieces" / id.substr(0, 2) / (id + ".zst");
}

// A list as the clean-up sees it.
struct Stored {
  fs::path file;
  fs::file_time_type used;
  std::vector<std::string> pieces;
  long long bytes = 0;  // of the pieces that no list holds which was used later
};
using Stock = std::vector<Stored>;  // used longest ago first

// A damaged list is as good as none, and goes first.
Stock stock_of(const fs::path& directory, const Sizes& sizes) {
  Stock stock;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{directory / "lists", failed}) {
    Stored& stored = stock.emplace_back();
    stored.file = entry.path();
    stored.used = fs::file_time_type::min();
    const auto list = read_list(stored.file);
    if (!list) continue;
    stored.used = entry.last_write_time(failed);
    for (const CachePiece& piece : list->pieces) stored.pieces.push_back(piece.id);
  }
  std::sort(stock.begin(), stock.end(),
            [](const Stored& a, const Stored& b) { return a.used < b.used; });
  std::set<std::string> counted;
  for (auto stored = stock.rbegin(); stored != stock.rend(); ++stored)
    for (const std::string& id : stored->pieces)
      if (const auto size = sizes.find(id); size != sizes.end() && counted.insert(id).second)
        stored->bytes += size->second;
  return stock;
}

// Under the lock, alone.
Result<void> keep_only(const fs::path& directory, const Stock& stock, const Sizes& sizes) {
  std::error_code failed;
  std::set<fs::path> files;
  std::set<std::string> pieces;
  for (const Stored& stored : stock) {
    files.insert(stored.file);
    pieces.insert(stored.pieces.begin(), stored.pieces.end());
  }
  for (const auto& entry : fs::directory_iterator{directory / "lists", failed})
    if (!files.contains(entry.path())) fs::remove(entry.path(), failed);
  for (const auto& [id, size] : sizes)
    if (!pieces.contains(id)) fs::remove(piece_in(directory, id), failed);
  if (failed) return errno_error("cannot clean up '" + directory.string() + "'", failed.value());
  return {};
}

class Lock {
 public:
  // `how` is LOCK_SH or LOCK_EX.
  static Result<Lock> take(const fs::path& directory, int how) {
    const fs::path file = directory / "lock";
    UniqueFd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!fd.is_open() || ::flock(fd.get(), how) != 0)
      return errno_error("cannot lock '" + file.string() + "'", errno);
    return Lock{std::move(fd)};
  }

 private:
  explicit Lock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace

std::string clean_cache_key(const std::string& key) {
  std::string text;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string three = key.substr(i, 3);
    if (three == "%2f" || three == "%2F" || three == "%2e" || three == "%2E") {
      text += three.back() == 'f' || three.back() == 'F' ? '/' : '.';
      i += 2;
    } else {
      text += key[i] == '\\' ? '/' : key[i];
    }
  }
  fs::path clean;
  for (const fs::path& part : fs::path{"/" + text}.lexically_normal())
    if (part != "/" && part != "." && part != "..") clean /= part;
  std::string cleaned = clean.string();
  while (!cleaned.empty() && (cleaned.back() == ' ' || cleaned.back() == '/')) cleaned.pop_back();
  return cleaned;
}

Result<CacheStore> CacheStore::open(const fs::path& directory, long long budget) {
  std::error_code failed;
  for (const char* part : {"lists", "pieces"})
    if (!failed) fs::create_directories(directory / part, failed);
  // Caches may hold what their projects keep to themselves.
  if (!failed) fs::permissions(directory, fs::perms::owner_all, failed);
  if (failed) return errno_error("cannot make '" + directory.string() + "'", failed.value());
  return CacheStore{directory, budget};
}

fs::path CacheStore::list_of(const std::string& project, const std::string& key) const {
  return directory_ / "lists" / (sha256_hex(project + '\n' + key) + ".json");
}

fs::path CacheStore::piece_file(const std::string& id) const {
  return piece_in(directory_, id);
}

Result<std::optional<CacheFacts>> CacheStore::restore(const std::string& project,
                                                      const std::string& key,
                                                      const fs::path& tree) {
  const auto lock = Lock::take(directory_, LOCK_SH);
  if (!lock) return lock.error();
  const fs::path file = list_of(project, key);
  const auto list = read_list(file);
  if (!list) return std::optional<CacheFacts>{};
  // The clean-up goes by when a list was used last.
  ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
  std::size_t at = 0;
  std::string piece;
  const auto next = [&]() -> Result<std::string_view> {
    if (at == list->pieces.size()) return std::string_view{};
    const CachePiece& wanted = list->pieces[at++];
    const auto packed = packed_piece(wanted.id);
    if (auto sound = unpack(wanted, packed ? std::string_view{*packed} : "", piece); !sound) {
      // So that it is stored anew.
      std::error_code ignored;
      fs::remove(piece_file(wanted.id), ignored);
      return std::move(sound).error();
    }
    return std::string_view{piece};
  };
  ExtractLimits limits;
  limits.entries = std::numeric_limits<std::size_t>::max();
  limits.bytes = std::numeric_limits<long long>::max();
  limits.restore = true;
  if (auto done = extract_tar(next, tree, limits); !done) return std::move(done).error();
  return std::optional{CacheFacts{list->files, list->bytes, 0, false}};
}

Result<CacheFacts> CacheStore::save(const std::string& project, const std::string& key,
                                    const fs::path& tree, const std::vector<std::string>& files) {
  const auto lock = Lock::take(directory_, LOCK_SH);
  if (!lock) return lock.error();
  CacheList list;
  look_at(tree, files, list);
  const fs::path file = list_of(project, key);
  if (const auto known = read_list(file);
      known && known->signature == list.signature && has_pieces(*known)) {
    ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
    return CacheFacts{known->files, known->bytes, 0, true};
  }
  CacheFacts facts;
  PieceCutter cutter{[&](std::string_view bytes) -> Result<void> {
    const std::string id = sha256_hex(bytes);
    list.pieces.push_back({id, bytes.size()});
    std::error_code failed;
    if (fs::exists(piece_file(id), failed)) return {};
    const auto packed = compressed(bytes);
    if (!packed) return packed.error();
    facts.new_bytes += static_cast<long long>(packed->size());
    return store_piece(id, *packed);
  }};
  const auto feed = [&](std::string_view bytes) { return cutter.feed(bytes); };
  if (auto done = write_tar(tree, files, feed); !done) return std::move(done).error();
  if (auto done = cutter.finish(); !done) return std::move(done).error();
  if (auto done = replace_file(file, to_json(list).dump(), 0600); !done)
    return std::move(done).error();
  facts.files = list.files;
  facts.bytes = list.bytes;
  return facts;
}

std::optional<CacheList> CacheStore::list(const std::string& project,
                                          const std::string& key) const {
  return read_list(list_of(project, key));
}

Result<std::string> CacheStore::packed_piece(const std::string& id) const {
  return read_file(piece_file(id), 2 * PieceCutter::kLargest);
}

bool CacheStore::has_pieces(const CacheList& list) const {
  std::error_code failed;
  return std::all_of(list.pieces.begin(), list.pieces.end(), [&](const CachePiece& piece) {
    return fs::exists(piece_file(piece.id), failed);
  });
}

Result<void> CacheStore::store_piece(const std::string& id, std::string_view packed) const {
  const fs::path target = piece_file(id);
  std::error_code failed;
  fs::create_directories(target.parent_path(), failed);
  return replace_file(target, packed, 0600);
}

Result<long long> CacheStore::take_over(const std::string& project, const std::string& key,
                                        const CacheList& list, const FetchPiece& fetch) {
  const auto lock = Lock::take(directory_, LOCK_SH);
  if (!lock) return lock.error();
  long long fetched = 0;
  std::string bytes;
  std::error_code failed;
  for (const CachePiece& piece : list.pieces) {
    if (fs::exists(piece_file(piece.id), failed)) continue;
    const auto packed = fetch(piece.id);
    if (!packed) return packed.error();
    if (auto sound = unpack(piece, *packed, bytes); !sound) return std::move(sound).error();
    fetched += static_cast<long long>(packed->size());
    if (auto stored = store_piece(piece.id, *packed); !stored) return std::move(stored).error();
  }
  if (auto done = replace_file(list_of(project, key), to_json(list).dump(), 0600); !done)
    return std::move(done).error();
  return fetched;
}

Result<void> CacheStore::clean_up() {
  const auto lock = Lock::take(directory_, LOCK_EX);
  if (!lock) return lock.error();
  const auto sizes = sizes_of_pieces(directory_);
  long long total = 0;
  for (const auto& [id, size] : sizes) total += size;
  if (total <= budget_) return {};
  Stock stock = stock_of(directory_, sizes);
  total = std::accumulate(stock.begin(), stock.end(), 0LL,
                          [](long long sum, const Stored& stored) { return sum + stored.bytes; });
  auto kept = stock.begin();
  while (kept != stock.end() && total > budget_) total -= (kept++)->bytes;
  return keep_only(directory_, {kept, stock.end()}, sizes);
}

Result<std::vector<KeptThing>> CacheStore::kept() const {
  const auto lock = Lock::take(directory_, LOCK_SH);
  if (!lock) return lock.error();
  std::vector<KeptThing> things;
  for (const Stored& stored : stock_of(directory_, sizes_of_pieces(directory_)))
    things.push_back(
        {KeptKind::Cache, stored.file.filename().string(), stored.used, stored.bytes, directory_});
  return things;
}

Result<void> CacheStore::remove(const std::vector<KeptThing>& things) {
  const auto lock = Lock::take(directory_, LOCK_EX);
  if (!lock) return lock.error();
  const auto sizes = sizes_of_pieces(directory_);
  Stock stock = stock_of(directory_, sizes);
  std::erase_if(stock, [&](const Stored& stored) {
    return std::any_of(things.begin(), things.end(), [&](const KeptThing& thing) {
      return thing.id == stored.file.filename() && thing.used == stored.used;
    });
  });
  return keep_only(directory_, stock, sizes);
}

}  // namespace slipway::runner
