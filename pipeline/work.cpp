#include "pipeline/work.h"

#include <re2/re2.h>

namespace slipway::pipeline {

struct Work::State {
  long left = kMost;
  Patterns patterns;
};

thread_local Work::State* Work::state_ = nullptr;

Work::Work() {
  if (state_ != nullptr) return;
  own_ = std::make_unique<State>();
  state_ = own_.get();
}

Work::~Work() {
  if (own_) state_ = nullptr;
}

void Work::spend(std::size_t steps) {
  if (state_ != nullptr && state_->left >= 0) state_->left -= static_cast<long>(steps);
}

bool Work::exhausted() {
  return state_ != nullptr && state_->left < 0;
}

Work::Patterns* Work::patterns() {
  return state_ == nullptr ? nullptr : &state_->patterns;
}

std::string Work::too_much() {
  return "the file asks for too much work: its regular expressions, conditions and variables take "
         "more than " +
         std::to_string(kMost) + " steps";
}

}  // namespace slipway::pipeline
