// A condition of `rules: if` in the first line, variables as NAME=VALUE in those that follow.

#include "pipeline/rules/expression.h"

#include "tests/pipeline/fuzz/target.h"

namespace slipway::pipeline::fuzz {

void take(std::string_view bytes) {
  const auto expression = rules::Expression::parse(take_line(bytes));
  Variables variables;
  while (!bytes.empty()) {
    const std::string_view line = take_line(bytes);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    set_variable(variables, Variable{.name = std::string{line.substr(0, equals)},
                                     .value = std::string{line.substr(equals + 1)}});
  }
  if (!expression) {
    require(expression.error().message == "invalid expression syntax", "one message for all");
    return;
  }
  require(expression->holds(variables) == expression->holds(variables),
          "the answer stays the same");
  (void)expression->explain(variables);
}

}  // namespace slipway::pipeline::fuzz
