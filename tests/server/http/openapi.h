// schemas/openapi.yaml, as tests use it: its operations, and whether a body is what it promises.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

namespace slipway::test {

struct Answer;

class OpenApi {
 public:
  // Reads it from the source tree.
  OpenApi();

  // "GET /api/v4/projects", with the placeholders as they stand there.
  [[nodiscard]] std::set<std::string> operations() const;
  // "" when `body` fits the schema of that operation's response, else what is wrong.
  [[nodiscard]] std::string mismatch(std::string method, const std::string& pattern, int status,
                                     const nlohmann::json& body) const;

 private:
  [[nodiscard]] const nlohmann::json* response_schema(const std::string& method,
                                                      const std::string& pattern, int status) const;
  nlohmann::json document_;
};

// The one of the source tree, read once.
const OpenApi& contract();

// Checks that the answer has this status, and a body as the contract promises it for that.
void check_contract(const std::string& method, const std::string& pattern, const Answer& answer,
                    int status);

}  // namespace slipway::test
