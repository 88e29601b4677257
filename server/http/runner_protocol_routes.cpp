#include "server/http/runner_protocol_routes.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "base/text.h"
#include "server/coordinator/coverage_of_trace.h"
#include "server/http/common.h"
#include "server/http/front.h"
#include "server/http/job_transfers.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

// A viewer waits for the log; otherwise it is the time that a cancellation may take.
constexpr int kWatchedInterval = 3;
constexpr int kUnwatchedInterval = 10;
// Of a program that polls for several runners.
constexpr std::chrono::milliseconds kHoldInTurn{2000};
constexpr std::string_view kNoSystemId = "<legacy>";

Response no_job() {
  auto response = empty_response(204);
  // Runners send it back; we hold the poll instead of comparing.
  response.headers.set("X-GitLab-Last-Update", "0");
  return response;
}

// Text from a place that may be missing or of another type: what a runner says about itself.
std::string loose_text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>().substr(0, 255)
                                                     : std::string{};
}

// What a runner says beside the reason of a failure: one line, and no longer than a page bears.
std::string one_line(std::string text) {
  constexpr std::size_t kLongest = 500;
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  text = cut_off(text, kLongest);
  const auto last = text.find_last_not_of(' ');
  return last == std::string::npos ? std::string{} : text.substr(0, last + 1);
}

std::string reason_without_payload(ErrorKind kind) {
  if (kind == ErrorKind::Unavailable) return "unsupported_on_slipway";
  return kind == ErrorKind::NotFound ? "missing_dependency_failure" : "runner_system_failure";
}

Response unavailable() {
  auto response = message_response(503, "the server cannot answer now, try again");
  response.headers.set("Retry-After", "1");
  return response;
}

}  // namespace

Response job_response(int status, std::string_view job_status, const TraceStore& traces,
                      JobId job) {
  auto response = text_response(status, std::to_string(status));
  response.headers.set("Job-Status", job_status);
  response.headers.set(
      "X-GitLab-Trace-Update-Interval",
      std::to_string(traces.has_subscribers(job.value) ? kWatchedInterval : kUnwatchedInterval));
  return response;
}

std::optional<Response> refuse_other_job(const Call& call) {
  const auto id = path_number(call.request, "job_id");
  if (id && call.job && call.job->job_id == JobId{*id}) return std::nullopt;
  return message_response(403, "403 Forbidden");
}

RunnerProtocolRoutes::RunnerProtocolRoutes(Coordinator& coordinator, Dispatch& dispatch,
                                           TraceStore& traces, JobPayloads& payloads,
                                           WorkerPool& workers, const Clock& clock,
                                           std::chrono::milliseconds poll_hold)
    : coordinator_(coordinator),
      dispatch_(dispatch),
      traces_(traces),
      payloads_(payloads),
      workers_(workers),
      clock_(clock),
      poll_hold_(poll_hold) {}

std::string RunnerProtocolRoutes::note_contact(const Call& call, const json& body) {
  static const json kNothing = json::object();
  const auto found = body.find("info");
  const auto& info = found != body.end() && found->is_object() ? *found : kNothing;
  RunnerManagerRow manager;
  manager.runner_id = call.principal.runner;
  manager.system_id = loose_text(body, "system_id");
  if (manager.system_id.empty()) manager.system_id = kNoSystemId;
  manager.version = loose_text(info, "version");
  manager.platform = loose_text(info, "platform");
  manager.architecture = loose_text(info, "architecture");
  manager.executor = loose_text(info, "executor");
  manager.ip_address = call.request.remote;
  manager.contacted_at = clock_.now();
  auto system_id = manager.system_id;
  coordinator_.runner_contacted(std::move(manager));
  return system_id;
}

