#include "server/caches/cache_depot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "base/crypto.h"
#include "base/files.h"
#include "base/logging.h"

namespace slipway::server {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLargestPacked = kLargestCachePiece + (std::size_t{64} << 10U);
// A job sends its pieces before the list that names them; what is older was given up.
constexpr std::chrono::hours kUnnamedFor{1};

fs::path piece_file(const fs::path& place, const std::string& id) {
  return place / "pieces" / id.substr(0, 2) / (id + ".zst");
}

fs::path list_file(const fs::path& place, std::string_view key) {
  return place / "lists" / (sha256_hex(key) + ".json");
}

// nullopt unless it is one frame, of no more than a piece may have, and of that name.
std::optional<std::size_t> size_of_piece(const std::string& id, std::string_view packed) {
  const auto told = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (told == ZSTD_CONTENTSIZE_ERROR || told == ZSTD_CONTENTSIZE_UNKNOWN || told == 0 ||
      told > kLargestCachePiece)
    return std::nullopt;
  std::string bytes(static_cast<std::size_t>(told), '\0');
  const std::size_t size =
      ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0 || size != bytes.size() || sha256_hex(bytes) != id)
    return std::nullopt;
  return size;
}

std::optional<CacheList> read_list(const fs::path& file) {
  const auto text = read_file(file);
  if (!text) return std::nullopt;
  auto list = cache_list_from_json(json::parse(*text, nullptr, false));
  if (!list) return std::nullopt;
  return std::move(*list);
}

long long size_on_disk(const fs::path& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? info.st_size : -1;
}

struct StoredPiece {
  fs::path file;
  long long bytes = 0;
  bool is_old = false;  // not just being sent
};

// One project's side.
struct Side {
  std::int64_t project = 0;
  std::map<std::string, StoredPiece> pieces;  // by id
};

struct StoredList {
  std::size_t side = 0;  // index
  fs::path file;
  fs::file_time_type used;
  std::vector<std::string> pieces;
  long long bytes = 0;  // of the pieces that no list holds which was used later
};

// All that there is, as the clean-up sees it.
struct Stock {
  std::vector<Side> sides;
  std::vector<StoredList> lists;  // used longest ago first
};

Side read_side(const fs::path& place, std::int64_t project) {
  Side side{project, {}};
  std::error_code failed;
  const auto young = fs::file_time_type::clock::now() - kUnnamedFor;
  for (const auto& entry : fs::recursive_directory_iterator{place / "pieces", failed})
    if (entry.is_regular_file(failed))
      side.pieces[entry.path().stem().string()] = {entry.path(),
                                                   static_cast<long long>(entry.file_size(failed)),
                                                   entry.last_write_time(failed) < young};
  return side;
}

void add_lists(Stock& stock, std::size_t side, const fs::path& place) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{place / "lists", failed}) {
    StoredList stored{side, entry.path(), fs::file_time_type::min(), {}, 0};
    // A damaged one is as good as none, and goes first.
    if (const auto list = read_list(entry.path())) {
      stored.used = entry.last_write_time(failed);
      for (const CachePiece& piece : list->pieces) stored.pieces.push_back(piece.id);
    }
    stock.lists.push_back(std::move(stored));
  }
}

// What the names of a project's sides begin with, and no other project's do.
std::string name_of(std::int64_t project) {
  return std::to_string(project) + "-";
}

// "12-protected", "12-other" and "12-fork-7": where read_stock() finds the sides of project 12.
std::string name_of(const CacheScope& scope) {
  if (scope.fork_request != 0)
    return name_of(scope.project) + "fork-" + std::to_string(scope.fork_request);
  return name_of(scope.project) + (scope.on_protected_refs ? "protected" : "other");
}

