// The coverage figure that a job's log holds.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"

namespace slipway::pipeline {

// The last line with a match counts, in it the last match, in that its last group or itself, in
// that the first number. `expression` is RE2 without slashes, at most 1 KiB; lines are looked at up
// to 8 KiB. A runner's line timestamps are stripped. nullopt without a match.
class CoverageExpression {
 public:
  static Result<CoverageExpression> compile(std::string_view expression);
  CoverageExpression(CoverageExpression&&) noexcept;
  CoverageExpression& operator=(CoverageExpression&&) noexcept;
  ~CoverageExpression();

  [[nodiscard]] std::optional<double> match_line(std::string_view line) const;
  // From the last line of `log` backwards.
  [[nodiscard]] std::optional<double> match(std::string_view log) const;

 private:
  struct State;
  explicit CoverageExpression(State* state);
  State* state_;
};

}  // namespace slipway::pipeline
