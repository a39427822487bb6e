// Memory plans: the loading of weights and a forward pass run over a backend that only counts.
#include "tessera/memory_plan.h"

#include <algorithm>

#include "device/choose_backend.h"
#include "device/planning_backend.h"
#include "model/config_reader.h"
#include "model/vit.h"
#include "model/weights.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr int kStandardPatches = 8192;  // of a pass; as many as the index pipeline gives at once
constexpr int kStandardBatch = 64;

}  // namespace

EncoderPass standard_pass(const ModelConfig& config) {
  const int side = config.preferred_size / config.patch;
  const int batch = std::clamp(kStandardPatches / std::max(1, side * side), 1, kStandardBatch);
  return {batch, side * config.patch, side * config.patch};
}

std::vector<MemoryPlan> plan_memory(const std::filesystem::path& model_dir, ComputeType compute,
                                    std::span<const EncoderPass> passes, bool load_decoder) {
  const Checkpoint checkpoint(model_dir);
  ModelConfig config = read_model_config(checkpoint);
  const int patch = config.patch;
  PlanningBackend backend(dtype_of(compute));
  ModelWeights weights = load_weights(checkpoint, config, backend, load_decoder, false);
  VisionTransformer graph(backend, std::move(config), std::move(weights));
  const std::uint64_t resident = backend.in_use();
  std::vector<MemoryPlan> plans;
  for (const EncoderPass& pass : passes) {
    if (pass.batch < 1 || pass.height < patch || pass.width < patch || pass.height % patch != 0 ||
        pass.width % patch != 0) {
      throw Error(
          ErrorCode::kInvalidArgument,
          "memory is planned for at least one picture with sides that are multiples of " + std::to_string(patch));
    }
    const std::vector<Image> images(static_cast<std::size_t>(pass.batch), Image{pass.width, pass.height, {}});
    graph.release_scratch();
    backend.release_pixels();
    graph.encode({images, {}, pass.batch, {pass.height / patch, pass.width / patch}}, kAllTokens);
    plans.push_back({resident, backend.in_use() - resident});
  }
  return plans;
}

}  // namespace tessera
