#include "server/http/given_variables.h"

#include <nlohmann/json.hpp>

#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

Result<GivenVariable> given_variable(const json& entry) {
  const auto wrong =
      fail(ErrorKind::InvalidInput, "field 'variables' must be a list of {key, value}");
  if (!entry.is_object()) return wrong;
  FieldReader fields{entry};
  GivenVariable given;
  given.key = fields.needed_text("key");
  given.value = fields.needed_text("value");
  const std::string type = fields.text("variable_type").value_or("env_var");
  if (fields.error()) return wrong;
  if (type != "env_var" && type != "file")
    return fail(ErrorKind::InvalidInput, "field 'variable_type' must be env_var or file");
  given.file = type == "file";
  return given;
}

Result<std::vector<GivenVariable>> given_variables(const json& body) {
  std::vector<GivenVariable> variables;
  const auto found = body.find("variables");
  if (found == body.end() || found->is_null()) return variables;
  if (!found->is_array())
    return fail(ErrorKind::InvalidInput, "field 'variables' must be a list of {key, value}");
  for (const auto& entry : *found) {
    auto given = given_variable(entry);
    if (!given) return std::move(given).error();
    variables.push_back(std::move(*given));
  }
  return variables;
}

// Each keeps its type: what the pipeline file wants of it is checked when that is read.
Result<std::vector<std::pair<std::string, std::string>>> given_inputs(const json& body) {
  std::vector<std::pair<std::string, std::string>> inputs;
  const auto found = body.find("inputs");
  if (found == body.end() || found->is_null()) return inputs;
  if (!found->is_object())
    return fail(ErrorKind::InvalidInput, "field 'inputs' must be an object of names and values");
  for (const auto& [name, value] : found->items()) inputs.emplace_back(name, value.dump());
  return inputs;
}

}  // namespace slipway::server::http
