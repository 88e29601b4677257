// A regular expression written between slashes: /feature-.*/i.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace slipway::pipeline::rules {

class Pattern {
 public:
  // `text` with its slashes and flags (i, s, m, U). RE2, so it never backtracks.
  static Result<Pattern> parse(std::string_view text);
  // Whether it has the shape /…/flags at all.
  static bool looks_like(std::string_view text);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Unanchored.
  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> expression);
  std::unique_ptr<re2::RE2> expression_;
};

}  // namespace slipway::pipeline::rules
