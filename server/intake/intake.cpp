#include "server/intake/intake.h"

#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "server/intake/found_push.h"

namespace slipway::server {
namespace {

constexpr int kWorkers = 6;
constexpr int kMostOfOneHost = 3;
constexpr int kFetchAttempts = 10;  // with pauses of 1, 2, 4 … seconds: more than eight minutes
constexpr int kMostAttempts = 3;    // at one delivery, over restarts

constexpr const char* kKeptHeaders[]{
    "User-Agent",       "X-GitHub-Event",      "X-GitHub-Delivery",  "X-GitHub-Hook-ID",
    "X-Gitlab-Event",   "X-Gitlab-Event-UUID", "X-Gitlab-Instance",  "Idempotency-Key",
    "webhook-id",       "webhook-timestamp",   "X-Gitea-Event",      "X-Gitea-Event-Type",
    "X-Gitea-Delivery", "X-Forgejo-Event",     "X-Forgejo-Delivery", "X-Event-Key",
    "X-Request-UUID",   "X-Hook-UUID",         "X-Attempt-Number"};

// Kept with the delivery, so that a person can see what came; signatures and tokens are left out.
std::string kept_headers(const HeaderLookup& header) {
  nlohmann::json kept = nlohmann::json::object();
  for (const char* name : kKeptHeaders)
    if (const auto value = header(name)) kept[name] = *value;
  return kept.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Which of the pushes of one call a delivery is, by its key: "KEY" is the first, "KEY/2" follows.
std::size_t part_of(const std::string& key) {
  const auto slash = key.rfind('/');
  std::size_t part = 1;
  if (slash != std::string::npos)
    std::from_chars(key.data() + slash + 1, key.data() + key.size(), part);
  return part;
}

}  // namespace

Intake::Intake(Coordinator& coordinator, Database& database, Mirrors& mirrors, Planner& planner,
               const Clock& clock, const Keyring& keys)
    : coordinator_(coordinator),
      database_(database),
      mirrors_(mirrors),
      planner_(planner),
      clock_(clock),
      keys_(keys),
      queue_(kMostOfOneHost) {}

Intake::~Intake() {
  stop();
}

void Intake::start() {
  {
    auto read = database_.read();
    const std::lock_guard lock{mutex_};
    for (const DeliveryRow& row : read->deliveries.waiting())
      if (const auto project = read->projects.find(row.project_id))
        queue_.push({row.id, project->id, host_of_repository(project->repository_url)});
  }
  for (int i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { work(); });
}

void Intake::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

std::string Intake::seal_webhook_secret(std::string_view secret) const {
  return keys_.seal(secret, kWebhookSecretContext);
}

Result<ReceivedHook> Intake::receive_hook(const ProjectRow& project, const HeaderLookup& header,
                                          std::string_view body) {
  const auto secret = keys_.open(project.webhook_secret, kWebhookSecretContext);
  if (!secret) return fail(ErrorKind::Internal, "the project's webhook secret cannot be opened");
  const auto delivery = verify(header, body, *secret, clock_.now());
  if (!delivery) return delivery.error();
  const auto events = parse(delivery->event, body, {project.path, project.repository_url});
  if (!events) return events.error();

  if (delivery->key.starts_with(kFoundPrefix))
    return fail(ErrorKind::InvalidInput,
                "a delivery's id may not begin with " + std::string{kFoundPrefix});
  DeliveryRow row;
  row.project_id = project.id;
  row.event = delivery->event;
  row.headers = kept_headers(header);
  row.received_at = clock_.now();
  // A call that is cut off half way is sent again, and what of it is stored already is a duplicate.
  std::optional<ReceivedHook> answer;
  for (std::size_t i = 0; i < events->size(); ++i) {
    row.delivery_key = i == 0 ? delivery->key : delivery->key + "/" + std::to_string(i + 1);
    row.body = i == 0 ? body : std::string_view{};
    auto stored = store(project, row, (*events)[i]);
    if (!stored) return stored;
    if (!answer || (answer->verdict != "accepted" && stored->verdict == "accepted"))
      answer = std::move(*stored);
  }
  if (!answer) return fail(ErrorKind::InvalidInput, "the payload tells of nothing");
  return std::move(*answer);
}

Result<ReceivedHook> Intake::store(const ProjectRow& project, DeliveryRow row,
                                   const ForgeEvent& event) {
  row.reason = why_no_pipeline(event);
  row.verdict = row.reason.empty() ? "accepted" : "ignored";
  const std::string verdict = row.verdict;
  const std::string reason = row.reason;

  auto stored = wait_for<StoredDelivery>([&](Completion<StoredDelivery> done) {
    coordinator_.store_delivery(std::move(row), std::move(done));
  });
  if (!stored) return std::move(stored).error();
  if (stored->duplicate)
    return ReceivedHook{stored->id, "duplicate", "a delivery of this number is known already"};
  if (verdict == "accepted") take_up(project, stored->id);
  const auto* ignored = std::get_if<IgnoredEvent>(&event);
  if (ignored != nullptr && !ignored->deleted_ref.empty())
    ref_deleted(project.id, ignored->deleted_ref, ignored->deleted_tag);
  return ReceivedHook{stored->id, verdict, reason};
}

void Intake::ref_deleted(ProjectId project, const std::string& ref, bool is_tag) {
  for (const EnvironmentRow& row : database_.read()->environments.of_ref(project, ref, is_tag)) {
    log::info("environment.stops_with_its_branch", {{"environment", row.name}, {"ref", ref}});
    coordinator_.stop_environment(row.id, {});
  }
}

void Intake::take_up(const ProjectRow& project, DeliveryId delivery) {
  {
    const std::lock_guard lock{mutex_};
    queue_.push({delivery, project.id, host_of_repository(project.repository_url)});
  }
  wake_.notify_one();
}

void Intake::work() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    const auto entry = queue_.take(clock_.steady());
    if (!entry) {
      const auto due = queue_.next_due(clock_.steady());
      if (due)
        wake_.wait_for(lock, *due - clock_.steady());
      else
        wake_.wait(lock);
      continue;
    }
    lock.unlock();
    Result<void> done;
    try {
      done = process(*entry);
    } catch (const std::exception& error) {
      // Put aside: the next ones must not wait behind it, and a restart must not meet it again.
      log::error("delivery.failed", {{"delivery", entry->delivery.value}, {"error", error.what()}});
      settle(entry->delivery, "failed", "working on it failed; the server's log has the details");
    }
    lock.lock();
    if (done)
      queue_.done(*entry);
    else
      queue_.put_back(*entry, clock_.steady() + std::chrono::seconds{1LL << entry->failures});
    // Whoever waited for this project or its git host may go on.
    wake_.notify_all();
  }
}

