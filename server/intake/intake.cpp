#include "server/intake/intake.h"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/logging.h"

namespace slipway::server {
namespace {

constexpr std::string_view kSealContext = "project webhook secret";
constexpr int kFetchAttempts = 5;
constexpr int kMostAttempts = 3;  // at one delivery, over restarts

// Kept with the delivery, so that a person can see what came; signatures and tokens are left out.
std::string kept_headers(const HeaderLookup& header) {
  nlohmann::json kept = nlohmann::json::object();
  for (const char* name : {"User-Agent", "X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID"})
    if (const auto value = header(name)) kept[name] = *value;
  return kept.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

pipeline::Reason fetch_reason(const Error& error) {
  return pipeline::make_reason(pipeline::ReasonCode::FetchFailed, error.message);
}

}  // namespace

Intake::Intake(Coordinator& coordinator, Database& database, Mirrors& mirrors, Planner& planner,
               const Clock& clock, std::string seal_key)
    : coordinator_(coordinator),
      database_(database),
      mirrors_(mirrors),
      planner_(planner),
      clock_(clock),
      seal_key_(std::move(seal_key)) {}

Intake::~Intake() {
  stop();
}

void Intake::start() {
  {
    auto read = database_.read();
    const std::lock_guard lock{mutex_};
    for (const DeliveryRow& row : read->deliveries.waiting()) queue_.push_back(row.id);
  }
  worker_ = std::thread{[this] { work(); }};
}

void Intake::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (worker_.joinable()) worker_.join();
}

std::string Intake::seal_webhook_secret(std::string_view secret) const {
  return seal(seal_key_, secret, kSealContext);
}

Result<ReceivedHook> Intake::receive_hook(const ProjectRow& project, const HeaderLookup& header,
                                          std::string_view body) {
  const auto secret = unseal(seal_key_, project.webhook_secret, kSealContext);
  if (!secret) return fail(ErrorKind::Internal, "the project's webhook secret cannot be opened");
  const auto delivery = github::verify(header, body, *secret);
  if (!delivery) return delivery.error();
  const auto event = github::parse(delivery->event, body, {project.path, project.repository_url});
  if (!event) return event.error();

  DeliveryRow row;
  row.project_id = project.id;
  row.delivery_key = delivery->key;
  row.event = delivery->event;
  row.headers = kept_headers(header);
  row.body = body;
  row.received_at = clock_.now();
  const auto* ignored = std::get_if<IgnoredEvent>(&*event);
  row.verdict = ignored != nullptr ? "ignored" : "accepted";
  row.reason = ignored != nullptr ? ignored->reason : "";

  std::promise<Result<StoredDelivery>> answered;
  coordinator_.store_delivery(std::move(row), [&](Result<StoredDelivery> result) {
    answered.set_value(std::move(result));
  });
  auto stored = answered.get_future().get();
  if (!stored) return std::move(stored).error();
  if (stored->duplicate)
    return ReceivedHook{stored->id, "duplicate", "a delivery of this number is known already"};
  if (ignored != nullptr) return ReceivedHook{stored->id, "ignored", ignored->reason};
  {
    const std::lock_guard lock{mutex_};
    queue_.push_back(stored->id);
  }
  wake_.notify_all();
  return ReceivedHook{stored->id, "accepted", ""};
}

void Intake::work() {
  while (true) {
    DeliveryId id;
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      id = queue_.front();
      queue_.pop_front();
    }
    try {
      process(id);
    } catch (const std::exception& error) {
      // Put aside: the next ones must not wait behind it, and a restart must not meet it again.
      log::error("delivery.failed", {{"delivery", id.value}, {"error", error.what()}});
      settle(id, "failed", "working on it failed; the server's log has the details");
    }
  }
}

