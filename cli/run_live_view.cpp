// The view for terminals: lines of the followed job's log go up, below them stands a panel with the
// states and times of the jobs, drawn again when something changes and twice a second.
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <ostream>
#include <stop_token>
#include <thread>

#include "cli/run_log.h"
#include "cli/run_view.h"

namespace slipway::cli {
namespace {

using pipeline::Status;
using runner::LocalJob;

constexpr std::chrono::milliseconds kRedraw{500};

struct TerminalSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    return {};
  return {size.ws_row, size.ws_col};
}

// At most `columns` characters wide, so that the panel has as many rows as lines.
std::string cut_to(const std::string& text, std::size_t columns) {
  std::size_t wide = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins_character = (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80U;
    if (begins_character && ++wide > columns) return text.substr(0, at);
  }
  return text;
}

class LiveView final : public RunView {
 public:
  LiveView(std::ostream& out, bool verbose) : out_(out), verbose_(verbose) {
    ticker_ = std::jthread{[this](const std::stop_token& stop) { tick(stop); }};
  }
  ~LiveView() override {
    ticker_.request_stop();
    if (ticker_.joinable()) ticker_.join();
    const std::lock_guard lock{mutex_};
    erase();
    out_ << std::flush;
  }

  void begin(const RunOpening& opening) override {
    const std::lock_guard lock{mutex_};
    out_ << fmt::format("{} \x1b[1m{}\x1b[0m at {}{}\n", opening.source, printable(opening.ref),
                        opening.sha.substr(0, 8), opening.changed ? ", with changes" : "");
    total_ = opening.jobs.size();
    draw();
  }
  void job_changed(const LocalJob& job) override {
    const std::lock_guard lock{mutex_};
    if (pipeline::is_final(job.status)) {
      logs_[job.id].finish([&](const LogLine& line) { show(job, line); });
      logs_.erase(job.id);
    }
    jobs_.insert_or_assign(job.id, job);
    choose_followed();
    redraw();
  }
  void job_wrote(const LocalJob& job, std::string_view bytes) override {
    const std::lock_guard lock{mutex_};
    logs_[job.id].feed(bytes, [&](const LogLine& line) { show(job, line); });
    redraw();
  }
  void note(const std::string& text) override {
    const std::lock_guard lock{mutex_};
    print("\x1b[33mnote:\x1b[0m " + printable(text));
    redraw();
  }
  void hand_over_terminal() override {
    const std::lock_guard lock{mutex_};
    erase();
    handed_over_ = true;
    out_ << std::flush;
  }
  void take_terminal_back() override {
    const std::lock_guard lock{mutex_};
    handed_over_ = false;
    redraw();
  }
  void end(const runner::LocalSummary& summary, std::chrono::milliseconds took,
           const std::string& results) override {
    const std::lock_guard lock{mutex_};
    erase();
    ended_ = true;
    out_ << summary_text(summary, took, results, true) << std::flush;
  }

 private:
  void tick(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (!stop.stop_requested()) {
      woken_.wait_for(lock, stop, kRedraw, [] { return false; });
      redraw();
    }
  }

  // The job whose log goes by: it stays until it ends, then the oldest that runs.
  void choose_followed() {
    const auto runs = [](const LocalJob& job) {
      return job.status == Status::Running || job.status == Status::Canceling;
    };
    const auto now = jobs_.find(followed_);
    if (now != jobs_.end() && runs(now->second)) return;
    for (const auto& [id, job] : jobs_) {
      if (!runs(job)) continue;
      followed_ = id;
      print("\x1b[36;1m── " + printable(job.name) + " ──\x1b[0m");
      return;
    }
  }

  void show(const LocalJob& job, const LogLine& line) {
    if (job.id == followed_ && (verbose_ || line.is_worth_showing())) print(line.text + "\x1b[0m");
  }
  void print(const std::string& line) {
    erase();
    out_ << line << "\n";
  }

  [[nodiscard]] std::vector<std::string> panel(const TerminalSize& size) const {
    std::vector<std::string> lines;
    std::size_t ended = 0;
    const std::size_t most = std::max<std::size_t>(3, size.rows / 3);
    for (const auto& [id, job] : jobs_) {
      if (pipeline::is_final(job.status)) ++ended;
      if (job.status != Status::Running && job.status != Status::Canceling &&
          job.status != Status::Pending)
        continue;
      const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - job.started);
      const bool waits = job.status == Status::Pending;
      lines.push_back(fmt::format("{} {}  {}  {}",
                                  waits             ? "·"
                                  : id == followed_ ? "▶"
                                                    : "▷",
                                  printable(job.name), to_string(job.status),
                                  waits ? "" : in_seconds(since)));
    }
    if (lines.size() > most) {
      const auto more = lines.size() - most + 1;
      lines.resize(most - 1);
      lines.push_back(fmt::format("… and {} more", more));
    }
    lines.push_back(fmt::format("{} of {} jobs have ended; Ctrl-C cancels", ended, total_));
    return lines;
  }

  void erase() {
    if (drawn_ > 0) out_ << fmt::format("\x1b[{}A\r\x1b[J", drawn_);
    drawn_ = 0;
  }
  void draw() {
    if (ended_ || handed_over_) return;
    const TerminalSize size = terminal_size();
    for (const std::string& line : panel(size)) {
      out_ << "\x1b[2m" << cut_to(line, size.columns - 1) << "\x1b[0m\n";
      ++drawn_;
    }
    out_ << std::flush;
  }
  void redraw() {
    if (ended_ || handed_over_) return;
    erase();
    draw();
  }

  std::ostream& out_;
  bool verbose_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::map<std::int64_t, LocalJob> jobs_;
  std::map<std::int64_t, LogLines> logs_;
  std::int64_t followed_ = 0;
  std::size_t total_ = 0;
  std::size_t drawn_ = 0;  // rows of the panel
  bool ended_ = false;
  bool handed_over_ = false;
  std::jthread ticker_;  // last: it uses the rest
};

}  // namespace

std::unique_ptr<RunView> live_run_view(std::ostream& out, bool verbose) {
  return std::make_unique<LiveView>(out, verbose);
}

}  // namespace slipway::cli
