// Something that the runner has stored for later jobs, and that may go when its disk fills up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace slipway::runner {

enum class KeptKind : std::uint8_t {
  Cache,    // of jobs: see cache_store.h
  Objects,  // of git: see object_cache.h
  Image,    // that this runner had docker fetch: see docker_kept.h
  Volume,   // that docker jobs of this runner share with later ones
};
std::string_view to_string(KeptKind kind);  // "cache", "git objects", "image", "volume"

struct KeptThing {
  KeptKind kind = KeptKind::Cache;
  std::string id;  // for whoever keeps it
  std::filesystem::file_time_type used;
  long long bytes = 0;  // that become free when all things used before it are gone too
  // A directory of the disk that it lies on, the same for all things there; "" when not known.
  std::filesystem::path place;
};

// Of all files there, as far as they can be seen.
long long bytes_below(const std::filesystem::path& directory);

}  // namespace slipway::runner
