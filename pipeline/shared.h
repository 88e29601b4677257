// A value that may be missing, whose copies are one value until one of them is to be changed.
//
// Jobs are copied often (into a plan, into instances) and most of their parts never change, or are
// the same in all jobs with the same base. As with any value, one object belongs to one thread at a
// time; copies of it may be anywhere.
#pragma once

#include <memory>
#include <utility>

namespace slipway::pipeline {

template <typename T>
class Shared {
 public:
  Shared() = default;
  Shared(T value) : value_(std::make_shared<T>(std::move(value))) {}

  [[nodiscard]] explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  // There must be a value.
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

  void reset() { value_.reset(); }
  T& emplace() { return *(value_ = std::make_shared<T>()); }
  // The value for changing it: one of its own, which no copy sees. There must be one.
  T& own() {
    if (value_.use_count() > 1) value_ = std::make_shared<T>(*value_);
    return *value_;
  }

 private:
  std::shared_ptr<T> value_;
};

}  // namespace slipway::pipeline