std::chrono::milliseconds RunnerProtocolRoutes::hold_of(RunnerId runner,
                                                        const std::string& system_id) {
  // Runners of old say no name: they cannot be told apart.
  if (system_id == kNoSystemId) return poll_hold_;
  const auto now = clock_.steady();
  const auto memory = 2 * poll_hold_ + std::chrono::minutes{1};
  constexpr std::size_t kMost = 10'000;
  const std::lock_guard lock{mutex_};
  if (pollers_.size() > kMost) pollers_.clear();
  const auto [found, first] = pollers_.try_emplace(system_id, Poller{runner, now, now});
  Poller& poller = found->second;
  if (!first && poller.last != runner && now - poller.at < memory)
    poller.takes_turns_until = now + memory;
  poller.last = runner;
  poller.at = now;
  return now < poller.takes_turns_until ? std::min(poll_hold_, kHoldInTurn) : poll_hold_;
}

Result<Response> RunnerProtocolRoutes::verify(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  note_contact(call, *body);
  auto token = call.request.headers.get("runner-token");
  const auto in_body = loose_text(*body, "token");
  if (token.empty()) token = in_body;
  return json_response(
      200, {{"id", call.principal.runner.value}, {"token", token}, {"token_expires_at", nullptr}});
}

void RunnerProtocolRoutes::request_job(const SharedCall& call,
                                       const std::shared_ptr<Exchange>& exchange) {
  const auto body = parse_object(call->request.body);
  if (!body) {
    exchange->answer(error_response(body.error()));
    return;
  }
  if (!coordinator_.healthy()) {
    exchange->answer(unavailable());
    return;
  }
  const auto runner = call->principal.runner;
  const auto system_id = note_contact(*call, *body);
  const auto ticket =
      dispatch_.request(Taker{runner, system_id}, [this, exchange](Result<Assignment> given) {
        if (given) {
          auto assignment = std::make_shared<const Assignment>(std::move(*given));
          workers_.post([this, assignment, exchange] { hand_over(assignment, exchange); });
        } else if (given.error().kind == ErrorKind::NotFound ||
                   given.error().kind == ErrorKind::Denied) {
          exchange->answer(message_response(403, "403 Forbidden"));
        } else {
          exchange->answer(no_job());
        }
      });
  exchange->hold(hold_of(runner, system_id), [this, ticket, exchange](HoldEnd end) {
    // A ticket that cannot be cancelled brings its answer by itself.
    if (dispatch_.cancel(ticket) && end != HoldEnd::ClientGone) exchange->answer(no_job());
  });
}

void RunnerProtocolRoutes::hand_over(const std::shared_ptr<const Assignment>& assignment,
                                     const std::shared_ptr<Exchange>& exchange) {
  Result<std::string> payload{fail(ErrorKind::Internal, "the payload could not be made")};
  guarded("", [&]() -> Response {
    payload = payloads_.payload(*assignment);
    return {};
  });
  if (payload) {
    Response response;
    response.status = 201;
    response.content_type = "application/json";
    response.body = std::move(*payload);
    response.undelivered = [this, assignment] { dispatch_.give_back(*assignment); };
    exchange->answer(std::move(response));
    return;
  }
  // Giving it back would only bring it here again.
  log::error("job.payload_failed",
             {{"job", assignment->job.id.value}, {"error", payload.error().message}});
  if (const auto who = coordinator_.find_job(assignment->token)) {
    FinishedJob result;
    result.outcome = JobOutcome::Failed;
    result.failure_reason = reason_without_payload(payload.error().kind);
    if (payload.error().kind == ErrorKind::NotFound) result.failure_text = payload.error().message;
    coordinator_.finish_job(*who, std::move(result), [](const Result<std::string>&) {});
  }
  exchange->answer(no_job());
}

