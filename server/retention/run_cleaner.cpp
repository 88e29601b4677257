#include "server/retention/run_cleaner.h"

#include <optional>
#include <set>

#include "base/logging.h"
#include "server/store/run_refs.h"

namespace slipway::server {
namespace {

constexpr std::chrono::milliseconds kBetweenRounds{std::chrono::hours{1}};
// Between an upload and the pipeline that it is for.
constexpr std::chrono::milliseconds kLongestPause{std::chrono::hours{24}};
constexpr int kProjectsAtOnce = 100;

}  // namespace

RunCleaner::~RunCleaner() {
  stop();
}

void RunCleaner::start() {
  thread_ = std::thread{[this] { work(); }};
}

void RunCleaner::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RunCleaner::work() {
  while (sleep(kBetweenRounds)) {
    try {
      clean();
    } catch (const std::exception& error) {
      log::error("runs.not_cleaned", {{"error", error.what()}});
    }
  }
}

bool RunCleaner::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  wake_.wait_for(lock, time, [this] { return stopping_; });
  return !stopping_;
}

int RunCleaner::clean() {
  int gone = 0;
  for (int page = 1;; ++page) {
    const auto projects =
        database_.read()->projects.list("", "", {.page = page, .per_page = kProjectsAtOnce}).rows;
    for (const ProjectRow& project : projects) {
      if (mirrors_.stopped()) return gone;
      gone += clean_project(project.id);
    }
    if (projects.size() < static_cast<std::size_t>(kProjectsAtOnce)) return gone;
  }
}

int RunCleaner::clean_project(ProjectId project) {
  int gone = 0;
  for (const std::string_view prefix : {std::string_view{"refs/slipway/"}, kKeptRefs}) {
    const auto refs = mirrors_.refs_below(project.value, std::string{prefix});
    if (!refs) {
      log::warn("runs.not_listed", {{"project", project.value}, {"error", refs.error().message}});
      continue;
    }
    if (prefix != kKeptRefs) gone += drop_runs(project, *refs);
    gone += drop_commits(project, *refs);
  }
  if (gone == 0) return 0;
  log::info("runs.removed", {{"project", project.value}, {"count", gone}});
  if (auto collected = mirrors_.collect_garbage(project.value); !collected)
    log::warn("runs.not_collected", {{"error", collected.error().message}});
  return gone;
}

int RunCleaner::drop_runs(ProjectId project, const std::vector<std::string>& refs) {
  int gone = 0;
  for (const std::string& ref : refs) {
    if (!is_over(project, ref)) continue;
    if (auto dropped = mirrors_.drop_ref(project.value, ref); dropped)
      ++gone;
    else
      log::warn("runs.not_removed", {{"ref", ref}, {"error", dropped.error().message}});
  }
  return gone;
}

int RunCleaner::drop_commits(ProjectId project, const std::vector<std::string>& refs) {
  const UnixMillis since = clock_.now() - std::chrono::milliseconds{retention_.commits}.count();
  std::optional<std::set<std::string>> wanted;
  int gone = 0;
  for (const std::string& ref : refs) {
    const std::string sha = ref.substr(ref.rfind('/') + 1);
    const bool is_named_by_commit =
        is_commit_id(sha) && (ref == std::string{kKeptRefs} + sha || ref == "refs/slipway/" + sha);
    if (!is_named_by_commit) continue;
    if (!wanted) {
      const auto commits = database_.read()->pipelines.commits_since(project, since);
      wanted.emplace(commits.begin(), commits.end());
    }
    if (!wanted->contains(sha) && drop_commit(project, ref)) ++gone;
  }
  return gone;
}

// A pipeline that was not there when the others were asked for has just kept its commit.
bool RunCleaner::drop_commit(ProjectId project, const std::string& ref) {
  const UnixMillis before = clock_.now() - kLongestPause.count();
  if (mirrors_.ref_made_at(project.value, ref).value_or(before + 1) > before) return false;
  Result<bool> dropped{true};
  if (ref.starts_with(kKeptRefs)) {
    dropped = mirrors_.drop_kept(project.value, ref.substr(kKeptRefs.size()), before);
  } else if (auto done = mirrors_.drop_ref(project.value, ref); !done) {
    dropped = std::move(done).error();
  }
  if (!dropped) log::warn("runs.not_removed", {{"ref", ref}, {"error", dropped.error().message}});
  return dropped && *dropped;
}

bool RunCleaner::is_over(ProjectId project, const std::string& ref) const {
  const UnixMillis now = clock_.now();
  PipelineFilter filter;
  filter.ref = ref;
  const auto pipelines = database_.read()->pipelines.list(project, filter, {}).rows;
  if (!pipelines.empty()) {
    for (const PipelineRow& pipeline : pipelines) {
      if (!pipeline.finished_at) return false;
      if (*pipeline.finished_at + std::chrono::milliseconds{retention_.runs}.count() > now)
        return false;
    }
    return ref.starts_with(kRunRefs);
  }
  // Commits that were fetched by their id have no pipeline of that ref: see drop_commits().
  if (!ref.starts_with(kRunRefs) && !ref.starts_with(kUploadRefs)) return false;
  return mirrors_.ref_made_at(project.value, ref).value_or(now) + kLongestPause.count() <= now;
}

}  // namespace slipway::server