void Intake::process(DeliveryId id) {
  std::optional<DeliveryRow> delivery;
  std::optional<ProjectRow> project;
  {
    auto read = database_.read();
    delivery = read->deliveries.find(id);
    if (delivery) project = read->projects.find(delivery->project_id);
  }
  if (!delivery || !project) return;
  if (delivery->attempts >= kMostAttempts) {
    settle(id, "failed",
           "put aside: the server ended while working on it, " + std::to_string(kMostAttempts) +
               " times");
    return;
  }
  // On disk before anything is done, so that a delivery which ends the process is counted.
  const auto counted = coordinator_.write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.deliveries.count_attempt(id);
    return true;
  });
  if (!counted) {
    log::warn("delivery.not_begun", {{"delivery", id.value}, {"error", counted.error().message}});
    return;  // stays accepted and is taken up after a restart
  }
  if (auto done = process_push(*delivery, *project); !done)
    settle(id, "failed", done.error().message);
}

Result<void> Intake::process_push(const DeliveryRow& delivery, const ProjectRow& project) {
  const auto event =
      github::parse(delivery.event, delivery.body, {project.path, project.repository_url});
  if (!event) return event.error();
  const auto* push = std::get_if<PushEvent>(&*event);
  if (push == nullptr) return fail(ErrorKind::InvalidInput, "not a push");

  Result<void> fetched;
  for (int attempt = 0; attempt < kFetchAttempts; ++attempt) {
    fetched = mirrors_.fetch(project.id.value, project.repository_url, push->ref, push->after);
    if (fetched || fetched.error().kind != ErrorKind::Unavailable) break;
    log::warn("fetch.failed", {{"project", project.path}, {"error", fetched.error().message}});
    std::unique_lock lock{mutex_};
    if (wake_.wait_for(lock, std::chrono::seconds{1 << attempt}, [&] { return stopping_; }))
      return {};  // stays accepted and is taken up after the restart
  }
  if (!fetched) return fail(ErrorKind::Unavailable, fetch_reason(fetched.error()).text);

  PlanRequest request;
  request.project = project;
  request.source = pipeline::Source::Push;
  request.ref = push->ref;
  request.is_tag = push->is_tag;
  request.sha = push->after;
  request.before_sha = push->before;
  request.user_login = push->pusher;
  auto made = make_pipeline(request, delivery.id);
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
  std::promise<Result<PipelineId>> answered;
  coordinator_.create_pipeline(std::move(pipeline), [&](Result<PipelineId> result) {
    answered.set_value(std::move(result));
  });
  return answered.get_future().get();
}

Result<PipelineId> Intake::make_pipeline(const PlanRequest& request,
                                         std::optional<DeliveryId> delivery) {
  auto planned = planner_.plan(request);
  if (!planned) return std::move(planned).error();
  if (planned->none) return fail(ErrorKind::InvalidInput, planned->none->reason.text);
  planned->pipeline->delivery = delivery;
  // First, so that every job finds its commit whatever happens to the branch.
  if (auto kept = mirrors_.keep(request.project.id.value, request.sha); !kept)
    log::warn("commit.not_kept", {{"sha", request.sha}, {"error", kept.error().message}});
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
  request.user = trigger.user;
  if (auto user = database_.read()->users.find(trigger.user)) request.user_login = user->username;
  return make_pipeline(request, std::nullopt);
}

LintReport Intake::lint(const ProjectRow& project, const std::optional<std::string>& content,
                        const std::string& file_ref, const std::optional<std::string>& simulated) {
  const auto named = [&](const std::string& ref) {
    return ref.empty() ? project.default_branch : ref;
  };
  PlanRequest request;
  request.project = project;
  request.ref = named(simulated.value_or(file_ref));
  if (const auto files = mirrors_.resolve(project.id.value, named(file_ref)))
    request.sha = files->sha;
  if (const auto target = mirrors_.resolve(project.id.value, request.ref))
    request.is_tag = target->is_tag;
  return planner_.lint(request, content, simulated ? Simulate::yes : Simulate::no);
}

}  // namespace slipway::server
