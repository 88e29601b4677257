// The language of `rules: if` and `only: variables`.
//
// Grammar and meaning are GitLab's (Gitlab::Ci::Pipeline::Expression): `==` and `!=` compare
// strings or null, `=~` and `!~` search with RE2, `&&` binds tighter than `||`, parentheses nest; a
// value counts as true when it is there and not blank. Values of variables are not expanded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pipeline/scope.h"

namespace slipway::pipeline::rules {

// What is assumed of a variable when possibilities are weighed.
struct Assumed {
  enum class Is : std::uint8_t {
    Unset,
    Text,   // this one
    Other,  // one that is not blank and that nothing names
  };
  Is is = Is::Unset;
  std::string text;
};
using Assumptions = std::unordered_map<std::string, Assumed>;  // unset where there is none

enum class Likely : std::uint8_t { No, Maybe, Yes };

// A text in quotes.
struct Literal {
  std::string text;
  bool is_pattern = false;  // stands on the right of `=~` or `!~`
};

class Expression {
 public:
  // InvalidInput: "invalid expression syntax", with what is wrong as the hint.
  static Result<Expression> parse(std::string_view text);

  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  [[nodiscard]] bool holds(const Scope& variables) const;
  // The variables that it names with their values: `$CI_COMMIT_BRANCH is "feature"`. Of a long
  // value only the beginning.
  [[nodiscard]] std::string explain(const Scope& variables) const;

  // Whether it holds under `assumptions`; Maybe where that depends on more than they say.
  [[nodiscard]] Likely may_hold(const Assumptions& assumptions) const;
  // The variables that it names, and the texts that each may be compared with.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> comparisons() const;

  [[nodiscard]] std::vector<Literal> literals() const;

  struct Node;

 private:
  explicit Expression(std::unique_ptr<Node> root, std::vector<std::string> names);

  std::unique_ptr<Node> root_;
  std::vector<std::string> names_;
};

}  // namespace slipway::pipeline::rules
