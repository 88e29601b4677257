// The variables that a place sees, in layers: of several of one name that of the last layer counts.
//
// Nothing is copied, so that each of ten thousand jobs can have a scope of its own. The layers must
// outlive it.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "pipeline/job.h"

namespace slipway::pipeline {

class Scope {
 public:
  Scope() = default;
  Scope(const Variables& only) : layers_{&only} {}  // one list is a scope, too
  Scope(std::initializer_list<const Variables*> layers) : layers_(layers) {}

  // Null when there is none.
  [[nodiscard]] const Variable* find(std::string_view name) const;
  // One variable for each name, at the place of its first and with the value of its last.
  [[nodiscard]] Variables flat() const;

 private:
  std::vector<const Variables*> layers_;
};

}  // namespace slipway::pipeline
