#include <spdlog/fmt/fmt.h>

#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/clock.h"
#include "cli/run_log.h"
#include "cli/run_view.h"

namespace slipway::cli {
namespace {

using nlohmann::json;
using pipeline::Status;
using runner::LocalJob;

// A try of a job has a log of its own, whose lines do not run into those of another.
using Logs = std::map<std::int64_t, LogLines>;

class PlainView final : public RunView {
 public:
  PlainView(std::ostream& out, bool verbose) : out_(out), verbose_(verbose) {}

  void begin(const RunOpening& opening) override {
    out_ << fmt::format("{} {} at {}{}: {} job{}\n", opening.source, opening.ref,
                        opening.sha.substr(0, 8), opening.changed ? " (with changes)" : "",
                        opening.jobs.size(), opening.jobs.size() == 1 ? "" : "s")
         << std::flush;
  }
  void job_changed(const LocalJob& job) override {
    if (pipeline::is_final(job.status)) finish(job);
    if (job.status == Status::Created || job.status == Status::Pending) return;
    out_ << fmt::format("[{}] {}{}\n", printable(job.name), state_words(job), attempt_of(job))
         << std::flush;
  }
  void job_wrote(const LocalJob& job, std::string_view bytes) override {
    logs_[job.id].feed(bytes, [&](const LogLine& line) { show(job, line); });
    out_ << std::flush;
  }
  void note(const std::string& text) override {
    out_ << "note: " << printable(text) << "\n" << std::flush;
  }
  void end(const runner::LocalSummary& summary, std::chrono::milliseconds took,
           const std::string& results) override {
    out_ << summary_text(summary, took, results, false) << std::flush;
  }

 private:
  static std::string attempt_of(const LocalJob& job) {
    const bool is_new = job.status == Status::Running && job.attempt > 1;
    return is_new ? fmt::format(" (try {})", job.attempt) : "";
  }
  void show(const LocalJob& job, const LogLine& line) {
    if (verbose_ || line.is_worth_showing())
      out_ << "[" << printable(job.name) << "] " << without_colours(line.text) << "\n";
  }
  void finish(const LocalJob& job) {
    const auto at = logs_.find(job.id);
    if (at == logs_.end()) return;
    at->second.finish([&](const LogLine& line) { show(job, line); });
    logs_.erase(at);
  }

  std::ostream& out_;
  bool verbose_;
  Logs logs_;
};

class JsonView final : public RunView {
 public:
  explicit JsonView(std::ostream& out) : out_(out) {}

  void begin(const RunOpening& opening) override {
    json jobs = json::array();
    for (const RunOpening::Job& job : opening.jobs)
      jobs.push_back({{"name", job.name}, {"stage", job.stage}, {"executor", job.executor}});
    tell("pipeline", {{"source", opening.source},
                      {"ref", opening.ref},
                      {"sha", opening.sha},
                      {"changed", opening.changed},
                      {"jobs", std::move(jobs)}});
  }
  void job_changed(const LocalJob& job) override {
    if (pipeline::is_final(job.status)) finish(job);
    json event{{"id", job.id},
               {"job", job.name},
               {"stage", job.stage},
               {"attempt", job.attempt},
               {"status", to_string(job.status)},
               {"reason", reason_of(job.reason)},
               {"allow_failure", job.allowed_to_fail},
               {"exit_code", nullptr},
               {"coverage", nullptr},
               {"seconds", nullptr}};
    if (job.exit_code) event["exit_code"] = *job.exit_code;
    if (job.coverage) event["coverage"] = *job.coverage;
    if (pipeline::is_final(job.status)) event["seconds"] = seconds(job.took);
    tell("job", event);
  }
  void job_wrote(const LocalJob& job, std::string_view bytes) override {
    logs_[job.id].feed(bytes, [&](const LogLine& line) { show(job, line); });
  }
  void note(const std::string& text) override { tell("note", {{"text", text}}); }
  void end(const runner::LocalSummary& summary, std::chrono::milliseconds took,
           const std::string& results) override {
    tell("end", {{"status", to_string(summary.status)},
                 {"reason", reason_of(summary.reason)},
                 {"canceled", summary.canceled},
                 {"seconds", seconds(took)},
                 {"results", results}});
  }

 private:
  static json reason_of(const pipeline::Reason& reason) {
    return {{"code", to_string(reason.code)}, {"text", reason.text}};
  }
  static double seconds(std::chrono::milliseconds took) {
    return static_cast<double>(took.count()) / 1000.0;
  }
  void show(const LocalJob& job, const LogLine& line) {
    tell("log",
         {{"id", job.id}, {"job", job.name}, {"section", line.section}, {"line", line.text}});
  }
  void finish(const LocalJob& job) {
    const auto at = logs_.find(job.id);
    if (at == logs_.end()) return;
    at->second.finish([&](const LogLine& line) { show(job, line); });
    logs_.erase(at);
  }
  void tell(const char* what, const json& fields) {
    json event{{"event", what}, {"at", to_rfc3339(SystemClock{}.now())}};
    event.update(fields);
    out_ << event.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
  }

  std::ostream& out_;
  Logs logs_;
};

}  // namespace

std::unique_ptr<RunView> plain_run_view(std::ostream& out, bool verbose) {
  return std::make_unique<PlainView>(out, verbose);
}
std::unique_ptr<RunView> json_run_view(std::ostream& out) {
  return std::make_unique<JsonView>(out);
}

}  // namespace slipway::cli
