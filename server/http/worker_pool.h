// Threads for work that blocks: SQL, git, files. Nothing is refused, since each connection has at
// most one piece of work here. Thread-safe.
//
// Work goes to the thread that became idle last, whose memory is still warm: with little to do, few
// of the threads ever wake, and none wakes in vain.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace slipway::server::http {

class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // `work` must not throw.
  void post(std::function<void()> work);
  // Finishes what waits; later work is dropped.
  void stop();

 private:
  using Work = std::function<void()>;

  // Each has its own lock: one that is woken does not meet those who hand out more.
  struct Worker {
    std::mutex mutex;
    std::condition_variable wake;
    Work given;
    bool dismissed = false;
    std::thread thread;
  };

  void run(Worker& worker);
  // Empty: stop() was called and nothing is left to do.
  Work next(Worker& worker);

  std::deque<Worker> workers_;
  std::mutex mutex_;
  std::vector<Worker*> idle_;  // empty while anything waits in queue_
  std::deque<Work> queue_;
  bool stopping_ = false;
};

}  // namespace slipway::server::http
