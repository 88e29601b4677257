#include "cli/server_run.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <iostream>

#include "base/http_client.h"
#include "cli/commands.h"
#include "cli/run_log.h"

namespace slipway::cli {
namespace {

using nlohmann::json;
using runner::LocalJob;

constexpr int kAskedCommits = 400;
constexpr long long kLogPiece = 4LL << 20;
constexpr std::chrono::milliseconds kBetweenLooks{500};
// A server that is restarted is waited for as long.
constexpr std::chrono::seconds kLongestSilence{120};

std::string text_of(const json& value, const char* name) {
  const auto at = value.find(name);
  return at != value.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

pipeline::Reason reason_in(const json& value) {
  pipeline::Reason reason;
  const auto at = value.find("reason");
  if (at == value.end() || !at->is_object()) return reason;
  reason.code = pipeline::parse_reason_code(text_of(*at, "code")).value_or(reason.code);
  reason.text = text_of(*at, "text");
  return reason;
}

LocalJob job_in(const json& value) {
  LocalJob job;
  job.id = value.at("id");
  job.name = text_of(value, "name");
  job.stage = text_of(value, "stage");
  job.attempt = value.value("attempt", 1);
  job.status = pipeline::parse_status(text_of(value, "status")).value_or(job.status);
  job.reason = reason_in(value);
  job.allowed_to_fail =
      value.value("allow_failure", false) && job.status == pipeline::Status::Failed;
  if (value.at("exit_code").is_number()) job.exit_code = value.at("exit_code").get<int>();
  if (value.at("coverage").is_number()) job.coverage = value.at("coverage").get<double>();
  if (value.at("started_at").is_string())
    job.started = std::chrono::steady_clock::now();  // only whether it ran is asked
  if (value.at("duration").is_number())
    job.took = std::chrono::milliseconds{
        static_cast<long long>(value.at("duration").get<double>() * 1000.0)};
  return job;
}

bool is_news(const LocalJob& before, const LocalJob& after) {
  return before.status != after.status || before.reason.text != after.reason.text;
}

}  // namespace

void ServerRun::cancel() {
  {
    const std::lock_guard lock{mutex_};
    ++cancels_;
  }
  wake_.notify_all();
}

bool ServerRun::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  wake_.wait_for(lock, time, [this] { return cancels_ > heeded_; });
  return cancels_ < 3;
}

int ServerRun::run() {
  const auto began = std::chrono::steady_clock::now();
  auto done = begin();
  if (done) done = start();
  if (!done) {
    print_error(done.error());
    return exit_code_of(done.error());
  }
  if (!tell_findings()) return kInvalid;
  open_view();
  if (auto followed = follow(); !followed) {
    print_error(followed.error());
    return exit_code_of(followed.error());
  }
  const auto ended = summary();
  view_.end(ended,
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                  began),
            "");
  const bool failed = ended.canceled || ended.status == pipeline::Status::Failed;
  return failed ? kFailed : kOk;
}

std::string ServerRun::branch() const {
  if (!options_.event.branch.empty()) return options_.event.branch;
  return snapshot_.branch.empty() ? "HEAD" : snapshot_.branch;
}

Result<void> ServerRun::begin() {
  auto server = server_from_environment();
  if (!server) return std::move(server).error();
  server_ = std::move(*server);
  server_.url = options_.url;
  const std::string path =
      options_.project.empty() ? project_address(snapshot_.remote_url).path : options_.project;
  if (path.empty())
    return fail(ErrorKind::InvalidInput, "origin does not say which project this is")
        .with_hint("name it: --project group/name");
  project_ = "/api/v4/projects/" + url_encode(path);
  const auto history = runner::history_of(snapshot_, kAskedCommits);
  if (!history) return history.error();
  const json asked{{"commits", *history}};
  const auto answer = call(server_, "POST", project_ + "/runs/known", &asked);
  if (!answer) return Error{answer.error()}.in("project '" + path + "'");
  return send_tree(answer->at("known").get<std::vector<std::string>>());
}

Result<void> ServerRun::send_tree(const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), snapshot_.sha) != known.end()) return {};
  const auto bundle = runner::bundle_of(snapshot_, known);
  if (!bundle) return bundle.error();
  auto sent = upload(server_, project_ + "/runs/objects?sha=" + snapshot_.sha, *bundle);
  if (sent || sent.error().kind != ErrorKind::TooLarge) return sent;
  Error error = sent.error();
  error.hint = known.empty() ? "the server knows no commit of this history: push the branch first"
                             : "the changes are larger than the server's run_limit";
  return error;
}

Result<void> ServerRun::start() {
  json body{{"sha", snapshot_.sha}, {"branch", branch()}, {"variables", json::array()}};
  if (!snapshot_.base.empty()) body["before"] = snapshot_.base;
  for (const std::string& given : options_.event.variables) {
    const auto equals = given.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(ErrorKind::InvalidInput, "--var must be NAME=VALUE, not '" + given + "'");
    body["variables"].push_back(
        {{"key", given.substr(0, equals)}, {"value", given.substr(equals + 1)}});
  }
  auto made = call(server_, "POST", project_ + "/runs", &body);
  if (!made) return std::move(made).error();
  seen_ = std::move(*made);
  pipeline_ = project_ + "/pipelines/" + seen_.at("id").dump();
  return {};
}

