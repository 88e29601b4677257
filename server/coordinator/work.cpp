#include "server/coordinator/work.h"

#include "base/logging.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace slipway::server {

RunnerTable::RunnerTable(std::vector<RunnerRow> all) : rows(std::move(all)) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    by_token_hash.emplace(rows[i].token_hash, i);
    by_id.emplace(rows[i].id, i);
  }
}

const RunnerRow* RunnerTable::find(RunnerId id) const {
  const auto found = by_id.find(id);
  return found == by_id.end() ? nullptr : &rows[found->second];
}

Coordinator::Work::Work(Database& database, const Clock& clock, const CoordinatorOptions& options,
                        JobTokens& tokens)
    : database_(database), clock_(clock), options_(options), tokens_(tokens) {
  load();
}

void Coordinator::Work::load() {
  alive_.clear();
  pipeline_of_.clear();
  waiting_.clear();
  held_.clear();
  scheduled_.clear();
  canceling_since_.clear();
  claims_.clear();
  changes_ = {};
  touched_jobs_.clear();
  touched_.clear();
  touched_in_round_.clear();
  tokens_.begin_reload();
  runners_ = std::make_shared<const RunnerTable>(stores().runners.all());

  for (const PipelineRow& row : stores().pipelines.unfinished()) {
    // One pipeline that cannot be read must not keep the server from the others.
    if (auto loaded = find_pipeline(row.id); !loaded)
      log::error("pipeline.unreadable",
                 {{"pipeline", row.id.value}, {"error", loaded.error().message}});
  }
  const auto grace =
      std::chrono::duration_cast<std::chrono::milliseconds>(JobTokens::kKeptAfterEnd);
  for (const JobRow& row : stores().jobs.finished_since(now() - grace.count()))
    tokens_.put(row.token_hash, credential_of(row), clock_.steady());
  tokens_.end_reload(clock_.steady());
}

Changes Coordinator::Work::everything() {
  Changes all;
  all.reloaded = true;
  all.effects = true;
  all.schedules = true;
  for (const auto& [id, alive] : alive_) {
    all.pipelines.push_back({id, alive.row.project_id, alive.row.status, alive.row.status});
    for (const auto& [job, row] : alive.jobs) {
      if (queue_state(row) != QueueState::Gone) all.queue.push_back(queue_change(row));
      if (row.is_bridge && row.status == "pending") all.bridges.push_back(job);
    }
  }
  // Dispatch hands out in the order in which jobs became pending.
  std::sort(all.queue.begin(), all.queue.end(),
            [](const QueueChange& left, const QueueChange& right) { return left.id < right.id; });
  return all;
}

void Coordinator::Work::begin_request() {
  touched_.clear();
  acting_.reset();
  mark_ = {changes_.pipelines.size(), changes_.jobs.size(),    changes_.queue.size(),
           changes_.bridges.size(),   changes_.runners.size(), changes_.projects.size()};
}

void Coordinator::Work::keep_changes() {
  touched_in_round_.insert(touched_.begin(), touched_.end());
  touched_.clear();
}

void Coordinator::Work::forget_changes() {
  changes_.pipelines.resize(mark_.pipelines);
  changes_.jobs.resize(mark_.jobs);
  changes_.queue.resize(mark_.queue);
  changes_.bridges.resize(mark_.bridges);
  const bool runners_touched = changes_.runners.size() > mark_.runners;
  changes_.runners.resize(mark_.runners);
  changes_.projects.resize(mark_.projects);
  if (runners_touched) runners_ = std::make_shared<const RunnerTable>(stores().runners.all());
  // Jobs that the request made or changed are published as they are on disk again.
  const auto touched = std::exchange(touched_, {});
  touched_in_round_.insert(touched.begin(), touched.end());
  for (const PipelineId id : touched) {
    drop_pipeline(id);
    // NotFound for one that the request itself had made.
    if (auto loaded = find_pipeline(id); !loaded && loaded.error().kind != ErrorKind::NotFound)
      log::error("pipeline.unreadable",
                 {{"pipeline", id.value}, {"error", loaded.error().message}});
  }
  touched_.clear();
}

void Coordinator::Work::forget_round() {
  mark_ = {};
  touched_.insert(touched_in_round_.begin(), touched_in_round_.end());
  forget_changes();
  changes_ = {};
}

