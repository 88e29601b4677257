#include "server/http/worker_pool.h"

#include <utility>

namespace slipway::server::http {

WorkerPool::WorkerPool(int threads) : workers_(static_cast<std::size_t>(threads)) {
  for (Worker& worker : workers_) worker.thread = std::thread{[this, &worker] { run(worker); }};
}

WorkerPool::~WorkerPool() {
  stop();
}

void WorkerPool::post(Work work) {
  Worker* worker = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (stopping_) return;
    if (idle_.empty()) {
      queue_.push_back(std::move(work));
      return;
    }
    worker = idle_.back();
    idle_.pop_back();
  }
  {
    const std::lock_guard lock{worker->mutex};
    worker->given = std::move(work);
  }
  worker->wake.notify_one();
}

void WorkerPool::stop() {
  std::vector<Worker*> idle;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    idle.swap(idle_);
  }
  for (Worker* worker : idle) {
    {
      const std::lock_guard lock{worker->mutex};
      worker->dismissed = true;
    }
    worker->wake.notify_one();
  }
  for (Worker& worker : workers_)
    if (worker.thread.joinable()) worker.thread.join();
}

void WorkerPool::run(Worker& worker) {
  while (const auto work = next(worker)) work();
}

WorkerPool::Work WorkerPool::next(Worker& worker) {
  {
    const std::lock_guard lock{mutex_};
    if (!queue_.empty()) {
      auto work = std::move(queue_.front());
      queue_.pop_front();
      return work;
    }
    if (stopping_) return {};
    idle_.push_back(&worker);
  }
  std::unique_lock lock{worker.mutex};
  worker.wake.wait(lock, [&] { return worker.given || worker.dismissed; });
  return std::exchange(worker.given, {});
}

}  // namespace slipway::server::http
