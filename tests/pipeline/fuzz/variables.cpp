// Lines of NAME=VALUE: expanded by the server's rules and by the runner's, and read as a dotenv
// report.

#include "pipeline/variables.h"

#include "tests/pipeline/fuzz/target.h"

namespace slipway::pipeline::fuzz {

void take(std::string_view bytes) {
  const std::string whole{bytes};
  Variables variables;
  std::map<std::string, std::string> values;
  while (!bytes.empty()) {
    const std::string_view line = take_line(bytes);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    Variable variable{.name = std::string{line.substr(0, equals)},
                      .value = std::string{line.substr(equals + 1)}};
    variable.raw = variable.name.find('R') != std::string::npos;
    values[variable.name] = variable.value;
    set_variable(variables, std::move(variable));
  }
  if (const auto expanded = expand_variables(variables))
    require(expanded->size() == variables.size(), "expansion keeps every variable");
  else
    require(expanded.error().message.rfind("circular variable reference detected", 0) == 0 ||
                expanded.error().kind == ErrorKind::TooLarge ||
                expanded.error().kind == ErrorKind::InvalidInput,
            "expansion fails for a circle or for size");
  (void)expand_text(whole, variables, true);
  (void)expand_text(whole, variables, false);
  (void)expand_on_runner(whole, values);
  (void)parse_dotenv(whole);
  const std::string short_name = slug(whole);
  require(short_name.size() <= 63 && slug(short_name) == short_name, "a slug stays as it is");
  require(environment_slug(whole).size() <= 24, "an environment's slug is short");
}

}  // namespace slipway::pipeline::fuzz
