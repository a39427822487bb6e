// A checkpoint folder: config.json and its tensors, from one safetensors file or from shards with an index.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tessera/safetensors.h"

namespace tessera {

// Maps every file of the folder. Throws kNotFound (folder, config.json or weights missing), kBadModel (config or index
// not usable, a shard missing, a tensor in another shard than the index says, or twice), kDamaged (a bad file).
class Checkpoint {
 public:
  explicit Checkpoint(const std::filesystem::path& directory);

  const std::filesystem::path& directory() const { return directory_; }
  const nlohmann::json& config() const { return config_; }

  bool has(const std::string& name) const { return tensors_.contains(name); }
  // Null if there is no such tensor.
  const TensorView* find(const std::string& name) const;
  std::vector<std::string> names() const;  // sorted
  // The pages of this tensor will not be read again.
  void release(const std::string& name) const;

 private:
  struct Located {
    std::size_t file;
    const TensorView* view;
  };
  void add_file(const std::filesystem::path& path);
  void load_shards(const std::filesystem::path& index);

  std::filesystem::path directory_;
  nlohmann::json config_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Located> tensors_;
};

}  // namespace tessera
