#include "tests/server/http/openapi.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "tests/server/http/api_fixture.h"

namespace slipway::test {

using nlohmann::json;

namespace {

json scalar(const YAML::Node& node) {
  const auto text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  if (text == "null" || text.empty()) return nullptr;
  char* end = nullptr;
  const long long number = std::strtoll(text.c_str(), &end, 10);
  if (*end == '\0') return number;
  return text;
}

json to_json(const YAML::Node& node) {
  if (node.IsMap()) {
    auto object = json::object();
    for (const auto& pair : node) object[pair.first.Scalar()] = to_json(pair.second);
    return object;
  }
  if (node.IsSequence()) {
    auto list = json::array();
    for (const auto& entry : node) list.push_back(to_json(entry));
    return list;
  }
  return node.IsNull() ? json(nullptr) : scalar(node);
}

// With every $ref replaced by what it names: nothing in the document is recursive.
json resolved(const json& schema, const json& document) {
  if (schema.is_array()) {
    auto list = json::array();
    for (const auto& entry : schema) list.push_back(resolved(entry, document));
    return list;
  }
  if (!schema.is_object()) return schema;
  if (const auto reference = schema.find("$ref"); reference != schema.end())
    return resolved(document.at(json::json_pointer{reference->get<std::string>().substr(1)}),
                    document);
  auto object = json::object();
  for (const auto& [key, value] : schema.items()) object[key] = resolved(value, document);
  return object;
}

}  // namespace

OpenApi::OpenApi() {
  const auto* source = std::getenv("SLIPWAY_SOURCE");
  const std::string root = source != nullptr ? source : ".";
  document_ = to_json(YAML::LoadFile(root + "/schemas/openapi.yaml"));
}

std::set<std::string> OpenApi::operations() const {
  std::set<std::string> all;
  for (const auto& [pattern, methods] : document_.at("paths").items())
    for (auto [method, operation] : methods.items()) {
      if (method == "parameters") continue;
      std::string upper = method;
      std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
      all.insert(upper + " " + pattern);
    }
  return all;
}

const json* OpenApi::response_schema(const std::string& method, const std::string& pattern,
                                     int status) const {
  const auto& responses = document_.at("paths").at(pattern).at(method).at("responses");
  auto found = responses.find(std::to_string(status));
  if (found == responses.end()) found = responses.find("default");
  if (found == responses.end()) throw std::runtime_error{"no response " + std::to_string(status)};
  const json* response = &*found;
  if (response->contains("$ref"))
    response = &document_.at(json::json_pointer{response->at("$ref").get<std::string>().substr(1)});
  const auto pointer = json::json_pointer{"/content/application~1json/schema"};
  return response->contains(pointer) ? &response->at(pointer) : nullptr;
}

std::string OpenApi::mismatch(std::string method, const std::string& pattern, int status,
                              const json& body) const {
  std::transform(method.begin(), method.end(), method.begin(), ::tolower);
  const auto* schema_json = response_schema(method, pattern, status);
  if (schema_json == nullptr) return body.is_discarded() ? "" : "a body where none is promised";
  const auto flat = resolved(*schema_json, document_);
  valijson::Schema schema;
  valijson::SchemaParser parser;
  valijson::adapters::NlohmannJsonAdapter schema_adapter{flat};
  parser.populateSchema(schema_adapter, schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  valijson::adapters::NlohmannJsonAdapter body_adapter{body};
  if (validator.validate(schema, body_adapter, &results)) return "";
  std::string text;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const auto& step : error.context) text += step;
    text += ": " + error.description + "; ";
  }
  return text + body.dump();
}

const OpenApi& contract() {
  static const OpenApi document;
  return document;
}

void check_contract(const std::string& method, const std::string& pattern, const Answer& answer,
                    int status) {
  CAPTURE(method, pattern, answer.raw.body);
  CHECK(answer.status == status);
  CHECK(contract().mismatch(method, pattern, answer.status, answer.body) == "");
}

}  // namespace slipway::test
