// The language of `rules: if` and `only: variables`.
//
// Grammar and meaning are GitLab's (Gitlab::Ci::Pipeline::Expression): `==` and `!=` compare
// strings or null, `=~` and `!~` search with RE2, `&&` binds tighter than `||`, parentheses nest; a
// value counts as true when it is there and not blank. Values of variables are not expanded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/job.h"

namespace slipway::pipeline::rules {

class Expression {
 public:
  // InvalidInput: "invalid expression syntax", with what is wrong as the hint.
  static Result<Expression> parse(std::string_view text);

  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  [[nodiscard]] bool holds(const Variables& variables) const;
  // The variables that it names with their values: `$CI_COMMIT_BRANCH is "feature"`.
  [[nodiscard]] std::string explain(const Variables& variables) const;

  struct Node;

 private:
  explicit Expression(std::unique_ptr<Node> root, std::vector<std::string> names);

  std::unique_ptr<Node> root_;
  std::vector<std::string> names_;
};

}  // namespace slipway::pipeline::rules
