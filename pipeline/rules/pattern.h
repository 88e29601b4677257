// A regular expression written between slashes: /feature-.*/i.
#pragma once

#include <memory>
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
  // TooLarge when the file has asked for too much work.
  static Result<Pattern> parse(std::string_view text);
  // One that stands without slashes.
  static Result<Pattern> of(const std::string& expression);
  // Whether it has the shape /…/flags at all.
  static bool looks_like(std::string_view text);

  // Unanchored. False when the file has asked for too much work.
  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> expression);
  // `key` says all that it is made of.
  static Result<Pattern> made(const std::string& key, const std::string& body,
                              std::string_view flags);

  std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace slipway::pipeline::rules
