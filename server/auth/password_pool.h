// Two threads for hashing passwords: each hash takes 64 MiB and a tenth of a second, which must
// neither fill the memory nor occupy the workers when somebody guesses. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace slipway::server::auth {

class PasswordPool {
 public:
  explicit PasswordPool(int threads = 2, std::size_t queue_limit = 20);
  // What waits is dropped.
  ~PasswordPool();
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;

  // False when too many wait already. `work` must not throw.
  [[nodiscard]] bool post(std::function<void()> work);

 private:
  void run();

  const std::size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace slipway::server::auth
