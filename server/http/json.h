// JSON bodies: parsed with limits, read with errors that name the field, written without surprises.
//
// Parsing refuses what is nested deeper than 64, so that later copies cannot exhaust the stack.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "server/http/message.h"

namespace slipway::server::http {

// InvalidInput unless it is one JSON object.
Result<nlohmann::json> parse_object(std::string_view text);

// Reads fields of one object and keeps the first thing that was wrong: read them all, then ask
// error(). A missing or null field is nullopt.
class FieldReader {
 public:
  explicit FieldReader(const nlohmann::json& object) : object_(object) {}

  std::optional<std::string> text(const char* name);
  std::optional<long long> number(const char* name);
  std::optional<bool> flag(const char* name);
  std::optional<std::vector<std::string>> texts(const char* name);
  // As texts(), or one string with commas between them.
  std::optional<std::vector<std::string>> texts_or_list(const char* name);
  // As text(), but its absence is an error.
  std::string needed_text(const char* name);

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void refuse(const char* name, std::string_view expected);

 private:
  const nlohmann::json* find(const char* name) const;

  const nlohmann::json& object_;
  std::optional<Error> error_;
};

// What stands between commas, without the blanks around it; empty pieces are left out.
std::vector<std::string> split_list(std::string_view text);

// RFC 3339, or null.
nlohmann::json time_or_null(std::optional<UnixMillis> time);

// Bytes that are no UTF-8 are replaced, never thrown about.
std::string dump(const nlohmann::json& value);

Response json_response(int status, const nlohmann::json& value);
Response empty_response(int status);
Response text_response(int status, std::string text);
// {"message": …, "hint": …} with the status that follows from the kind.
Response error_response(const Error& error);
Response message_response(int status, std::string_view message);
int status_of(ErrorKind kind);

}  // namespace slipway::server::http
