#include "runner/artifact_transfer.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "runner/artifacts.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr int kUploadAttempts = 3;
constexpr std::chrono::minutes kTransferTimeout{5};  // a server takes in large files for a while
constexpr std::size_t kPiece = std::size_t{256} << 10U;

// The next piece of a file, "" at its end.
std::string next_piece(int fd) {
  std::string bytes(kPiece, '\0');
  const ssize_t got = ::read(fd, bytes.data(), bytes.size());
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

std::string what_went_wrong(const Result<JobAnswer>& answer) {
  if (!answer) return answer.error().message;
  return fmt::format("the server answered {}{}{}", answer->status,
                     answer->message.empty() ? "" : ": ", answer->message);
}

}  // namespace

ArtifactTransfer::ArtifactTransfer(const JobLink& link, const pipeline::JobSpec& spec,
                                   const Workplace& workplace, Sink say,
                                   std::function<std::string(const std::string&)> expanded,
                                   std::stop_token stop, std::chrono::milliseconds time_left,
                                   int download_attempts)
    : origin_(link),
      spec_(spec),
      workplace_(workplace),
      say_(std::move(say)),
      expanded_(std::move(expanded)),
      stop_(std::move(stop)),
      time_left_(time_left),
      download_attempts_(download_attempts) {}

Result<std::unique_ptr<JobLink>> ArtifactTransfer::connect() const {
  const std::chrono::milliseconds most{kTransferTimeout};
  return origin_.another(std::min(most, time_left_));
}

std::vector<std::string> ArtifactTransfer::all_expanded(std::vector<std::string> texts) const {
  for (std::string& text : texts) text = expanded_(text);
  return texts;
}

Result<void> ArtifactTransfer::download() {
  auto link = connect();
  if (!link) return std::move(link).error();
  const std::stop_callback on_stop{stop_, [&] { (*link)->interrupt(); }};
  for (const pipeline::JobDependency& dependency : spec_.dependencies) {
    if (dependency.filename.empty()) continue;
    if (auto done = download_one(**link, dependency); !done)
      return std::move(done).error().in("artifacts of " + dependency.name);
  }
  return {};
}

JobTransfer& ArtifactTransfer::begin(std::string_view kind, std::string name) {
  JobTransfer& told = transfers_.emplace_back();
  told.kind = kind;
  told.name = std::move(name);
  return told;
}

Result<void> ArtifactTransfer::download_one(JobLink& link,
                                            const pipeline::JobDependency& dependency) {
  say_(fmt::format("Downloading artifacts for {} ({})...\n", dependency.name, dependency.id));
  const auto begun = std::chrono::steady_clock::now();
  JobTransfer& told = begin("artifacts_download", dependency.name);
  const fs::path file = workplace_.own / "dependency.zip";
  if (auto fetched = fetch(link, dependency, file); !fetched) return fetched;
  std::error_code failed;
  told.bytes = told.moved = static_cast<long long>(fs::file_size(file, failed));
  auto extracted = extract_archive(file, workplace_.project);
  told.seconds = seconds_since(begun);
  if (extracted) told.result = "done";
  return extracted;
}

Result<void> ArtifactTransfer::fetch(JobLink& link, const pipeline::JobDependency& dependency,
                                     const fs::path& file) const {
  for (int attempt = 1;; ++attempt) {
    const UniqueFd out{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!out.is_open()) return errno_error("cannot write '" + file.string() + "'", errno);
    const auto answer = link.download(dependency.id, dependency.token, [&](std::string_view chunk) {
      return write_all(out.get(), chunk).has_value();
    });
    if (answer && answer->status == 200) return {};
    const bool final = answer && answer->status < 500;
    if (final || attempt == download_attempts_ || stop_.stop_requested())
      return fail(ErrorKind::Unavailable, what_went_wrong(answer));
    say_("WARNING: downloading failed, trying again: " + what_went_wrong(answer) + "\n");
  }
}

Result<void> ArtifactTransfer::upload(const std::vector<pipeline::JobArtifact>& artifacts) {
  auto link = connect();
  if (!link) return std::move(link).error();
  const std::stop_callback on_stop{stop_, [&] { (*link)->interrupt(); }};
  for (const pipeline::JobArtifact& artifact : artifacts)
    if (auto uploaded = upload_one(**link, artifact); !uploaded) return uploaded;
  return {};
}

Result<ArtifactTransfer::Packed> ArtifactTransfer::pack(
    const pipeline::JobArtifact& artifact) const {
  const auto exclude = all_expanded(artifact.exclude);
  Selection selection = select_files(workplace_.project, all_expanded(artifact.paths), exclude);
  if (artifact.untracked)
    if (auto added = add_untracked(workplace_.project, exclude, selection); !added)
      return std::move(added).error();
  for (const std::string& warning : selection.warnings) say_("WARNING: " + warning + "\n");
  say_(fmt::format("{}: found {} matching artifact files\n", artifact.artifact_type,
                   selection.files.size()));
  if (selection.files.empty()) {
    say_("ERROR: No files to upload\n");
    return Packed{};
  }
  const std::string name = expanded_(artifact.name);
  if (artifact.artifact_format == "raw") {
    if (selection.files.size() != 1)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the report {} must be exactly one file", artifact.artifact_type));
    return Packed{workplace_.project / selection.files.front(), name, 1};
  }
  const fs::path file = workplace_.own / "artifact";
  const bool is_gzip = artifact.artifact_format == "gzip";
  auto written = is_gzip ? write_gzip(workplace_.project, selection.files, file)
                         : write_zip(workplace_.project, selection.files, file);
  if (!written) return std::move(written).error();
  return Packed{file, name + (is_gzip ? ".gz" : ".zip"), selection.files.size()};
}

Result<void> ArtifactTransfer::upload_one(JobLink& link, const pipeline::JobArtifact& artifact) {
  const auto begun = std::chrono::steady_clock::now();
  JobTransfer& told = begin("artifacts_upload", artifact.artifact_type);
  const auto packed = pack(artifact);
  if (!packed) return packed.error();
  if (packed->file.empty()) {
    told.result = "empty";
    return {};
  }
  std::error_code failed;
  told.files = packed->files;
  told.bytes = static_cast<long long>(fs::file_size(packed->file, failed));
  auto sent = send(link, artifact, *packed);
  told.seconds = seconds_since(begun);
  if (sent) {
    told.result = "done";
    told.moved = told.bytes;
  }
  return sent;
}

Result<void> ArtifactTransfer::send(JobLink& link, const pipeline::JobArtifact& artifact,
                                    const Packed& packed) const {
  say_("Uploading artifacts as \"" + artifact.artifact_type + "\" to the server...\n");
  for (int attempt = 1;; ++attempt) {
    const UniqueFd file{
        ::open(packed.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (!file.is_open()) return errno_error("cannot read '" + packed.file.string() + "'", errno);
    const auto answer =
        link.upload(spec_.id, spec_.token, artifact.artifact_type, artifact.artifact_format,
                    packed.name, artifact.expire_in, [&] { return next_piece(file.get()); });
    if (answer && answer->status == 201) return {};
    const bool final =
        answer && (answer->status == 400 || answer->status == 403 || answer->status == 413);
    if (final || attempt == kUploadAttempts || stop_.stop_requested())
      return fail(ErrorKind::Unavailable,
                  "artifacts could not be uploaded: " + what_went_wrong(answer));
    say_("WARNING: uploading failed, trying again: " + what_went_wrong(answer) + "\n");
  }
}

}  // namespace slipway::runner
