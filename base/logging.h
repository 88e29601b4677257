// Structured log lines: a fixed event name plus key=value fields, on three named streams.
//
// The event name never contains data, so it can be grepped and counted. Values are escaped, so a
// branch name cannot forge a line. Secrets have no way in: log ids, never tokens. Thread-safe.
// Levels: error = a person must act; warn = odd but handled; info = one line per change of state;
// debug = everything else. An error is logged where it is handled, once.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace slipway::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error };
enum class Format : std::uint8_t { Text, Json };

class Field {
 public:
  Field(std::string_view name, std::string_view text) : key(name), value(text), quoted(true) {}
  Field(std::string_view name, const char* text) : Field(name, std::string_view{text}) {}
  Field(std::string_view name, const std::string& text) : Field(name, std::string_view{text}) {}
  Field(std::string_view name, bool yes) : key(name), value(yes ? "true" : "false") {}
  template <typename T>
  requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
      Field(std::string_view name, T number)
      : key(name), value(std::to_string(number)) {}

  std::string_view key;
  std::string value;
  bool quoted = false;
};
using Fields = std::initializer_list<Field>;

// Call once, before any thread starts. Lines go to standard error; without a call: text, info.
void configure(Level level, Format format);
Result<Level> parse_level(std::string_view text);
Result<Format> parse_format(std::string_view text);

// The application stream. Event names are "noun.past_verb": "job.finished".
void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warn(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});

// One line per HTTP request, and one per action that an auditor would ask for.
void access(std::string_view event, Fields fields);
void audit(std::string_view event, Fields fields);

}  // namespace slipway::log