void RunnerProtocolRoutes::update_job(const SharedCall& call,
                                      const std::shared_ptr<Exchange>& exchange) {
  if (auto refusal = refuse_other_job(*call)) {
    exchange->answer(std::move(*refusal));
    return;
  }
  const auto body = parse_object(call->request.body);
  if (!body) {
    exchange->answer(error_response(body.error()));
    return;
  }
  FieldReader fields{*body};
  const auto state = fields.needed_text("state");
  FinishedJob result;
  result.failure_reason = fields.text("failure_reason").value_or("");
  result.failure_text = one_line(fields.text("failure_text").value_or(""));
  result.transfers = transfers_of(*body);
  if (const auto code = fields.number("exit_code")) result.exit_code = static_cast<int>(*code);
  result.trace_checksum = fields.text("checksum").value_or("");
  std::optional<long long> bytesize;
  if (const auto output = body->find("output"); output != body->end() && output->is_object()) {
    FieldReader inner{*output};
    bytesize = inner.number("bytesize");
    result.trace_checksum = inner.text("checksum").value_or(result.trace_checksum);
  }
  if (state != "running" && state != "pending" && state != "success" && state != "failed")
    fields.refuse("state", "pending, running, success or failed");
  if (fields.error()) {
    exchange->answer(error_response(*fields.error()));
    return;
  }
  if (state == "success" || state == "failed") {
    result.outcome = state == "success" ? JobOutcome::Success : JobOutcome::Failed;
    finish(call, std::move(result), bytesize, exchange);
    return;
  }
  coordinator_.acknowledge(*call->job, [this, call, exchange](Result<std::string> status) {
    if (status)
      exchange->answer(job_response(200, *status, traces_, call->job->job_id));
    else
      exchange->answer(error_response(status.error()));
  });
}

void RunnerProtocolRoutes::finish(const SharedCall& call, FinishedJob result,
                                  std::optional<long long> bytesize,
                                  const std::shared_ptr<Exchange>& exchange) {
  const auto& who = *call->job;
  if (!who.finished) {
    coordinator_.heard_from(who);
    if (auto complaint = check_log(who, result, bytesize)) {
      exchange->answer(std::move(*complaint));
      return;
    }
    result.coverage = coverage_of_trace(traces_, who.job_id, who.coverage_regex);
  }
  coordinator_.finish_job(
      who, std::move(result), [this, call, exchange](Result<std::string> status) {
        if (status)
          exchange->answer(job_response(200, *status, traces_, call->job->job_id));
        else
          exchange->answer(error_response(status.error()));
      });
}

std::optional<Response> RunnerProtocolRoutes::check_log(const JobCredential& who,
                                                        FinishedJob& result,
                                                        std::optional<long long> bytesize) {
  const auto summary = traces_.finish(who.job_id.value);
  if (!summary) return error_response(summary.error());
  result.trace_size = summary->size;
  const bool shorter = bytesize && summary->size < *bytesize;
  const bool differs = bytesize && summary->size == *bytesize && !result.trace_checksum.empty() &&
                       result.trace_checksum != fmt::format("crc32:{:08x}", summary->crc32);
  if (!shorter && !differs) {
    const std::lock_guard lock{mutex_};
    complaints_.erase(who.job_id);
    return std::nullopt;
  }
  const int times = count_complaint(who.job_id);
  // What is on its way may still come. After that the log is sent again as a whole, once.
  if (shorter && times == 1) return job_response(202, who.status, traces_, who.job_id);
  if (times <= 2) {
    if (auto done = traces_.truncate(who.job_id.value); !done) return error_response(done.error());
    log::warn("trace.restarted", {{"job", who.job_id.value}, {"size", summary->size}});
    return job_response(412, who.status, traces_, who.job_id);
  }
  log::warn("trace.damaged", {{"job", who.job_id.value}, {"size", summary->size}});
  return std::nullopt;
}

int RunnerProtocolRoutes::count_complaint(JobId job) {
  constexpr std::size_t kMost = 10'000;
  const std::lock_guard lock{mutex_};
  if (complaints_.size() > kMost) complaints_.clear();
  return ++complaints_[job];
}

Result<Response> RunnerProtocolRoutes::unregister_manager(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  const auto system_id = loose_text(*body, "system_id");
  if (system_id.empty()) return fail(ErrorKind::InvalidInput, "system_id is missing");
  const auto done = coordinator_.write<void>(
      [&, runner = call.principal.runner](WriteTransaction& transaction) -> Result<void> {
        if (!transaction.stores.runners.remove_manager(runner, system_id))
          return not_found("Runner Manager");
        transaction.changes.runners.push_back(runner);
        return {};
      });
  if (!done) return done.error();
  coordinator_.forget_contact(call.principal.runner, system_id);
  return empty_response(204);
}

}  // namespace slipway::server::http
