#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <deque>

#include "base/files.h"
#include "cli/run_log.h"
#include "cli/run_view.h"
#include "runner/local/results.h"

namespace slipway::cli {
namespace {

using pipeline::Status;
using runner::LocalJob;

constexpr std::size_t kLastLines = 12;
constexpr std::size_t kMostOfLog = std::size_t{64} << 20U;

const char* symbol_of(const LocalJob& job) {
  switch (job.status) {
    case Status::Success: return "✓";
    case Status::Failed: return job.allowed_to_fail ? "!" : "✗";
    case Status::Canceled:
    case Status::Canceling: return "×";
    case Status::Running: return "▶";
    case Status::Manual: return "‖";
    case Status::Skipped: return "»";
    case Status::Created:
    case Status::WaitingForResource:
    case Status::Preparing:
    case Status::Pending:
    case Status::Scheduled: return "·";
  }
  return "·";
}

const char* colour_of(const LocalJob& job) {
  if (job.status == Status::Success) return "\x1b[32m";
  if (job.status == Status::Failed) return job.allowed_to_fail ? "\x1b[33m" : "\x1b[31m";
  return "";
}

std::deque<std::string> last_lines(const std::string& log) {
  std::deque<std::string> lines;
  const auto text = read_file(log, kMostOfLog);
  if (!text) return lines;
  LogLines reader;
  const auto keep = [&](const LogLine& line) {
    if (!line.is_worth_showing()) return;
    lines.push_back(without_colours(line.text));
    if (lines.size() > kLastLines) lines.pop_front();
  };
  reader.feed(*text, keep);
  reader.finish(keep);
  return lines;
}

}  // namespace

std::string in_seconds(std::chrono::milliseconds took) {
  const auto tenths = took.count() / 100;
  if (tenths < 600) return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  return fmt::format("{} min {:02} s", tenths / 600, tenths / 10 % 60);
}

std::string state_words(const LocalJob& job) {
  std::string words{to_string(job.status)};
  if (job.status == Status::Failed && job.exit_code)
    words += fmt::format(" (exit code {})", *job.exit_code) +
             (job.text.empty() ? "" : ": " + printable(job.text));
  else if (job.reason.code != pipeline::ReasonCode::None && !job.reason.text.empty() &&
           job.status != Status::Success && job.status != Status::Running)
    words += ": " + job.reason.text;
  if (job.status == Status::Failed && job.allowed_to_fail) words += ", which is allowed";
  if (job.coverage) words += fmt::format(", coverage {:.2f} %", *job.coverage);
  return words;
}

std::string summary_text(const runner::LocalSummary& summary, std::chrono::milliseconds took,
                         const std::string& results, bool colours) {
  std::size_t width = 0;
  for (const LocalJob& job : summary.jobs) width = std::max(width, job.name.size());
  std::string text = "\n";
  for (const LocalJob& job : summary.jobs) {
    const bool ran = job.started.time_since_epoch().count() != 0;
    text += fmt::format("{}{} {:<{}}  {:>8}  {}{}\n", colours ? colour_of(job) : "", symbol_of(job),
                        printable(job.name), width, ran ? in_seconds(job.took) : "",
                        state_words(job), colours && *colour_of(job) != '\0' ? "\x1b[0m" : "");
    // On a server it has neither a log nor a tree here.
    if (results.empty()) continue;
    if (job.status == Status::Manual)
      text += fmt::format("    it waits for a hand: slipway run --job '{}'\n", job.name);
    if (job.status != Status::Failed) continue;
    const std::string log = results + "/logs/" + runner::file_name_of(job.name) + ".log";
    for (const std::string& line : last_lines(log)) text += "    | " + line + "\n";
    text += "    the whole log: " + log + "\n";
    text += "    a shell in its work tree: slipway shell '" + printable(job.name) + "'\n";
  }
  const std::string end = summary.canceled ? "canceled"
                          : summary.status == Status::Manual
                              ? "fine so far, and waits for a hand"
                              : std::string{to_string(summary.status)};
  return text + fmt::format("\nPipeline: {} in {}\n", end, in_seconds(took));
}

}  // namespace slipway::cli
