#include "server/http/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace slipway::server::http {

using nlohmann::json;

Result<json> parse_object(std::string_view text) {
  constexpr int kDeepest = 64;
  bool too_deep = false;
  const auto depth_guard = [&](int depth, json::parse_event_t event, json&) {
    const bool opens =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth >= kDeepest) too_deep = true;
    return !too_deep;
  };
  auto value = json::parse(text, depth_guard, false);
  if (too_deep) return fail(ErrorKind::InvalidInput, "the JSON body is nested too deeply");
  if (value.is_discarded()) return fail(ErrorKind::InvalidInput, "the body is not valid JSON");
  if (!value.is_object()) return fail(ErrorKind::InvalidInput, "the body must be a JSON object");
  return value;
}

const json* FieldReader::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void FieldReader::refuse(const char* name, std::string_view expected) {
  if (error_) return;
  error_ = fail(ErrorKind::InvalidInput,
                "field '" + std::string{name} + "' must be " + std::string{expected});
}

std::optional<std::string> FieldReader::text(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  refuse(name, "a string");
  return std::nullopt;
}

std::optional<long long> FieldReader::number(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() &&
                      value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
  if (fits) return value->get<long long>();
  refuse(name, "a whole number");
  return std::nullopt;
}

std::optional<bool> FieldReader::flag(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  refuse(name, "true or false");
  return std::nullopt;
}

std::optional<std::vector<std::string>> FieldReader::texts(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  bool good = value->is_array();
  if (good)
    for (const auto& entry : *value) {
      good = good && entry.is_string();
      if (good) texts.push_back(entry.get<std::string>());
    }
  if (good) return texts;
  refuse(name, "a list of strings");
  return std::nullopt;
}

std::optional<std::vector<std::string>> FieldReader::texts_or_list(const char* name) {
  const auto* value = find(name);
  if (value != nullptr && value->is_string()) return split_list(value->get<std::string>());
  return texts(name);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    auto piece = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    piece.remove_prefix(std::min(piece.size(), piece.find_first_not_of(' ')));
    piece = piece.substr(0, piece.find_last_not_of(' ') + 1);
    if (!piece.empty()) pieces.emplace_back(piece);
  }
  return pieces;
}

std::string FieldReader::needed_text(const char* name) {
  auto value = text(name);
  if (!value) refuse(name, "given");
  return value.value_or("");
}

nlohmann::json time_or_null(std::optional<UnixMillis> time) {
  return time ? nlohmann::json(to_rfc3339(*time)) : nlohmann::json();
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Response json_response(int status, const json& value) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = dump(value);
  return response;
}

Response empty_response(int status) {
  Response response;
  response.status = status;
  return response;
}

Response text_response(int status, std::string text) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidInput: return 400;
    case ErrorKind::Unauthenticated: return 401;
    case ErrorKind::Denied: return 403;
    case ErrorKind::NotFound: return 404;
    case ErrorKind::Conflict: return 409;
    case ErrorKind::TooLarge: return 413;
    case ErrorKind::Unavailable: return 503;
    case ErrorKind::Internal: return 500;
  }
  return 500;
}

Response error_response(const Error& error) {
  json body{{"message", error.message}};
  if (!error.hint.empty()) body["hint"] = error.hint;
  return json_response(status_of(error.kind), body);
}

Response message_response(int status, std::string_view message) {
  return json_response(status, json{{"message", message}});
}

}  // namespace slipway::server::http