bool ServerRun::tell_findings() const {
  bool valid = true;
  const auto findings = seen_.find("diagnostics");
  if (findings == seen_.end()) return valid;
  for (const json& finding : *findings) {
    const std::string severity = text_of(finding, "severity");
    std::cerr << fmt::format("{}:{}:{}: {}: {}\n", text_of(finding, "file"),
                             finding.value("line", 0), finding.value("column", 0), severity,
                             printable(text_of(finding, "message")));
    valid = valid && severity != "error";
  }
  return valid;
}

void ServerRun::open_view() {
  RunOpening opening{"run", branch(), snapshot_.sha, snapshot_.changed, {}};
  const auto jobs = call(server_, "GET", pipeline_ + "/jobs?per_page=100");
  if (jobs)
    for (const json& job : *jobs)
      opening.jobs.push_back({text_of(job, "name"), text_of(job, "stage"), "server"});
  view_.begin(opening);
  view_.note(text_of(seen_, "web_url"));
}

Result<void> ServerRun::follow() {
  auto heard = std::chrono::steady_clock::now();
  bool silent = false;
  while (true) {
    auto done = heed_cancel();
    auto ended = done ? look() : Result<bool>{done.error()};
    if (ended && *ended) return {};
    const auto now = std::chrono::steady_clock::now();
    if (ended) {
      heard = now;
      silent = false;
    } else if (ended.error().kind != ErrorKind::Unavailable || now - heard > kLongestSilence) {
      return ended.error();
    } else if (!silent) {
      silent = true;
      view_.note("the server does not answer; the pipeline goes on there");
    }
    if (!sleep(kBetweenLooks))
      return fail(
          ErrorKind::Unavailable,
          "not waiting for the server any more; the pipeline is at " + text_of(seen_, "web_url"));
  }
}

Result<bool> ServerRun::look() {
  // Asked before the jobs: once it has ended, what they are then is how they ended.
  auto pipeline = call(server_, "GET", pipeline_);
  if (!pipeline) return std::move(pipeline).error();
  if (auto looked = look_at_jobs(); !looked) return looked.error();
  seen_ = std::move(*pipeline);
  const auto status = pipeline::parse_status(text_of(seen_, "status"));
  return status && (pipeline::is_final(*status) || *status == pipeline::Status::Manual);
}

Result<void> ServerRun::look_at_jobs() {
  for (int page = 1;; ++page) {
    const auto list = call(server_, "GET",
                           fmt::format("{}/jobs?include_retried=true&per_page=100"
                                       "&page={}",
                                       pipeline_, page));
    if (!list) return list.error();
    for (const json& value : *list) {
      const LocalJob job = job_in(value);
      LocalJob& before = jobs_[job.id];
      retried_[job.id] = value.value("retried", false);
      if (pipeline::is_final(before.status) && before.id != 0) continue;
      const bool runs =
          job.status == pipeline::Status::Running || job.status == pipeline::Status::Canceling;
      const bool begins = before.status != job.status && runs;
      const bool news = before.id == 0 || is_news(before, job);
      before = job;
      // The log's lines stand between the two: that it runs, and how it ended.
      if (begins) view_.job_changed(job);
      if (runs || pipeline::is_final(job.status))
        if (auto taken = take_log(job); !taken) return taken;
      if (news && !begins) view_.job_changed(job);
    }
    if (list->size() < 100) return {};
  }
}

Result<void> ServerRun::take_log(const LocalJob& job) {
  long long& at = logged_[job.id];
  const std::string target = fmt::format("{}/jobs/{}/trace", project_, job.id);
  while (true) {
    const auto piece = download(server_, target, at, kLogPiece);
    if (!piece) return piece.error();
    if (piece->empty()) return {};
    view_.job_wrote(job, *piece);
    at += static_cast<long long>(piece->size());
  }
}

Result<void> ServerRun::heed_cancel() {
  int cancels = 0;
  {
    const std::lock_guard lock{mutex_};
    cancels = cancels_;
  }
  if (cancels == heeded_) return {};
  const auto asked =
      cancels == 1 ? call(server_, "POST", pipeline_ + "/cancel") : Result<json>{json::object()};
  // One that has just ended cannot be canceled.
  if (!asked && asked.error().kind == ErrorKind::Unavailable) return asked.error();
  if (cancels > 1)
    if (auto forced = cancel_by_force(); !forced) return forced;
  const std::lock_guard lock{mutex_};
  heeded_ = cancels;
  return {};
}

Result<void> ServerRun::cancel_by_force() {
  const json force{{"force", true}};
  for (const auto& [id, job] : jobs_) {
    if (pipeline::is_final(job.status)) continue;
    const auto asked =
        call(server_, "POST", fmt::format("{}/jobs/{}/cancel", project_, id), &force);
    if (!asked && asked.error().kind == ErrorKind::Unavailable) return asked.error();
  }
  return {};
}

runner::LocalSummary ServerRun::summary() const {
  runner::LocalSummary summary;
  summary.status =
      pipeline::parse_status(text_of(seen_, "status")).value_or(pipeline::Status::Failed);
  summary.reason = reason_in(seen_);
  summary.canceled = summary.status == pipeline::Status::Canceled;
  for (const auto& [id, job] : jobs_)
    if (!retried_.at(id)) summary.jobs.push_back(job);
  return summary;
}

}  // namespace slipway::cli
