#include "server/http/job_transfers.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::size_t kMost = 32;
constexpr std::size_t kMostKeys = 8;
constexpr std::size_t kLongest = 255;

template <std::size_t N>
std::optional<std::string> word(const json& object, const char* name,
                                const std::array<std::string_view, N>& words) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  if (std::find(words.begin(), words.end(), text) == words.end()) return std::nullopt;
  return text;
}

std::string line(const json& value) {
  if (!value.is_string()) return {};
  auto text = value.get<std::string>().substr(0, kLongest);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  return text;
}

json count(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? *found : json(0);
}

std::optional<json> transfer(const json& told) {
  if (!told.is_object()) return std::nullopt;
  constexpr std::array<std::string_view, 4> kKinds{"cache_restore", "cache_save",
                                                   "artifacts_download", "artifacts_upload"};
  constexpr std::array<std::string_view, 7> kResults{"hit",   "miss", "stored", "unchanged",
                                                     "empty", "done", "failed"};
  const auto kind = word(told, "kind", kKinds);
  const auto result = word(told, "result", kResults);
  const auto name = told.find("name");
  if (!kind || !result || name == told.end()) return std::nullopt;
  json keys = json::array();
  if (const auto tried = told.find("keys"); tried != told.end() && tried->is_array())
    for (const json& key : *tried)
      if (keys.size() < kMostKeys) keys.push_back(line(key));
  const auto seconds = told.find("seconds");
  const bool has_time = seconds != told.end() && seconds->is_number() && *seconds >= 0;
  return json{{"kind", *kind},
              {"name", line(*name)},
              {"result", *result},
              {"keys", std::move(keys)},
              {"shared", told.value("shared", json(false)) == json(true)},
              {"files", count(told, "files")},
              {"bytes", count(told, "bytes")},
              {"moved_bytes", count(told, "moved_bytes")},
              {"seconds", has_time ? *seconds : json(0)}};
}

}  // namespace

std::string transfers_of(const json& body) {
  const auto told = body.find("transfers");
  if (told == body.end() || !told->is_array()) return {};
  json all = json::array();
  for (const json& one : *told)
    if (auto known = transfer(one); known && all.size() < kMost) all.push_back(std::move(*known));
  return all.empty() ? std::string{} : all.dump(-1, ' ', false, json::error_handler_t::replace);
}

json transfers_view(const std::string& stored) {
  if (stored.empty()) return json::array();
  auto all = json::parse(stored, nullptr, false);
  return all.is_array() ? all : json::array();
}

}  // namespace slipway::server::http
