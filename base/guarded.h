// Shared data that cannot be reached without its lock.
#pragma once

#include <mutex>
#include <utility>

namespace slipway {

template <typename T>
class Guarded {
 public:
  // Holds the lock for as long as it lives; reach the value with * and ->.
  class Access {
   public:
    Access(std::mutex& mutex, T& value) : lock_(mutex), value_(value) {}
    T& operator*() { return value_; }
    T* operator->() { return &value_; }
    // For condition variables.
    std::unique_lock<std::mutex>& lock() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  [[nodiscard]] Access lock() { return Access{mutex_, value_}; }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace slipway
