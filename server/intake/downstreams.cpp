#include "server/intake/downstreams.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "server/access/access.h"
#include "server/blobs/archived_file.h"
#include "server/store/run_refs.h"

namespace slipway::server {
namespace {

constexpr int kWorkers = 3;
constexpr std::chrono::seconds kBetweenTries{1};
constexpr std::size_t kLongestFile = std::size_t{1} << 20U;
// A -> B -> A is allowed: a project may be told when what it started is done.
constexpr int kMostOfOneBranch = 2;

constexpr const char* kCreationFailed = "downstream_pipeline_creation_failed";

std::string top_group(const std::string& path) {
  return path.substr(0, path.find('/'));
}

}  // namespace

Downstreams::Downstreams(Coordinator& coordinator, Database& database, Mirrors& mirrors,
                         Planner& planner, const JobPayload& payload, const BlobStore& blobs,
                         const Clock& clock)
    : coordinator_(coordinator),
      database_(database),
      mirrors_(mirrors),
      planner_(planner),
      payload_(payload),
      blobs_(blobs),
      clock_(clock) {
  coordinator.observe(*this);
}

Downstreams::~Downstreams() {
  stop();
}

void Downstreams::start() {
  for (int i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { work(); });
}

void Downstreams::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void Downstreams::committed(const Changes& changes) noexcept {
  if (changes.bridges.empty()) return;
  {
    const std::lock_guard lock{mutex_};
    for (const JobId job : changes.bridges)
      if (known_.insert(job).second) waiting_.push_back(job);
  }
  wake_.notify_all();
}

void Downstreams::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const JobId job = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    bool settled = false;
    try {
      settled = trigger(job);
    } catch (const std::exception& error) {
      log::error("bridge.failed", {{"job", job.value}, {"error", error.what()}});
      settled = refuse(job, {kCreationFailed, "the server's log has the details"});
    }
    lock.lock();
    if (settled) {
      known_.erase(job);
    } else {
      wake_.wait_for(lock, kBetweenTries, [this] { return stopping_; });
      waiting_.push_back(job);
    }
  }
}

bool Downstreams::trigger(JobId job) {
  const Outcome outcome = outcome_of(job);
  if (!outcome) {
    log::warn("bridge.put_off", {{"job", job.value}, {"error", outcome.error().message}});
    return false;
  }
  // A git that was ended is no reason: the job waits for the next start.
  if (!*outcome || mirrors_.stopped()) return true;
  return refuse(job, **outcome);
}

bool Downstreams::refuse(JobId job, const Refusal& refusal) {
  log::info("bridge.refused",
            {{"job", job.value}, {"reason", refusal.failure_reason}, {"text", refusal.text}});
  const auto failed = wait_for<void>([&](Completion<void> done) {
    coordinator_.fail_bridge(job, refusal.failure_reason, refusal.text, std::move(done));
  });
  if (failed) return true;
  log::warn("bridge.not_failed", {{"job", job.value}, {"error", failed.error().message}});
  return failed.error().kind != ErrorKind::Unavailable;
}

Downstreams::Outcome Downstreams::refused(std::string failure_reason, std::string text) {
  return std::optional<Refusal>{Refusal{std::move(failure_reason), std::move(text)}};
}

Downstreams::Outcome Downstreams::outcome_of(JobId job) {
  const auto loaded = load(job);
  if (!loaded) return refused(kCreationFailed, loaded.error().message);
  if (!*loaded) return std::optional<Refusal>{};  // canceled meanwhile
  const Bridge& bridge = **loaded;
  if (is_fork_ref(bridge.pipeline.ref) && !bridge.wanted.is_child())
    return refused("insufficient_bridge_permissions",
                   "a pipeline from a fork triggers child pipelines only");
  if (!bridge.wanted.upstream.empty()) return follow(bridge);
  return bridge.wanted.is_child() ? trigger_child(bridge) : trigger_project(bridge);
}

Result<std::optional<Downstreams::Bridge>> Downstreams::load(JobId job) {
  Assignment of_server;
  {
    auto read = database_.read();
    const auto row = read->jobs.find(job);
    if (!row || !row->is_bridge || row->status != "pending") return std::optional<Bridge>{};
    const auto pipeline = read->pipelines.find(row->pipeline_id);
    const auto project = read->projects.find(row->project_id);
    if (!pipeline || !project) return std::optional<Bridge>{};
    of_server.job = *row;
    of_server.pipeline = *pipeline;
    of_server.project = *project;
    of_server.plan = read->jobs.plan(row->plan_id);
    of_server.variables = read->pipelines.variables(pipeline->id);
  }
  auto wanted = payload_.downstream(of_server);
  if (!wanted) return std::move(wanted).error();
  return std::optional<Bridge>{Bridge{std::move(of_server.job), std::move(of_server.pipeline),
                                      std::move(of_server.project), std::move(*wanted)}};
}

