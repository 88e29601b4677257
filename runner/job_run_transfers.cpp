// What a job takes from elsewhere and hands on: artifacts and caches.

#include <algorithm>
#include <iterator>

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
                   open_shared_caches(),
                   spec_.project_full_path,
                   workplace_,
                   spec_.caches,
                   fallback == variables_.end() ? std::string{} : fallback->second,
                   [this](const std::string& text) { return expanded(text); },
                   [this](std::string_view text) { say(text); },
                   attempts_.cache};
}

// A pipeline that runs on this machine has no server.
std::optional<SharedCaches> JobRun::open_shared_caches() {
  if (settings_.cache_place != CachePlace::Server || identity_.url.empty()) return std::nullopt;
  constexpr std::chrono::milliseconds kLongestCall{std::chrono::seconds{60}};
  auto client = CacheClient::create(identity_.url, spec_.id, spec_.token,
                                    std::min(kLongestCall, time_left()));
  if (!client) {
    say("WARNING: caches are not shared: " + client.error().message + "\n");
    return std::nullopt;
  }
  return SharedCaches{std::move(*client), cancel_.get_token(), deadline_};
}

void JobRun::note(JobTransfers done) {
  std::move(done.begin(), done.end(), std::back_inserter(transfers_));
}

// A key may be made of variables that are secret.
JobTransfers JobRun::masked_transfers() const {
  JobTransfers all = transfers_;
  const std::vector<std::string> secret = secrets();
  const auto mask = [&](std::string& text) {
    Masker masker{secret, spec_.token_mask_prefixes};
    text = masker.feed(text);
    text += masker.flush();
  };
  for (JobTransfer& transfer : all) {
    mask(transfer.name);
    std::for_each(transfer.keys.begin(), transfer.keys.end(), mask);
  }
  return all;
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
  auto way = transfer();
  auto done = way.download();
  note(way.take_transfers());
  return done;
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
  auto way = transfer();
  auto done = way.upload(wanted);
  note(way.take_transfers());
  return done;
}

}  // namespace slipway::runner
