// Reading JSON that somebody else wrote: unknown keys are ignored, missing ones and nulls keep the
// default, and a wrong type is an Error that names the path. Include only from .cpp files.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway::pipeline {

// Collects the first error, so that readers are straight lines and are checked once at the end.
class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string path, std::optional<Error>& error)
      : object_(object), path_(std::move(path)), error_(error) {
    if (!object.is_object()) refuse("", "an object");
  }

  void read(const char* key, std::string& target) {
    if (const auto* value = find(key)) {
      if (value->is_string())
        target = value->get<std::string>();
      else
        refuse(key, "a string");
    }
  }
  void read(const char* key, bool& target) {
    if (const auto* value = find(key)) {
      if (value->is_boolean())
        target = value->get<bool>();
      else
        refuse(key, "true or false");
    }
  }
  void read(const char* key, double& target) {
    if (const auto* value = find(key)) {
      if (value->is_number())
        target = value->get<double>();
      else
        refuse(key, "a number");
    }
  }
  void read(const char* key, std::int64_t& target) {
    if (const auto* value = find(key)) {
      const bool fits = value->is_number_integer() &&
                        (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX);
      if (fits)
        target = value->get<std::int64_t>();
      else
        refuse(key, "a whole number");
    }
  }
  void read(const char* key, int& target) {
    std::int64_t wide = target;
    read(key, wide);
    if (wide < INT32_MIN || wide > INT32_MAX)
      refuse(key, "a number of 32 bits");
    else
      target = static_cast<int>(wide);
  }
  void read(const char* key, std::vector<std::string>& target) {
    each(key, [&](const nlohmann::json& item, const std::string& path) {
      if (item.is_string())
        target.push_back(item.get<std::string>());
      else
        refuse_at(path, "a string");
    });
  }
  void read(const char* key, std::vector<int>& target) {
    each(key, [&](const nlohmann::json& item, const std::string& path) {
      if (item.is_number_integer())
        target.push_back(item.get<int>());
      else
        refuse_at(path, "a whole number");
    });
  }
  template <typename T>
  void read(const char* key, std::optional<T>& target) {
    if (find(key) == nullptr) return;
    target.emplace();
    read(key, *target);
  }
  // `act(fields)` for the object under `key`, if it is there.
  template <typename Act>
  void object(const char* key, const Act& act) {
    if (const auto* value = find(key)) {
      JsonFields fields{*value, join(key), error_};
      act(fields);
    }
  }
  // `act(fields)` for each object of the list under `key`.
  template <typename Act>
  void objects(const char* key, const Act& act) {
    each(key, [&](const nlohmann::json& item, const std::string& path) {
      JsonFields fields{item, path, error_};
      act(fields);
    });
  }

 private:
  const nlohmann::json* find(const char* key) const {
    if (error_ || !object_.is_object()) return nullptr;
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }
  template <typename Act>
  void each(const char* key, const Act& act) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) {
      refuse(key, "a list");
      return;
    }
    for (std::size_t i = 0; i < value->size() && !error_; ++i)
      act((*value)[i], join(key) + "[" + std::to_string(i) + "]");
  }
  [[nodiscard]] std::string join(const std::string& key) const {
    return path_.empty() ? key : key.empty() ? path_ : path_ + "." + key;
  }
  void refuse(const std::string& key, const char* expected) { refuse_at(join(key), expected); }
  void refuse_at(const std::string& path, const char* expected) {
    if (!error_) error_ = fail(ErrorKind::InvalidInput, "'" + path + "' must be " + expected);
  }

  const nlohmann::json& object_;
  std::string path_;
  std::optional<Error>& error_;
};

}  // namespace slipway::pipeline