bool Downstreams::may_reach(const Bridge& bridge, const ProjectRow& wanted, Reach reach) {
  if (wanted.id == bridge.project.id) return true;
  if (const UserId user = bridge.pipeline.user_id.value_or(UserId{})) {
    auto read = database_.read();
    if (reach == Reach::Follow) return may_read(*read, clock_.now(), user, wanted);
    const auto& ref = bridge.wanted.branch;
    return bool{check_owner_may_run(*read, clock_.now(), user, wanted,
                                    ref.empty() ? wanted.default_branch : ref)};
  }
  // Nobody of this server, but a push: who may push to one project of a group works on all of it.
  const std::string& own = bridge.project.path;
  return own.find('/') != std::string::npos && top_group(own) == top_group(wanted.path);
}

// Whether the refusal may say that the project is there.
bool Downstreams::is_seen(const Bridge& bridge, const ProjectRow& wanted) {
  return may_read(*database_.read(), clock_.now(), bridge.pipeline.user_id.value_or(UserId{}),
                  wanted);
}

Downstreams::Outcome Downstreams::follow(const Bridge& bridge) {
  const std::string& path = bridge.wanted.upstream;
  std::optional<PipelineRow> newest;
  {
    const auto project = database_.read()->projects.find_by_path(path);
    // The same words for both, so that nobody learns which projects there are.
    if (!project || !may_reach(bridge, *project, Reach::Follow))
      return refused(
          "upstream_bridge_project_not_found",
          fmt::format("this server has no project '{}' that this one may look at", path));
    newest = database_.read()->pipelines.newest(project->id, project->default_branch);
    if (!newest)
      return refused(kCreationFailed, fmt::format("'{}' has had no pipeline of its branch '{}' yet",
                                                  path, project->default_branch));
  }
  const auto done = wait_for<void>([&](Completion<void> then) {
    coordinator_.follow_pipeline(bridge.job.id, newest->id, std::move(then));
  });
  if (!done && done.error().kind == ErrorKind::Unavailable) return done.error();
  if (!done && done.error().kind != ErrorKind::Conflict)
    return refused(kCreationFailed, done.error().message);
  return std::optional<Refusal>{};
}

std::optional<Downstreams::Refusal> Downstreams::check_family(const Bridge& bridge) {
  auto read = database_.read();
  const auto ancestors =
      read->bridges.ancestors(bridge.pipeline.id, static_cast<int>(kLargestHierarchy));
  if (bridge.wanted.is_child()) {
    const auto end = std::find_if(ancestors.begin(), ancestors.end(),
                                  [](const BridgeRow& row) { return row.kind != "child"; });
    if (end - ancestors.begin() >= kDeepestChild)
      return Refusal{"reached_max_descendant_pipelines_depth",
                     "let the pipeline that it would be a child of trigger it itself"};
  } else {
    const auto wanted = read->projects.find_by_path(bridge.wanted.project);
    int same = 0;
    const auto count = [&](const PipelineRow& row) {
      if (wanted && row.project_id == wanted->id && row.source != "parent_pipeline" &&
          (bridge.wanted.branch.empty() ? row.ref == wanted->default_branch
                                        : row.ref == bridge.wanted.branch))
        ++same;
    };
    count(bridge.pipeline);
    for (const BridgeRow& row : ancestors)
      if (const auto above = read->pipelines.find(row.upstream_id)) count(*above);
    if (same >= kMostOfOneBranch)
      return Refusal{"pipeline_loop_detected",
                     fmt::format("'{}' is {} times above it already", bridge.wanted.project, same)};
  }
  const PipelineId root = ancestors.empty() ? bridge.pipeline.id : ancestors.back().upstream_id;
  if (read->bridges.hierarchy_size(root, kLargestHierarchy) >= kLargestHierarchy)
    return Refusal{"reached_max_pipeline_hierarchy_size",
                   fmt::format("{} pipelines hang together at most", kLargestHierarchy)};
  return std::nullopt;
}

