// The convolutional stem of a hybrid model: patch features and a global feature (docs/MODEL_FORMAT.md).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend.h"
#include "tessera/model_config.h"

namespace tessera {

class WeightReader;

// Receives an intermediate result as f32 on the host.
using TensorTap =
    std::function<void(std::string_view name, std::span<const float> values, const std::vector<std::int64_t>& shape)>;

// Patches of one batch: either pictures of one size or host pixels [batch, 3, H, W].
struct PixelInput {
  std::span<const Image> images;
  std::span<const float> pixels;
  int batch = 0;
  GridSize grid;  // patches
};

struct StemWeights {
  std::vector<std::unique_ptr<ConvWeights>> layers;
  Buffer global_weight;                       // [C, G]
  Buffer global_bias;                         // [C]
  Buffer token0_weight;                       // [2C, G], or nothing
  Buffer token0_bias;                         // [2C]
  std::unique_ptr<LinearWeights> region_fc1;  // 2F + R -> hidden, or nothing
  std::unique_ptr<LinearWeights> region_fc2;  // hidden -> 2C
};

// The cells that each region of the stem touches.
std::vector<CellRange> region_cells(const StemConfig& config, GridSize grid);

// `name` is the tensors' common prefix, `width` is C.
StemWeights load_stem(WeightReader& reader, const StemConfig& config, const std::string& name, int width);

// Runs the layers a few images at a time, so that maps stay in cache and memory does not grow with the batch.
// Thread rule: one thread at a time.
class Stem {
 public:
  Stem(Backend& backend, const StemConfig& config);

  // patches [B, gh*gw, F] in the activation type; global [B, G] f32. Taps: every layer by its name.
  void run(const StemWeights& weights, const Conditioning& conditioning, const PixelInput& input, Tensor patches,
           Tensor global, const TensorTap& tap);

  void release();  // gives the maps' memory back

  int features() const { return config_.features(); }
  int global_width() const { return config_.layers[static_cast<std::size_t>(config_.global_map)].out; }

 private:
  void reserve(int batch, GridSize pixels);
  void run_part(const StemWeights& weights, const Conditioning& conditioning, const PixelInput& input, Tensor patches,
                Tensor global, const TensorTap& tap);
  FeatureMap map(int layer, GridSize pixels) const;
  GridSize size_of(int layer, GridSize pixels) const;  // of a layer's output; -1 = of the image

  Backend& backend_;
  StemConfig config_;
  std::vector<std::size_t> slot_of_;  // per layer: which buffer its output goes to
  std::vector<Buffer> slots_;
  Buffer image_;  // [B, H, W, 3] conditioned
};

}  // namespace tessera
