// Caches of jobs on this machine's disk, in pieces that are stored once whatever holds them.
//
// A cache is a tar of its files, cut where its content says so (a rolling hash), so that a change
// makes new only the pieces around it; pieces are named by their SHA-256 and compressed with zstd.
// A list of pieces stands for each project and key. What was used longest ago goes when all of it
// grows beyond the budget. Several threads and processes may use one directory: they share a lock,
// which only the clean-up takes alone.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "runner/cache_list.h"
#include "runner/kept_thing.h"

namespace slipway::runner {

struct CacheFacts {
  std::size_t files = 0;
  long long bytes = 0;      // of the files
  long long new_bytes = 0;  // written for it, compressed; 0 when it was not changed
  bool unchanged = false;   // the same files as were saved last: nothing was read
};

class CacheStore {
 public:
  // `budget` in bytes; made when it is not there.
  static Result<CacheStore> open(const std::filesystem::path& directory, long long budget);

  // nullopt: there is none. `project` keeps those of one project from another's.
  Result<std::optional<CacheFacts>> restore(const std::string& project, const std::string& key,
                                            const std::filesystem::path& tree);
  // `files` are relative to `tree`; links are kept as they are.
  Result<CacheFacts> save(const std::string& project, const std::string& key,
                          const std::filesystem::path& tree, const std::vector<std::string>& files);
  // nullopt: there is none.
  [[nodiscard]] std::optional<CacheList> list(const std::string& project,
                                              const std::string& key) const;
  // One zstd frame. NotFound when it is not there.
  [[nodiscard]] Result<std::string> packed_piece(const std::string& id) const;
  // Stores a cache that was saved elsewhere. `fetch` gives the pieces that are not here, packed;
  // the bytes of those are the answer. Each is checked against its name.
  using FetchPiece = std::function<Result<std::string>(const std::string& id)>;
  Result<long long> take_over(const std::string& project, const std::string& key,
                              const CacheList& list, const FetchPiece& fetch);
  // Removes what was used longest ago until the rest fits the budget.
  Result<void> clean_up();
  // All that there is. A piece counts for the cache that was used last of those that hold it.
  [[nodiscard]] Result<std::vector<KeptThing>> kept() const;
  // Removes these, but for what was used since they were listed.
  Result<void> remove(const std::vector<KeptThing>& things);

 private:
  CacheStore(std::filesystem::path directory, long long budget)
      : directory_(std::move(directory)), budget_(budget) {}

  [[nodiscard]] std::filesystem::path list_of(const std::string& project,
                                              const std::string& key) const;
  [[nodiscard]] std::filesystem::path piece_file(const std::string& id) const;
  [[nodiscard]] bool has_pieces(const CacheList& list) const;
  [[nodiscard]] Result<void> store_piece(const std::string& id, std::string_view packed) const;

  std::filesystem::path directory_;
  long long budget_;
};

// A key as the store takes it: `%2f` and `\` are slashes, nothing in it leads elsewhere, blanks at
// its end are gone. "" when nothing is left. Source: gitlab-runner, cache key sanitation.
std::string clean_cache_key(const std::string& key);

}  // namespace slipway::runner
