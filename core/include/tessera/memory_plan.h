// How much memory an encoder takes on a CUDA device, counted without one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "tessera/encoder.h"

namespace tessera {

struct EncoderPass {
  int batch = 1;
  int height = 256;  // pixels, multiples of the patch
  int width = 256;
};

// Bytes.
struct MemoryPlan {
  std::uint64_t weights = 0;  // and the workspace of matrix products
  std::uint64_t working = 0;  // on top, for passes of this size
  std::uint64_t total() const { return weights + working; }
};

// One plan a pass, each as if it were the only size met. Exact but for what the driver itself takes. Reads the
// checkpoint's headers and small tensors. Throws as Encoder::load does, and kInvalidArgument.
std::vector<MemoryPlan> plan_memory(const std::filesystem::path& model_dir, ComputeType compute,
                                    std::span<const EncoderPass> passes, bool load_decoder = false);

// The pass that an Encoder on a device makes room for when it is loaded: pictures of the model's preferred size, as
// many as `tessera index` encodes at once.
EncoderPass standard_pass(const ModelConfig& config);

}  // namespace tessera