Result<void> Intake::process(const DeliveryQueue::Entry& entry) {
  const DeliveryId id = entry.delivery;
  std::optional<DeliveryRow> delivery;
  std::optional<ProjectRow> project;
  {
    auto read = database_.read();
    delivery = read->deliveries.find(id);
    if (delivery) project = read->projects.find(delivery->project_id);
    if (project && part_of(delivery->delivery_key) > 1) {
      const auto first = read->deliveries.find_by_key(
          project->id, delivery->delivery_key.substr(0, delivery->delivery_key.rfind('/')));
      if (first) delivery->body = first->body;
    }
  }
  if (!delivery || !project || delivery->verdict != "accepted") return {};
  if (delivery->attempts >= kMostAttempts) {
    settle(id, "failed",
           "put aside: the server ended while working on it, " + std::to_string(kMostAttempts) +
               " times");
    return {};
  }
  // On disk before anything is done, so that a delivery which ends the process is counted.
  const auto counted = coordinator_.write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.deliveries.count_attempt(id);
    return true;
  });
  if (!counted) {
    log::warn("delivery.not_begun", {{"delivery", id.value}, {"error", counted.error().message}});
    return {};  // stays accepted and is taken up after a restart
  }
  const auto done = process_delivery(*delivery, *project);
  if (done) return done;
  const bool may_pass = done.error().kind == ErrorKind::Unavailable;
  if (!mirrors_.stopped() && (!may_pass || entry.failures + 1 >= kFetchAttempts)) {
    settle(id, "failed", done.error().message);
    return {};
  }
  log::warn("delivery.put_back", {{"delivery", id.value}, {"error", done.error().message}});
  const auto kept = coordinator_.write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.deliveries.put_back(
        id, mirrors_.stopped() ? "" : "Waits for another attempt: " + done.error().message);
    return true;
  });
  if (!kept)
    log::warn("delivery.not_put_back", {{"delivery", id.value}, {"error", kept.error().message}});
  return done;
}

Result<void> Intake::process_delivery(const DeliveryRow& delivery, const ProjectRow& project) {
  const auto events = parse(delivery.event, delivery.body, {project.path, project.repository_url});
  if (!events) return events.error();
  const std::size_t part = part_of(delivery.delivery_key);
  if (part == 0 || part > events->size())
    return fail(ErrorKind::InvalidInput, "the payload tells of fewer pushes");
  const ForgeEvent& event = (*events)[part - 1];
  if (const auto* push = std::get_if<PushEvent>(&event))
    return process_push(*push, delivery, project);
  const auto* merge_request = std::get_if<MergeRequestEvent>(&event);
  if (merge_request != nullptr && merge_request->from_fork)
    return process_fork(*merge_request, delivery, project);
  if (merge_request != nullptr && why_no_pipeline(event).empty())
    return process_merge_request(*merge_request, delivery, project);
  settle(delivery.id, "ignored", why_no_pipeline(event));
  return {};
}

