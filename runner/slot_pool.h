// The agent's view of its slots: which are free, which are busy with what, and who must be told.
//
// Slots that an earlier agent started are found by their sockets: busy ones keep their job, those
// of another build leave once they are free. One is started when a job is there for it, and told
// to leave when it has had none for a while. A lock file keeps a second agent of the same runner
// out. Thread-safe, but for open(). What happens is told on the pool's own thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "runner/coordinator_client.h"
#include "runner/slot_wire.h"

namespace slipway::runner {

struct SlotJob {
  std::int64_t id = 0;
  std::string token;
};

struct SlotEvents {
  std::function<void()> started;  // given here, or found running
  std::function<void(const std::string& result, std::chrono::milliseconds took)> ended;
  // The slot died with its job. It counts as busy until forget() is called for it.
  std::function<void(int index, const SlotJob& job)> lost;
};

struct SlotPoolOptions {
  std::filesystem::path folder;
  int concurrent = 1;
  std::string settings;  // the message to each slot
  std::string build = build_of_this_program();
  std::chrono::milliseconds idle{std::chrono::seconds{60}};
  // Starts a slot on that socket: its pid, or 0 when it is no child process.
  std::function<Result<int>(int index, UniqueFd listener)> launch;
};

// What is in use, for whoever clears up.
struct LiveSlots {
  std::set<std::int64_t> jobs;
  std::set<int> busy;       // slots
  std::map<int, int> idle;  // slots, with their pids
  std::set<int> leaving;    // pids of slots that were told to leave just now
};

class SlotPool {
 public:
  SlotPool(SlotPoolOptions options, SlotEvents events);
  // Leaves the slots alone.
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  // Conflict when another agent works there. Returns when the slots that are there have answered.
  Result<void> open();
  // The lowest one that is free; nullopt once closed.
  std::optional<int> wait_for_free();
  // Unavailable when no slot could be started: the job is not begun.
  Result<void> give(int index, const HandedJob& job);
  void close();       // no more jobs
  void cancel_all();  // now and for what is given later
  // Until no slot is busy; then all are told to leave.
  void wait_for_the_end();
  void forget(int index);
  [[nodiscard]] LiveSlots live();

 private:
  enum class State : std::uint8_t { Absent, Joining, Idle, Busy, Lost };
  struct Entry {
    State state = State::Absent;
    std::shared_ptr<SlotChannel> channel;
    SlotJob job;
    bool leaves = false;  // once its job has ended: it is of another build
    int pid = 0;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };

  [[nodiscard]] std::filesystem::path socket_of(int index) const;
  Result<void> adopt();
  Result<void> launch(int index, Entry& entry);
  [[nodiscard]] bool is_free(const Entry& entry) const;
  [[nodiscard]] int taken() const;
  void dismiss(Entry& entry);
  void listen();
  std::chrono::milliseconds dismiss_idle();
  void hear(int index);
  void obey(int index, const std::string& message);
  void lose(int index);
  void reap();
  void wake() const;

  SlotPoolOptions options_;
  SlotEvents events_;
  UniqueFd lock_file_;
  UniqueFd wake_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, Entry> entries_;
  std::vector<pid_t> children_;
  std::map<int, std::chrono::steady_clock::time_point> dismissed_;  // by pid
  bool closed_ = false;
  bool canceled_ = false;
  bool over_ = false;
  std::thread listener_;
};

}  // namespace slipway::runner
