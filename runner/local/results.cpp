#include "runner/local/results.h"

#include <spdlog/fmt/fmt.h>

#include <system_error>

#include "base/files.h"
#include "base/gzip.h"
#include "pipeline/variables.h"
#include "runner/artifacts.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIgnored = "*\n!/include.lock\n";
constexpr std::size_t kMostDotenvBytes = 5 << 10;  // as on a server

Error failed_at(const fs::path& path, const std::error_code& code) {
  return errno_error("cannot write '" + path.string() + "'", code.value());
}

}  // namespace

std::string file_name_of(const std::string& job) {
  std::string name;
  for (const char c : job) {
    const bool leads_elsewhere = c == '/' || c == '%' || static_cast<unsigned char>(c) < ' ';
    const bool hides = name.empty() && (c == '.' || c == '-');
    if (leads_elsewhere || hides)
      name += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    else
      name += c;
  }
  return name;
}

Result<LocalResults> LocalResults::open(const fs::path& directory) {
  std::error_code failed;
  for (const char* part : {"logs", "artifacts", "jobs"}) {
    fs::create_directories(directory / part, failed);
    if (failed) return failed_at(directory / part, failed);
  }
  // Logs and reports may hold what others on this machine should not read.
  fs::permissions(directory, fs::perms::owner_all, failed);
  if (!fs::exists(directory / ".gitignore", failed))
    if (auto written = replace_file(directory / ".gitignore", kIgnored); !written)
      return std::move(written).error();
  return LocalResults{directory};
}

fs::path LocalResults::kept_of(const std::string& job) const {
  return directory_ / "jobs" / file_name_of(job);
}
fs::path LocalResults::log_of(const std::string& job) const {
  return directory_ / "logs" / (file_name_of(job) + ".log");
}
fs::path LocalResults::artifacts_of(const std::string& job) const {
  return directory_ / "artifacts" / file_name_of(job);
}

Result<void> LocalResults::begin(const std::string& job) const {
  std::error_code failed;
  for (const fs::path& path : {kept_of(job), artifacts_of(job), log_of(job)}) {
    fs::remove_all(path, failed);
    if (failed) return failed_at(path, failed);
  }
  fs::create_directories(kept_of(job), failed);
  if (failed) return failed_at(kept_of(job), failed);
  return {};
}

Result<void> LocalResults::take(const std::string& job, const std::string& type,
                                const std::string& format, const std::string& name,
                                const fs::path& file) const {
  const fs::path artifacts = artifacts_of(job);
  std::error_code failed;
  fs::create_directories(artifacts, failed);
  if (failed) return failed_at(artifacts, failed);
  if (format == "zip") {
    if (auto unpacked = extract_archive(file, artifacts); !unpacked) return unpacked;
    if (type != "archive") return {};
    const fs::path kept = kept_of(job) / "archive.zip";
    fs::rename(file, kept, failed);
    if (failed) return failed_at(kept, failed);
    return {};
  }
  auto text = read_file(file);
  if (text && format == "gzip")
    text = gunzip(*text, type == "dotenv" ? kMostDotenvBytes : std::size_t{256} << 20U);
  if (!text) return std::move(text).error();
  if (type == "dotenv") {
    if (auto variables = pipeline::parse_dotenv(*text); !variables)
      return std::move(variables).error();
    if (auto written = replace_file(kept_of(job) / "dotenv", *text, 0600); !written) return written;
  }
  std::string plain = file_name_of(type + "-" + name);
  if (format == "gzip" && plain.size() > 3 && plain.compare(plain.size() - 3, 3, ".gz") == 0)
    plain.resize(plain.size() - 3);
  return replace_file(artifacts / plain, *text);
}

std::optional<fs::path> LocalResults::archive_of(const std::string& job) const {
  fs::path archive = kept_of(job) / "archive.zip";
  std::error_code ignored;
  if (!fs::is_regular_file(archive, ignored)) return std::nullopt;
  return archive;
}

pipeline::Variables LocalResults::handed_on_by(const std::string& job) const {
  const auto text = read_file(kept_of(job) / "dotenv", kMostDotenvBytes);
  if (!text) return {};
  auto variables = pipeline::parse_dotenv(*text).value_or(pipeline::Variables{});
  for (pipeline::Variable& variable : variables) variable.raw = true;
  return variables;
}

}  // namespace slipway::runner
