// Caches that the runners of a project share: lists of pieces by key, and the pieces.
//
// Pieces are named by the SHA-256 of their bytes and stored as zstd. A project's protected refs, its
// others and each merge request from a fork have nothing in common here, pieces included: what a
// job stores reaches none that is trusted more, and none can ask whether another side has a piece.
//
// Nothing is synced: a piece that a crash has cut is not what its name says, counts as missing when
// it is read, and is stored anew. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/caches/cache_list.h"

namespace slipway::server {

// Whose caches: of a project's protected refs, of its others, or of a merge request from a fork.
struct CacheScope {
  std::int64_t project = 0;
  bool on_protected_refs = false;
  std::int64_t fork_request = 0;  // its number; 0: of the project's own refs
};

struct CacheLimits {
  long long all = 0;      // bytes as stored, of all projects; 0: no caches are kept
  long long project = 0;  // when it is too much, what a project has beyond this goes first; 0: all
};

class CacheDepot {
 public:
  // Makes the directory when it is not there, counts what is in it, and removes the halves of files
  // that a crash has left.
  static Result<std::unique_ptr<CacheDepot>> open(const std::filesystem::path& directory,
                                                  CacheLimits limits);

  [[nodiscard]] bool is_off() const { return limits_.all == 0; }
  // nullopt: there is none, or it is damaged. The cache counts as used now.
  [[nodiscard]] std::optional<CacheList> find(const CacheScope& scope, std::string_view key);
  // A piece as stored. NotFound when it is not there; one that is damaged is removed.
  Result<std::string> piece(const CacheScope& scope, const std::string& id);
  // Those of `ids` that are not here.
  [[nodiscard]] std::vector<std::string> missing(const CacheScope& scope,
                                                 const std::vector<std::string>& ids) const;
  // InvalidInput unless `packed` is one zstd frame of at most kLargestCachePiece bytes whose
  // SHA-256 is `id`; TooLarge when pieces that no list names have filled the place.
  Result<void> put_piece(const CacheScope& scope, const std::string& id, std::string_view packed);
  // Stores the list unless pieces of it are missing, which are the answer. May remove what was used
  // longest ago.
  Result<std::vector<std::string>> put(const CacheScope& scope, std::string_view key,
                                       const CacheList& list);
  // All caches of a project, on all sides.
  void remove(std::int64_t project);

 private:
  CacheDepot(std::filesystem::path directory, CacheLimits limits);

  void count();
  void clean_up();
  [[nodiscard]] std::filesystem::path place_of(const CacheScope& scope) const;

  std::filesystem::path directory_;
  CacheLimits limits_;
  // Shared by those who read and add, taken alone by those who remove.
  mutable std::shared_mutex mutex_;
  std::atomic<long long> bytes_{0};  // of all pieces
};

}  // namespace slipway::server
