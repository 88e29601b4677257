#include "runner/docker_kept.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <optional>
#include <system_error>

#include "base/crypto.h"
#include "base/files.h"
#include "base/logging.h"
#include "runner/docker_command.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 4096;

const char* folder_of(KeptKind kind) {
  return kind == KeptKind::Volume ? "volumes" : "images";
}

// NotFound when the engine does not have it.
Result<std::string> inspected(const char* what, const char* format, const std::string& name) {
  const auto told = docker({what, "inspect", "--format", format, name});
  if (!told) return told.error();
  if (told->outcome.succeeded()) return told->output.substr(0, told->output.find('\n'));
  const bool is_gone = told->output.find("No such") != std::string::npos ||
                       told->output.find("no such") != std::string::npos;
  return fail(is_gone ? ErrorKind::NotFound : ErrorKind::Unavailable, told->output);
}

Result<long long> size_of(KeptKind kind, const std::string& name) {
  const bool is_volume = kind == KeptKind::Volume;
  const auto told = is_volume ? inspected("volume", "{{.Mountpoint}}", name)
                              : inspected("image", "{{.Size}}", name);
  if (!told) return told.error();
  // An engine elsewhere does not tell how large a volume is.
  if (is_volume) return bytes_below(*told);
  long long bytes = 0;
  std::from_chars(told->data(), told->data() + told->size(), bytes);
  return bytes;
}

// Where the engine keeps its images, if it is on this machine; nullopt when it does not answer.
std::optional<fs::path> engine_directory() {
  const auto told = docker({"info", "--format", "{{.DockerRootDir}}"});
  if (!told || !told->outcome.succeeded()) return std::nullopt;
  const fs::path directory = told->output.substr(0, told->output.find('\n'));
  std::error_code failed;
  return fs::is_directory(directory, failed) ? directory : fs::path{};
}

}  // namespace

fs::path DockerKept::file_of(KeptKind kind, const std::string& name) const {
  return directory_ / folder_of(kind) / sha256_hex(name);
}

void DockerKept::image_used(const std::string& image, std::string_view words) const {
  const fs::path file = file_of(KeptKind::Image, image);
  if (words.find("Status: Downloaded newer image for") == std::string_view::npos) {
    ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);  // if it is one of ours
    return;
  }
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (auto written = replace_file(file, image, 0600); !written)
    log::warn("docker.image_not_noted", {{"error", written.error().message}});
}

Result<void> DockerKept::use_volume(const std::string& name) const {
  const fs::path file = file_of(KeptKind::Volume, name);
  if (::utimensat(AT_FDCWD, file.c_str(), nullptr, 0) == 0) return {};
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  // First: what is made and not noted would stay for ever.
  if (auto written = replace_file(file, name, 0600); !written) return written;
  const auto made = docker({"volume", "create", "--label", "slipway.kept", name});
  if (!made) return made.error();
  if (!made->outcome.succeeded())
    return fail(ErrorKind::Unavailable, "docker made no volume: " + made->output);
  // Whoever the user of an image is, it may write there; where the engine is elsewhere, root alone.
  if (const auto place = inspected("volume", "{{.Mountpoint}}", name))
    fs::permissions(*place, fs::perms::all, failed);
  return {};
}

std::vector<KeptThing> DockerKept::kept() const {
  std::error_code failed;
  if (!fs::exists(directory_, failed)) return {};
  const auto engine = engine_directory();
  if (!engine) return {};
  std::vector<KeptThing> things = kept(KeptKind::Image, *engine);
  const std::vector<KeptThing> volumes = kept(KeptKind::Volume, *engine);
  things.insert(things.end(), volumes.begin(), volumes.end());
  return things;
}

std::vector<KeptThing> DockerKept::kept(KeptKind kind, const fs::path& engine) const {
  std::vector<KeptThing> things;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{directory_ / folder_of(kind), failed}) {
    const auto name = read_file(entry.path(), kLongestName);
    if (!name || name->empty()) continue;
    if (const auto bytes = size_of(kind, *name); bytes)
      things.push_back({kind, *name, entry.last_write_time(failed), *bytes, engine});
    else if (bytes.error().kind == ErrorKind::NotFound)
      fs::remove(entry.path(), failed);
  }
  return things;
}

bool DockerKept::remove(const KeptThing& thing) const {
  // Without --force: the engine keeps what a container uses or was made from.
  const auto done = docker({thing.kind == KeptKind::Volume ? "volume" : "image", "rm", thing.id});
  if (!done || !done->outcome.succeeded()) return false;
  std::error_code failed;
  fs::remove(file_of(thing.kind, thing.id), failed);
  return true;
}

}  // namespace slipway::runner
