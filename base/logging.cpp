#include "base/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace slipway::log {
namespace {

std::atomic<Format> g_format{Format::Text};

// All streams share one sink, so lines of different streams never mix within a line.
std::shared_ptr<spdlog::logger> make_logger(const char* name) {
  static const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>(name, sink);
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::info);
  return logger;
}

spdlog::logger& stream(int index) {
  static const std::shared_ptr<spdlog::logger> streams[] = {
      make_logger("application"), make_logger("access"), make_logger("audit")};
  return *streams[index];
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warn: return spdlog::level::warn;
    case Level::Error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warn: return "warn";
    case Level::Error: return "error";
  }
  return "info";
}

// A JSON string literal also escapes what a text line must not contain; other bytes than UTF-8 are
// replaced, and DEL and the C1 controls, which JSON leaves alone, are escaped too.
std::string quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7F || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

std::string text_line(std::string_view name, Level level, std::string_view event,
                      const Fields& fields) {
  std::string line = to_rfc3339(SystemClock{}.now());
  line.append(" ").append(level_name(level)).append(" ").append(name).append(" ").append(event);
  for (const Field& field : fields) {
    line.append(" ").append(field.key).append("=");
    line.append(field.quoted && !is_plain(field.value) ? quote(field.value) : field.value);
  }
  return line;
}

std::string json_line(std::string_view name, Level level, std::string_view event,
                      const Fields& fields) {
  std::string line = R"({"time":")" + to_rfc3339(SystemClock{}.now()) + R"(","level":")";
  line.append(level_name(level)).append(R"(","stream":")").append(name);
  line.append(R"(","event":)").append(quote(event));
  for (const Field& field : fields) {
    line.append(",").append(quote(field.key)).append(":");
    line.append(field.quoted ? quote(field.value) : field.value);
  }
  return line + "}";
}

void write(int index, Level level, std::string_view event, const Fields& fields) {
  auto& logger = stream(index);
  const auto spd = spdlog_level(level);
  if (!logger.should_log(spd)) return;
  const std::string_view name{logger.name()};
  logger.log(spd, g_format.load() == Format::Json ? json_line(name, level, event, fields)
                                                  : text_line(name, level, event, fields));
}

}  // namespace

void configure(Level level, Format format) {
  g_format = format;
  stream(0).set_level(spdlog_level(level));
}

Result<Level> parse_level(std::string_view text) {
  for (const Level level : {Level::Debug, Level::Info, Level::Warn, Level::Error})
    if (text == level_name(level)) return level;
  return fail(ErrorKind::InvalidInput,
              "'" + std::string{text} + "' is no log level, expected debug, info, warn or error");
}

Result<Format> parse_format(std::string_view text) {
  if (text == "text") return Format::Text;
  if (text == "json") return Format::Json;
  return fail(ErrorKind::InvalidInput,
              "'" + std::string{text} + "' is no log format, expected text or json");
}

void debug(std::string_view event, Fields fields) {
  write(0, Level::Debug, event, fields);
}
void info(std::string_view event, Fields fields) {
  write(0, Level::Info, event, fields);
}
void warn(std::string_view event, Fields fields) {
  write(0, Level::Warn, event, fields);
}
void error(std::string_view event, Fields fields) {
  write(0, Level::Error, event, fields);
}
void access(std::string_view event, Fields fields) {
  write(1, Level::Info, event, fields);
}
void audit(std::string_view event, Fields fields) {
  write(2, Level::Info, event, fields);
}

}  // namespace slipway::log