Stock read_stock(const fs::path& directory) {
  Stock stock;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{directory, failed}) {
    const std::int64_t project = std::atoll(entry.path().filename().c_str());
    stock.sides.push_back(read_side(entry.path(), project));
    add_lists(stock, stock.sides.size() - 1, entry.path());
  }
  std::sort(stock.lists.begin(), stock.lists.end(),
            [](const StoredList& a, const StoredList& b) { return a.used < b.used; });
  std::set<std::pair<std::size_t, std::string>> counted;
  for (auto list = stock.lists.rbegin(); list != stock.lists.rend(); ++list)
    for (const std::string& id : list->pieces) {
      const auto& pieces = stock.sides[list->side].pieces;
      if (const auto found = pieces.find(id);
          found != pieces.end() && counted.emplace(list->side, id).second)
        list->bytes += found->second.bytes;
    }
  return stock;
}

// Takes the lists that go out of the stock, those used longest ago first.
std::vector<StoredList> take_leaving(Stock& stock, const CacheLimits& limits) {
  std::map<std::int64_t, long long> of_project;
  long long all = 0;
  for (const StoredList& list : stock.lists) {
    of_project[stock.sides[list.side].project] += list.bytes;
    all += list.bytes;
  }
  const long long most = limits.project == 0 ? limits.all : limits.project;
  std::vector<StoredList> leaving;
  const auto leave = [&](long long share) {
    std::erase_if(stock.lists, [&](StoredList& list) {
      long long& of_this = of_project[stock.sides[list.side].project];
      if (all <= limits.all || of_this <= share) return false;
      of_this -= list.bytes;
      all -= list.bytes;
      leaving.push_back(std::move(list));
      return true;
    });
  };
  // First what exceeds a project's own share, so that no project pushes out another's.
  leave(most);
  leave(-1);
  return leaving;
}

using NamedPiece = std::pair<std::size_t, std::string>;  // a side's index, an id

std::set<NamedPiece> pieces_of(const std::vector<StoredList>& lists) {
  std::set<NamedPiece> pieces;
  for (const StoredList& list : lists)
    for (const std::string& id : list.pieces) pieces.emplace(list.side, id);
  return pieces;
}

std::vector<std::string> missing_in(const fs::path& place, const std::vector<std::string>& ids) {
  std::vector<std::string> missing;
  std::set<std::string_view> asked;
  for (const std::string& id : ids)
    if (is_cache_piece_id(id) && asked.insert(id).second &&
        size_on_disk(piece_file(place, id)) <= 0)
      missing.push_back(id);
  return missing;
}

}  // namespace

CacheDepot::CacheDepot(fs::path directory, CacheLimits limits)
    : directory_(std::move(directory)), limits_(limits) {}

Result<std::unique_ptr<CacheDepot>> CacheDepot::open(const fs::path& directory,
                                                     CacheLimits limits) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  // Caches may hold what their projects keep to themselves.
  if (!failed) fs::permissions(directory, fs::perms::owner_all, failed);
  if (failed) return errno_error("cannot make '" + directory.string() + "'", failed.value());
  std::unique_ptr<CacheDepot> depot{new CacheDepot{directory, limits}};
  depot->count();
  if (depot->bytes_ > limits.all) depot->clean_up();
  return depot;
}

void CacheDepot::count() {
  std::error_code failed;
  std::vector<fs::path> halves;
  for (const auto& entry : fs::recursive_directory_iterator{directory_, failed}) {
    if (!entry.is_regular_file(failed)) continue;
    const fs::path kind = entry.path().extension();
    if (kind == ".zst")
      bytes_ += static_cast<long long>(entry.file_size(failed));
    else if (kind != ".json")
      halves.push_back(entry.path());
  }
  for (const fs::path& half : halves) fs::remove(half, failed);
}

fs::path CacheDepot::place_of(const CacheScope& scope) const {
  return directory_ / name_of(scope);
}

std::optional<CacheList> CacheDepot::find(const CacheScope& scope, std::string_view key) {
  const std::shared_lock lock{mutex_};
  const fs::path file = list_file(place_of(scope), key);
  auto list = read_list(file);
  // The clean-up goes by when a list was used last.
  if (list) ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
  return list;
}

