// What docker keeps because of this runner: the images that it had docker fetch, and the volumes
// that its jobs share with later ones. One small file each, in the runner's cache directory, bears
// the name; its time is when a job used it last.
//
// An image that was there before, or that a job has built, is not the runner's and never listed.
// Several threads and processes may use one directory.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "runner/kept_thing.h"

namespace slipway::runner {

class DockerKept {
 public:
  explicit DockerKept(const std::filesystem::path& cache_dir) : directory_(cache_dir / "docker") {}

  // A job has used the image; `words` are those of docker as it made the container, which say
  // whether it was fetched for it.
  void image_used(const std::string& image, std::string_view words) const;

  // A job is about to use the volume, which is made when it is not known.
  [[nodiscard]] Result<void> use_volume(const std::string& name) const;

  // Asks the engine how large they are. What it does not have any more is forgotten.
  [[nodiscard]] std::vector<KeptThing> kept() const;
  // False when a container uses it.
  [[nodiscard]] bool remove(const KeptThing& thing) const;

 private:
  [[nodiscard]] std::filesystem::path file_of(KeptKind kind, const std::string& name) const;
  [[nodiscard]] std::vector<KeptThing> kept(KeptKind kind,
                                            const std::filesystem::path& engine) const;

  std::filesystem::path directory_;
};

}  // namespace slipway::runner
