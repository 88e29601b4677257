#include "server/store/session.h"

#include <nlohmann/json.hpp>

#include "server/store/place.h"
#include "server/store/postgresql_session.h"
#include "server/store/sqlite_session.h"

namespace slipway::server {

Statement& Session::prepare(std::string_view sql, const std::vector<Slot::Kind>& inputs,
                            const std::vector<Slot::Kind>& outputs) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return *found->second;
  auto made = make(std::string{sql}, inputs, outputs);
  return *statements_.emplace(std::string{sql}, std::move(made)).first->second;
}

std::unique_ptr<Session> open_session(const DatabasePlace& place, Session::Mode mode) {
  if (place.is_file()) return std::make_unique<SqliteSession>(place.file, mode);
  return std::make_unique<PostgresqlSession>(place, mode);
}

std::string json_of_strings(const std::vector<std::string>& values) {
  if (values.empty()) return "[]";
  return nlohmann::json(values).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> strings_of_json(const std::string& text) {
  if (text == "[]") return {};
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> values;
  if (!parsed.is_array()) return values;
  for (const auto& value : parsed)
    if (value.is_string()) values.push_back(value.get<std::string>());
  return values;
}

}  // namespace slipway::server
