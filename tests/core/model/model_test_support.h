// Shared by the model suites: temporary folders, golden files, and a checkpoint loaded into graph and backend.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend.h"
#include "model/config_reader.h"
#include "model/vit.h"
#include "tessera/safetensors.h"
#include "test_paths.h"

namespace tessera::test {

// A folder of its own that goes away with the object.
class TemporaryDir {
 public:
  TemporaryDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tessera-model-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path golden_dir() { return test::data_dir() / "goldens"; }

// Lays weights and config of golden `name` out as a checkpoint folder.
inline void make_golden_model(const std::string& weights, const std::string& config,
                              const std::filesystem::path& folder) {
  std::filesystem::copy_file(golden_dir() / (weights + ".safetensors"), folder / "model.safetensors");
  std::filesystem::copy_file(golden_dir() / (config + ".config.json"), folder / "config.json");
}

// A graph with its backend, as Encoder holds it, but open to taps.
struct LoadedGraph {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<VisionTransformer> graph;

  LoadedGraph(const std::filesystem::path& folder, std::unique_ptr<Backend> device) : backend(std::move(device)) {
    const Checkpoint checkpoint(folder);
    ModelConfig config = read_model_config(checkpoint);
    ModelWeights weights = load_weights(checkpoint, config, *backend, config.decoder.has_value());
    graph = std::make_unique<VisionTransformer>(*backend, std::move(config), std::move(weights));
  }
};

// Smallest cosine of corresponding rows of `width` values; NaN where one is.
inline double worst_cosine(std::span<const float> a, std::span<const float> b, std::size_t width) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 1.0;
  for (std::size_t row = 0; row + width <= std::min(a.size(), b.size()); row += width) {
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t i = row; i < row + width; ++i) {
      dot += double{a[i]} * b[i];
      aa += double{a[i]} * a[i];
      bb += double{b[i]} * b[i];
    }
    const double cosine = dot / std::sqrt(aa * bb);
    if (std::isnan(cosine)) return cosine;
    worst = std::min(worst, cosine);
  }
  return worst;
}

struct Captured {
  std::vector<float> values;
  std::vector<std::int64_t> shape;
};

// Collects everything that a tap reports.
class Trace {
 public:
  TensorTap tap() {
    return [this](std::string_view name, std::span<const float> values, const std::vector<std::int64_t>& shape) {
      tensors_[std::string(name)] = {{values.begin(), values.end()}, shape};
    };
  }
  const std::map<std::string, Captured>& tensors() const { return tensors_; }
  void clear() { tensors_.clear(); }

 private:
  std::map<std::string, Captured> tensors_;
};

}  // namespace tessera::test