Changes Coordinator::Work::finish_round() {
  for (const JobId id : std::exchange(touched_jobs_, {})) publish_token(id);
  for (const PipelineId id : std::exchange(touched_in_round_, {})) {
    const auto found = alive_.find(id);
    if (found != alive_.end() && is_final_word(found->second.row.status)) drop_pipeline(id);
  }
  return std::exchange(changes_, {});
}

void Coordinator::Work::publish_token(JobId id) {
  const auto pipeline = pipeline_of_.find(id);
  if (pipeline == pipeline_of_.end()) {
    tokens_.forget(id);
    return;
  }
  const JobRow& row = alive_.at(pipeline->second).jobs.at(id);
  if (row.token_hash.empty())
    tokens_.forget(id);
  else
    tokens_.put(row.token_hash, credential_of(row), clock_.steady());
}

void Coordinator::Work::drop_pipeline(PipelineId id) {
  const auto found = alive_.find(id);
  if (found == alive_.end()) return;
  for (const auto& [job, row] : found->second.jobs) {
    pipeline_of_.erase(job);
    waiting_.erase(job);
    held_.erase(job);
    scheduled_.erase(job);
    canceling_since_.erase(job);
    file_claim(row, false);
  }
  alive_.erase(found);
}

Result<AlivePipeline*> Coordinator::Work::find_pipeline(PipelineId id) {
  touched_.insert(id);
  if (const auto found = alive_.find(id); found != alive_.end()) return &found->second;
  auto loaded = load_pipeline(stores(), id);
  if (!loaded) return loaded.error();
  AlivePipeline& alive = alive_.emplace(id, std::move(*loaded)).first->second;
  for (auto& [job, row] : alive.jobs) {
    pipeline_of_[job] = id;
    file_job(row);
    // Tokens of the ended are put in by load(), those of the others here: a lease starts again.
    if (queue_state(row) == QueueState::Assigned && !tokens_.last_heard(job))
      tokens_.put(row.token_hash, credential_of(row), clock_.steady());
  }
  return &alive;
}

Result<AlivePipeline*> Coordinator::Work::find_pipeline_of(JobId id) {
  if (const auto found = pipeline_of_.find(id); found != pipeline_of_.end())
    return find_pipeline(found->second);
  const auto row = stores().jobs.find(id);
  if (!row) return fail(ErrorKind::NotFound, fmt::format("no job {}", id.value));
  return find_pipeline(row->pipeline_id);
}

void Coordinator::Work::file_job(const JobRow& row) {
  const QueueState state = queue_state(row);
  const auto file = [&](std::unordered_set<JobId>& set, bool belongs) {
    if (belongs)
      set.insert(row.id);
    else
      set.erase(row.id);
  };
  file(waiting_, state == QueueState::Waiting);
  file(held_, state == QueueState::Assigned);
  file(scheduled_, row.status == "scheduled");
  if (row.status == "canceling")
    canceling_since_.emplace(row.id, clock_.steady());
  else
    canceling_since_.erase(row.id);
  file_claim(row, !is_final_word(row.status) && row.status != "manual");
}

void Coordinator::Work::file_claim(const JobRow& row, bool claims) {
  if (row.resource_group.empty()) return;
  const std::pair key{row.project_id, row.resource_group};
  if (claims) {
    claims_[key].insert(row.id);
    return;
  }
  const auto found = claims_.find(key);
  if (found == claims_.end()) return;
  found->second.erase(row.id);
  if (found->second.empty()) claims_.erase(found);
}

JobCredential credential_of(const JobRow& row) {
  JobCredential credential;
  credential.job_id = row.id;
  credential.pipeline_id = row.pipeline_id;
  credential.project_id = row.project_id;
  credential.runner_id = row.runner_id.value_or(RunnerId{});
  credential.system_id = row.runner_system_id;
  credential.dispatch = row.dispatches;
  credential.acknowledged = row.status != "pending";
  credential.finished = is_final_word(row.status);
  credential.status = credential.acknowledged ? row.status : "running";
  credential.coverage_regex = row.coverage_regex;
  return credential;
}

QueueChange queue_change(const JobRow& row) {
  return {row.id, row.project_id, queue_state(row), row.tags, row.ref_protected};
}

}  // namespace slipway::server
