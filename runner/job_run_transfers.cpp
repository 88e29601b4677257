// What a job takes from elsewhere and hands on: artifacts and caches.

#include <algorithm>

#include "runner/job_run.h"

namespace slipway::runner {

namespace fs = std::filesystem;

std::optional<JobCaches> JobRun::open_caches() {
  if (spec_.caches.empty()) return std::nullopt;
  auto store = CacheStore::open(fs::absolute(settings_.cache_dir), settings_.cache_size);
  if (!store) {
    say("WARNING: the job runs without its cache: " + store.error().message + "\n");
    return std::nullopt;
  }
  const auto fallback = variables_.find("CACHE_FALLBACK_KEY");
  return JobCaches{std::move(*store),
                   spec_.project_full_path,
                   workplace_,
                   spec_.caches,
                   fallback == variables_.end() ? std::string{} : fallback->second,
                   [this](const std::string& text) { return expanded(text); },
                   [this](std::string_view text) { say(text); },
                   attempts_.cache};
}

ArtifactTransfer JobRun::transfer() {
  return {trace_->link(),
          spec_,
          workplace_,
          [this](std::string_view text) { say(text); },
          [this](const std::string& text) { return expanded(text); },
          cancel_.get_token(),
          time_left(),
          attempts_.artifacts};
}

Result<void> JobRun::download_dependencies() {
  const bool wanted = std::any_of(
      spec_.dependencies.begin(), spec_.dependencies.end(),
      [](const pipeline::JobDependency& dependency) { return !dependency.filename.empty(); });
  if (!wanted) return {};
  const auto section = open_section("download_artifacts", "Downloading artifacts");
  return transfer().download();
}

Result<void> JobRun::upload_artifacts(bool success) {
  if (trace_->interruption() == Interruption::Abort) return {};
  std::vector<pipeline::JobArtifact> wanted;
  for (const pipeline::JobArtifact& artifact : spec_.artifacts)
    if (artifact.when == "always" || (artifact.when == "on_success") == success)
      wanted.push_back(artifact);
  if (wanted.empty()) return {};
  const auto section = open_section(
      success ? "upload_artifacts_on_success" : "upload_artifacts_on_failure",
      success ? "Uploading artifacts for successful job" : "Uploading artifacts for failed job");
  return transfer().upload(wanted);
}

}  // namespace slipway::runner