Result<void> Intake::make_or_settle(const PlanRequest& request, const DeliveryRow& delivery) {
  auto made = make_pipeline(request, {delivery.id, std::nullopt});
  if (made) return {};
  if (made.error().kind != ErrorKind::InvalidInput) return std::move(made).error();
  settle(delivery.id, "ignored", made.error().message);
  return {};
}

void Intake::settle(DeliveryId id, const std::string& verdict, const std::string& reason) {
  coordinator_.submit<bool>(
      [=](WriteTransaction& write) -> Result<bool> {
        write.stores.deliveries.set_verdict(id, verdict, reason, std::nullopt);
        return true;
      },
      [](const Result<bool>&) {});
  log::info("delivery.settled", {{"delivery", id.value}, {"verdict", verdict}, {"reason", reason}});
}

Result<PipelineId> Intake::create(NewPipeline pipeline) {
  return wait_for<PipelineId>([&](Completion<PipelineId> done) {
    coordinator_.create_pipeline(std::move(pipeline), std::move(done));
  });
}

Result<PipelineId> Intake::make_pipeline(const PlanRequest& request, const Cause& cause) {
  auto planned = planner_.plan(request);
  if (!planned) return std::move(planned).error();
  // What an include needed may just not have been fetched any more.
  if (mirrors_.stopped()) return fail(ErrorKind::Unavailable, "the server is stopping");
  if (planned->none) {
    if (cause.delivery) tell_skipped(request, planned->none->reason);
    return fail(ErrorKind::InvalidInput, planned->none->reason.text);
  }
  planned->pipeline->delivery = cause.delivery;
  planned->pipeline->schedule_run = cause.schedule_run;
  // First, so that every job finds its commit whatever happens to the branch.
  // A work tree's has a ref that goes after its time.
  auto kept =
      request.work_tree ? Result<void>{} : mirrors_.keep(request.project.id.value, request.sha);
  if (!kept) log::warn("commit.not_kept", {{"sha", request.sha}, {"error", kept.error().message}});
  auto made = create(std::move(*planned->pipeline));
  if (!made) return made;
  log::info("pipeline.created", {{"pipeline", made->value},
                                 {"project", request.project.path},
                                 {"ref", request.ref},
                                 {"source", pipeline::to_string(request.source)}});
  return made;
}

Result<PipelineId> Intake::trigger(const ProjectRow& project, const ManualTrigger& trigger) {
  const std::int64_t id = project.id.value;
  if (auto fetched = mirrors_.fetch(id, project.repository_url, trigger.ref, {}); !fetched)
    return std::move(fetched).error();
  auto resolved = mirrors_.resolve(id, trigger.ref);
  if (!resolved) return fail(ErrorKind::InvalidInput, resolved.error().message);
  PlanRequest request;
  request.project = project;
  request.source = trigger.source;
  request.ref = trigger.ref;
  request.is_tag = resolved->is_tag;
  request.sha = resolved->sha;
  request.variables = trigger.variables;
  request.inputs = trigger.inputs;
  request.user = trigger.user;
  if (auto user = database_.read()->users.find(trigger.user)) request.user_login = user->username;
  return make_pipeline(request, {std::nullopt, trigger.schedule_run});
}

LintReport Intake::lint(const ProjectRow& project, const std::optional<std::string>& content,
                        const std::string& file_ref, const std::optional<SimulatedEvent>& simulated,
                        UserId user) {
  const auto named = [&](const std::string& ref) {
    return ref.empty() ? project.default_branch : ref;
  };
  PlanRequest request;
  request.project = project;
  if (user) request.user = user;
  request.ref = named(simulated ? simulated->ref : file_ref);
  if (const auto files = mirrors_.resolve(project.id.value, named(file_ref)))
    request.sha = files->sha;
  if (const auto target = mirrors_.resolve(project.id.value, request.ref))
    request.is_tag = target->is_tag;
  if (simulated) {
    request.source = simulated->source;
    if (simulated->source == pipeline::Source::MergeRequestEvent) {
      auto& facts = request.merge_request.emplace();
      facts.iid = "1";
      facts.source_branch = request.ref;
      facts.target_branch = project.default_branch;
    }
  }
  return planner_.lint(request, content, simulated ? Simulate::yes : Simulate::no);
}

Result<FileAtCommit> Intake::pipeline_file(const ProjectRow& project,
                                           const std::string& ref) const {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
  const std::int64_t id = project.id.value;
  const auto at = mirrors_.resolve(id, ref.empty() ? project.default_branch : ref);
  if (!at) return at.error();
  auto text = mirrors_.read_file(id, at->sha, project.ci_config_path, kMostBytes);
  if (!text) return std::move(text).error();
  return FileAtCommit{at->sha, std::move(*text)};
}

}  // namespace slipway::server
