#include "cli/include_lock.h"

#include <map>
#include <sstream>

#include "base/files.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockFile = ".slipway/include.lock";
constexpr const char* kHead =
    "# Files that are included from elsewhere, by SHA-256. Kept by `slipway lint --lock`.\n";
constexpr std::size_t kHash = 64;
constexpr std::size_t kLargestFile = std::size_t{1} << 20U;

using Hashes = std::map<std::string, std::string>;  // by address

Result<Hashes> read_lock(const fs::path& file) {
  const auto text = read_file(file, kLargestFile);
  if (!text && text.error().kind == ErrorKind::NotFound) return Hashes{};
  if (!text) return text.error();
  Hashes hashes;
  std::istringstream lines{*text};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const bool sound = line.size() > kHash + 2 && line.substr(kHash, 2) == "  " &&
                       line.find_first_not_of("0123456789abcdef") == kHash;
    if (!sound)
      return fail(ErrorKind::InvalidInput,
                  file.string() + ":" + std::to_string(number) + ": this is no hash and address")
          .with_hint("restore the file, or delete it and lock anew");
    hashes[line.substr(kHash + 2)] = line.substr(0, kHash);
  }
  return hashes;
}

Result<void> write_lock(const fs::path& file, const Hashes& hashes) {
  std::string text = kHead;
  for (const auto& [address, hash] : hashes) text += hash + "  " + address + "\n";
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (failed) return errno_error("cannot make " + file.parent_path().string(), failed.value());
  return replace_file(file, text);
}

}  // namespace

Result<pipeline::Diagnostics> check_include_lock(
    const fs::path& root, const std::vector<pipeline::IncludedFile>& included) {
  const fs::path file = root / kLockFile;
  auto locked = read_lock(file);
  if (!locked) return std::move(locked).error();
  pipeline::Diagnostics findings;
  bool grew = false;
  for (const pipeline::IncludedFile& one : included) {
    const auto [known, is_new] = locked->try_emplace(one.address, one.sha256);
    grew = grew || is_new;
    if (known->second != one.sha256)
      findings.push_back({pipeline::Severity::Error, "include_changed",
                          "the included file `" + one.address + "` is not the one that was locked",
                          one.at,
                          "look at what changed in it; if that is right, delete its line in " +
                              std::string{kLockFile} + " and lock anew"});
  }
  if (grew)
    if (auto written = write_lock(file, *locked); !written) return written.error();
  return findings;
}

}  // namespace slipway::cli
