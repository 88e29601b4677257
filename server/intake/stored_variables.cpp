#include "server/intake/stored_variables.h"

#include <nlohmann/json.hpp>

namespace slipway::server {

std::string variables_to_json(const pipeline::Variables& variables) {
  nlohmann::json list = nlohmann::json::array();
  for (const pipeline::Variable& variable : variables) {
    list.push_back({{"key", variable.name}, {"value", variable.value}});
    if (variable.file) list.back()["variable_type"] = "file";
    if (variable.raw) list.back()["raw"] = true;
  }
  return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

pipeline::Variables variables_from_json(const std::string& json) {
  pipeline::Variables variables;
  const auto list = nlohmann::json::parse(json, nullptr, false);
  if (!list.is_array()) return variables;
  for (const auto& item : list)
    if (item.is_object() && item.contains("key") && item.contains("value"))
      variables.push_back({.name = item["key"].get<std::string>(),
                           .value = item["value"].get<std::string>(),
                           .raw = item.value("raw", false),
                           .file = item.value("variable_type", "") == "file"});
  return variables;
}

}  // namespace slipway::server