Result<std::string> Downstreams::artifact_file(const Bridge& bridge,
                                               const pipeline::ArtifactFile& file) {
  std::optional<ArtifactRow> archive;
  {
    auto read = database_.read();
    for (const JobRow& job : read->jobs.of_pipeline(bridge.pipeline.id))
      if (job.name == file.job && !job.retried && job.status == "success")
        archive = read->artifacts.find(job.id, "archive");
  }
  if (!archive)
    return fail(ErrorKind::NotFound,
                fmt::format("job '{}' has not left artifacts in this pipeline", file.job));
  const auto blob = blobs_.open_blob(archive->blob);
  if (!blob)
    return fail(ErrorKind::NotFound,
                fmt::format("the artifacts of job '{}' are not there any more", file.job));
  auto text = read_archived_file(*blob, file.path, kLongestFile);
  if (!text) return std::move(text).error().in("job '" + file.job + "'");
  return text;
}

Downstreams::Outcome Downstreams::trigger_child(const Bridge& bridge) {
  if (auto refusal = check_family(bridge)) return refusal;
  PlanRequest request;
  request.project = bridge.project;
  request.source = pipeline::Source::ParentPipeline;
  request.ref = bridge.pipeline.ref;
  request.is_tag = bridge.pipeline.tag;
  request.sha = bridge.pipeline.sha;
  request.before_sha = bridge.pipeline.before_sha;
  ChildConfiguration& child = request.child.emplace();
  child.text = bridge.wanted.configuration;
  child.name = bridge.job.name;
  for (const pipeline::ArtifactFile& file : bridge.wanted.artifacts) {
    auto text = artifact_file(bridge, file);
    if (!text) return refused(kCreationFailed, text.error().message);
    child.files[file.name] = std::move(*text);
  }
  return make(bridge, std::move(request));
}

Downstreams::Outcome Downstreams::trigger_project(const Bridge& bridge) {
  const std::string& path = bridge.wanted.project;
  const auto project = database_.read()->projects.find_by_path(path);
  const bool reached = project && may_reach(bridge, *project, Reach::Trigger);
  if (!project || (!reached && !is_seen(bridge, *project)))
    return refused("downstream_bridge_project_not_found",
                   fmt::format("this server has no project '{}' that this one may trigger", path));
  if (!reached)
    return refused("insufficient_bridge_permissions",
                   fmt::format("'{}' is not in the group of '{}', or who started this pipeline may "
                               "not run pipelines of it",
                               path, bridge.project.path));
  if (auto refusal = check_family(bridge)) return refusal;
  PlanRequest request;
  request.project = *project;
  request.source = pipeline::Source::Pipeline;
  request.ref = bridge.wanted.branch.empty() ? project->default_branch : bridge.wanted.branch;
  const std::int64_t id = project->id.value;
  if (auto fetched = mirrors_.fetch(id, project->repository_url, request.ref, {}); !fetched)
    return refused(kCreationFailed, fetched.error().message);
  const auto resolved = mirrors_.resolve(id, request.ref);
  if (!resolved) return refused(kCreationFailed, resolved.error().message);
  request.is_tag = resolved->is_tag;
  request.sha = resolved->sha;
  request.inputs = bridge.wanted.inputs;
  return make(bridge, std::move(request));
}

Downstreams::Outcome Downstreams::make(const Bridge& bridge, PlanRequest request) {
  request.variables = bridge.wanted.variables;
  request.user = bridge.pipeline.user_id;
  if (request.user)
    if (const auto user = database_.read()->users.find(*request.user))
      request.user_login = user->username;
  auto planned = planner_.plan(request);
  if (!planned) return refused(kCreationFailed, planned.error().message);
  if (mirrors_.stopped()) return std::optional<Refusal>{};
  if (planned->none) return refused(kCreationFailed, planned->none->reason.text);
  planned->pipeline->bridge = bridge.job.id;
  // What hangs on a work tree goes with it.
  auto kept = run_branch(request.ref).empty() ? mirrors_.keep(request.project.id.value, request.sha)
                                              : Result<void>{};
  if (!kept) log::warn("commit.not_kept", {{"sha", request.sha}, {"error", kept.error().message}});
  const auto made = wait_for<PipelineId>([&](Completion<PipelineId> done) {
    coordinator_.create_pipeline(std::move(*planned->pipeline), std::move(done));
  });
  if (made) {
    log::info("pipeline.created", {{"pipeline", made->value},
                                   {"project", request.project.path},
                                   {"ref", request.ref},
                                   {"source", pipeline::to_string(request.source)},
                                   {"job", bridge.job.id.value}});
    return std::optional<Refusal>{};
  }
  if (made.error().kind == ErrorKind::Unavailable) return made.error();
  // Canceled while it was planned.
  if (made.error().kind == ErrorKind::Conflict) return std::optional<Refusal>{};
  return refused(kCreationFailed, made.error().message);
}

}  // namespace slipway::server
