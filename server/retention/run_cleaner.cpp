#include "server/retention/run_cleaner.h"

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
  const auto refs = mirrors_.refs_below(project.value, "refs/slipway/");
  if (!refs) {
    log::warn("runs.not_listed", {{"project", project.value}, {"error", refs.error().message}});
    return 0;
  }
  int gone = 0;
  for (const std::string& ref : *refs) {
    if (!is_over(project, ref)) continue;
    if (auto dropped = mirrors_.drop_ref(project.value, ref); dropped)
      ++gone;
    else
      log::warn("runs.not_removed", {{"ref", ref}, {"error", dropped.error().message}});
  }
  if (gone == 0) return 0;
  log::info("runs.removed", {{"project", project.value}, {"count", gone}});
  if (auto collected = mirrors_.collect_garbage(project.value); !collected)
    log::warn("runs.not_collected", {{"error", collected.error().message}});
  return gone;
}

bool RunCleaner::is_over(ProjectId project, const std::string& ref) const {
  const UnixMillis now = clock_.now();
  PipelineFilter filter;
  filter.ref = ref;
  const auto pipelines = database_.read()->pipelines.list(project, filter, {}).rows;
  if (!pipelines.empty()) {
    for (const PipelineRow& pipeline : pipelines) {
      if (!pipeline.finished_at) return false;
      if (*pipeline.finished_at + std::chrono::milliseconds{retention_}.count() > now) return false;
    }
    return ref.starts_with(kRunRefs);
  }
  // Of commits that older servers fetched by their id nothing is known here.
  if (!ref.starts_with(kRunRefs) && !ref.starts_with(kUploadRefs)) return false;
  return mirrors_.ref_made_at(project.value, ref).value_or(now) + kLongestPause.count() <= now;
}

}  // namespace slipway::server
