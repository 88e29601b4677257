#include "runner/docker_volumes.h"

#include "base/crypto.h"
#include "runner/docker_command.h"

namespace slipway::runner {

Result<std::vector<std::string>> docker_volumes(const std::vector<std::string>& volumes,
                                                const std::string& scope,
                                                const std::string& runner_label,
                                                const DockerKept& kept) {
  std::vector<std::string> made;
  for (const std::string& volume : volumes) {
    if (volume.find(':') != std::string::npos) {
      made.push_back(volume);
      continue;
    }
    const std::string name =
        "slipway-kept-" + runner_label + "-" + sha256_hex(scope + "\n" + volume).substr(0, 16);
    if (auto ready = kept.use_volume(name); !ready) return std::move(ready).error();
    made.push_back(name + ":" + volume);
  }
  return made;
}

}  // namespace slipway::runner
