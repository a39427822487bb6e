// Opens checkpoint folders: config.json, one weights file or shards that must agree with their index.
#include "model/checkpoint.h"

#include <fstream>
#include <sstream>

#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::uintmax_t kMaxJsonBytes = 64u << 20;

nlohmann::json read_json(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) > kMaxJsonBytes && !ignored) {
    throw Error(ErrorCode::kBadModel, path.string() + " is too large");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw errno_error("cannot open", path.string(), errno);
  std::ostringstream text;
  text << stream.rdbuf();
  nlohmann::json json = nlohmann::json::parse(text.str(), nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    throw Error(ErrorCode::kBadModel, path.string() + " is not a valid JSON object");
  }
  return json;
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& directory) : directory_(directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    throw Error(ErrorCode::kNotFound, "there is no model folder " + directory.string());
  }
  const fs::path config = directory / "config.json";
  if (!fs::exists(config, error)) {
    throw Error(ErrorCode::kNotFound, "the model folder " + directory.string() + " has no config.json");
  }
  config_ = read_json(config);
  const fs::path single = directory / "model.safetensors";
  const fs::path index = directory / "model.safetensors.index.json";
  const bool has_single = fs::exists(single, error);
  const bool has_index = fs::exists(index, error);
  if (has_single && has_index) {
    throw Error(ErrorCode::kBadModel, directory.string() + " has both model.safetensors and an index of shards");
  }
  if (has_single) {
    add_file(single);
  } else if (has_index) {
    load_shards(index);
  } else {
    throw Error(ErrorCode::kNotFound, "the model folder " + directory.string() +
                                          " has neither model.safetensors nor model.safetensors.index.json");
  }
}

void Checkpoint::add_file(const std::filesystem::path& path) {
  files_.emplace_back(path);
  const std::size_t file = files_.size() - 1;
  for (const auto& [name, view] : files_[file].tensors()) {
    const auto [position, inserted] = tensors_.try_emplace(name, Located{file, &view});
    if (!inserted) {
      throw Error(ErrorCode::kBadModel, "tensor " + name + " is in " + files_[position->second.file].path().string() +
                                            " and again in " + path.string());
    }
  }
}

void Checkpoint::load_shards(const std::filesystem::path& index) {
  const nlohmann::json json = read_json(index);
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object() || map->empty()) {
    throw Error(ErrorCode::kBadModel, index.string() + " has no weight_map");
  }
  std::set<std::string> shards;
  for (const auto& [name, file] : map->items()) {
    if (!file.is_string()) throw Error(ErrorCode::kBadModel, index.string() + ": weight_map." + name + " is no string");
    const std::filesystem::path shard = file.get<std::string>();
    if (shard.empty() || shard != shard.filename() || shard == ".." || shard == ".") {
      throw Error(ErrorCode::kBadModel, index.string() + ": weight_map." + name + " does not name a file beside it");
    }
    shards.insert(shard.string());
  }
  for (const std::string& shard : shards) {
    std::error_code error;
    if (!std::filesystem::exists(directory_ / shard, error)) {
      throw Error(ErrorCode::kBadModel, "shard " + (directory_ / shard).string() + " named in the index is missing");
    }
    add_file(directory_ / shard);
  }
  for (const auto& [name, file] : map->items()) {
    const auto position = tensors_.find(name);
    const std::string expected = (directory_ / file.get<std::string>()).string();
    if (position == tensors_.end()) {
      throw Error(ErrorCode::kBadModel, "tensor " + name + " is not in " + expected + " where the index puts it");
    }
    const std::string actual = files_[position->second.file].path().string();
    if (actual != expected) {
      throw Error(ErrorCode::kBadModel,
                  "tensor " + name + " is in " + actual + " but the index puts it in " + expected);
    }
  }
  for (const auto& [name, located] : tensors_) {
    if (!map->contains(name)) {
      throw Error(ErrorCode::kBadModel,
                  "tensor " + name + " of " + files_[located.file].path().string() + " is not in the index");
    }
  }
}

const TensorView* Checkpoint::find(const std::string& name) const {
  const auto position = tensors_.find(name);
  return position == tensors_.end() ? nullptr : position->second.view;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& entry : tensors_) names.push_back(entry.first);
  return names;
}

void Checkpoint::release(const std::string& name) const {
  const auto position = tensors_.find(name);
  if (position != tensors_.end()) files_[position->second.file].release(*position->second.view);
}

}  // namespace tessera
