// Typed access to the objects of config.json; every error names file and key.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tessera/error.h"

namespace tessera {

// Typed access to one JSON object of config.json; null and missing are the same.
class ConfigSection {
 public:
  ConfigSection(const nlohmann::json& object, std::string path, std::string file)
      : object_(object), path_(std::move(path)), file_(std::move(file)) {}

  Error error(const std::string& key, const std::string& reason) const {
    return Error(ErrorCode::kBadModel, file_ + ": " + path_ + key + " " + reason);
  }

  const nlohmann::json* find(const std::string& key) const {
    const auto position = object_.find(key);
    return position == object_.end() || position->is_null() ? nullptr : &*position;
  }

  ConfigSection section(const std::string& key) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) throw error(key, "is missing");
    if (!value->is_object()) throw error(key, "is not an object");
    return ConfigSection(*value, path_ + key + ".", file_);
  }

  // Element of a list of objects.
  ConfigSection element(const std::string& key, std::size_t index) const {
    const nlohmann::json& value = object_.at(key).at(index);
    const std::string name = key + "[" + std::to_string(index) + "]";
    if (!value.is_object()) throw error(name, "is not an object");
    return ConfigSection(value, path_ + name + ".", file_);
  }

  // Every key of this object must be one of these.
  void allow(std::initializer_list<std::string_view> keys) const {
    for (const auto& entry : object_.items()) {
      if (std::find(keys.begin(), keys.end(), entry.key()) == keys.end()) throw error(entry.key(), "is not known");
    }
  }

  std::optional<std::int64_t> integer(const std::string& key) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) throw error(key, "is not an integer");
    return value->get<std::int64_t>();
  }

  std::optional<bool> boolean(const std::string& key) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) throw error(key, "is neither true nor false");
    return value->get<bool>();
  }

  std::optional<std::string> text(const std::string& key) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) throw error(key, "is not a string");
    return value->get<std::string>();
  }

  // The single element of an integer array such as downscale_levels.
  std::optional<std::int64_t> single_level(const std::string& key) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_array() || value->empty() || !(*value)[0].is_number_integer()) {
      throw error(key, "is not a list of block numbers");
    }
    if (value->size() != 1) {
      throw Error(ErrorCode::kUnsupported, file_ + ": " + path_ + key + " lists more than one block");
    }
    return (*value)[0].get<std::int64_t>();
  }

  // A value the tensors have already settled: the config may repeat it but not contradict it.
  void expect(const std::string& key, std::int64_t actual) const { expect(key, integer(key), actual); }
  void expect(const std::string& key, std::optional<std::int64_t> stated, std::int64_t actual) const {
    if (stated && *stated != actual) {
      throw error(key, "is " + std::to_string(*stated) + " but the tensors show " + std::to_string(actual));
    }
  }
  void expect_flag(const std::string& key, bool actual) const {
    const auto stated = boolean(key);
    if (stated && *stated != actual) {
      throw error(key, std::string("is ") + (*stated ? "true" : "false") + " but the tensors show the opposite");
    }
  }

 private:
  const nlohmann::json& object_;
  std::string path_;
  std::string file_;
};

}  // namespace tessera