Result<std::string> CacheDepot::piece(const CacheScope& scope, const std::string& id) {
  const Error none = fail(ErrorKind::NotFound, "the piece is not here");
  if (!is_cache_piece_id(id)) return none;
  const fs::path file = piece_file(place_of(scope), id);
  {
    const std::shared_lock lock{mutex_};
    auto packed = read_file(file, kLargestPacked);
    if (!packed && packed.error().kind == ErrorKind::NotFound) return none;
    if (packed && size_of_piece(id, *packed)) return packed;
  }
  log::warn("caches.piece_damaged", {{"file", file.string()}});
  const std::unique_lock lock{mutex_};
  std::error_code failed;
  if (const long long size = size_on_disk(file); fs::remove(file, failed)) bytes_ -= size;
  return none;
}

std::vector<std::string> CacheDepot::missing(const CacheScope& scope,
                                             const std::vector<std::string>& ids) const {
  const std::shared_lock lock{mutex_};
  return missing_in(place_of(scope), ids);
}

Result<void> CacheDepot::put_piece(const CacheScope& scope, const std::string& id,
                                   std::string_view packed) {
  if (!is_cache_piece_id(id) || packed.size() > kLargestPacked || !size_of_piece(id, packed))
    return fail(ErrorKind::InvalidInput, "the piece is not what its name says");
  // Room for what is being sent: lists that name it come later.
  const long long most = limits_.all + limits_.all / 4;
  if (bytes_ > limits_.all) clean_up();
  if (bytes_ + static_cast<long long>(packed.size()) > most)
    return fail(ErrorKind::TooLarge, "the place for caches is full");
  const std::shared_lock lock{mutex_};
  const fs::path file = piece_file(place_of(scope), id);
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  const long long before = std::max(0LL, size_on_disk(file));
  if (auto stored = replace_file(file, packed, 0600); !stored)
    return fail(ErrorKind::Unavailable, stored.error().message);
  bytes_ += static_cast<long long>(packed.size()) - before;
  return {};
}

Result<std::vector<std::string>> CacheDepot::put(const CacheScope& scope, std::string_view key,
                                                 const CacheList& list) {
  std::vector<std::string> ids;
  for (const CachePiece& piece : list.pieces) ids.push_back(piece.id);
  {
    const std::shared_lock lock{mutex_};
    const fs::path place = place_of(scope);
    if (auto lacking = missing_in(place, ids); !lacking.empty()) return lacking;
    const fs::path file = list_file(place, key);
    std::error_code failed;
    fs::create_directories(file.parent_path(), failed);
    if (auto stored = replace_file(file, to_json(list).dump(), 0600); !stored)
      return fail(ErrorKind::Unavailable, stored.error().message);
  }
  if (bytes_ > limits_.all) clean_up();
  return std::vector<std::string>{};
}

void CacheDepot::clean_up() {
  const std::unique_lock lock{mutex_};
  // Another call may have done it meanwhile.
  if (bytes_ <= limits_.all) return;
  Stock stock = read_stock(directory_);
  std::error_code failed;
  const std::vector<StoredList> leaving = take_leaving(stock, limits_);
  for (const StoredList& list : leaving) fs::remove(list.file, failed);
  const auto named = pieces_of(stock.lists);
  const auto given_up = pieces_of(leaving);
  long long left = 0;
  long long removed = 0;
  for (std::size_t side = 0; side < stock.sides.size(); ++side)
    for (const auto& [id, piece] : stock.sides[side].pieces) {
      const NamedPiece name{side, id};
      const bool goes = !named.contains(name) && (piece.is_old || given_up.contains(name));
      (goes && fs::remove(piece.file, failed) ? removed : left) += piece.bytes;
    }
  bytes_ = left;
  log::info("caches.cleaned", {{"removed", removed}, {"left", left}});
}

void CacheDepot::remove(std::int64_t project) {
  const std::unique_lock lock{mutex_};
  std::error_code failed;
  std::vector<fs::path> sides;
  for (const auto& entry : fs::directory_iterator{directory_, failed})
    if (entry.path().filename().string().starts_with(name_of(project)))
      sides.push_back(entry.path());
  for (const fs::path& place : sides) {
    for (const auto& [id, piece] : read_side(place, project).pieces) bytes_ -= piece.bytes;
    fs::remove_all(place, failed);
  }
}

}  // namespace slipway::server
