// Memory plans are what the CUDA backend then holds, to the byte; and one block made at the beginning is enough.
#include "tessera/memory_plan.h"

#include <gtest/gtest.h>

#include <array>

#include "../core/model/model_test_support.h"
#include "cuda/cuda_backend.h"
#include "emulator.h"
#include "tessera/error.h"

namespace tessera {
namespace {

struct PlanCase {
  const char* model;  // a golden, or "stem"
  DType type;
  ComputeType compute;
};

class MemoryPlanTest : public testing::TestWithParam<PlanCase> {
 protected:
  MemoryPlanTest() {
    if (std::string(GetParam().model) == "stem") {
      model_ = test::data_dir() / "stem";
    } else {
      const std::string stem = std::string("radio1d-tiny-") + GetParam().model;
      test::make_golden_model(stem, stem, folder_.path());
      model_ = folder_.path();
    }
  }

  test::TemporaryDir folder_;
  std::filesystem::path model_;
};

TEST_P(MemoryPlanTest, CountsWhatTheBackendHolds) {
  constexpr int kBatch = 3, kHeight = 64, kWidth = 96;
  const std::array<EncoderPass, 2> passes = {EncoderPass{1, 32, 32}, {kBatch, kHeight, kWidth}};
  const std::vector<MemoryPlan> plans = plan_memory(model_, GetParam().compute, passes, false);
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(plans[0].weights, plans[1].weights);
  EXPECT_LT(plans[0].working, plans[1].working);

  emulation::reset_device();
  auto owned = std::make_unique<cuda::CudaBackend>(cuda::DeviceChoice{.index = 0, .activation = GetParam().type});
  cuda::CudaBackend& backend = *owned;
  const std::size_t planned = plans[1].total();
  backend.reserve(planned);
  EXPECT_EQ(backend.arena().held(), planned);
  const Checkpoint checkpoint(model_);
  ModelConfig config = read_model_config(checkpoint);
  ModelWeights weights = load_weights(checkpoint, config, backend, false);
  EXPECT_EQ(backend.arena().in_use(), plans[1].weights);
  VisionTransformer graph(backend, std::move(config), std::move(weights));
  const Image grey{kWidth, kHeight, std::vector<std::uint8_t>(std::size_t{3} * kWidth * kHeight, 128)};
  const std::vector<Image> images(kBatch, grey);
  graph.encode({images, {}, kBatch, {kHeight / 16, kWidth / 16}}, kAllTokens);
  EXPECT_EQ(backend.arena().in_use(), planned);
  EXPECT_EQ(backend.arena().held(), planned);
  graph.encode({images, {}, kBatch, {kHeight / 16, kWidth / 16}}, 1);
  EXPECT_EQ(backend.arena().held(), planned);
}

INSTANTIATE_TEST_SUITE_P(
    Models, MemoryPlanTest,
    testing::Values(PlanCase{"a", DType::kF32, ComputeType::kF32}, PlanCase{"b", DType::kBF16, ComputeType::kBF16},
                    PlanCase{"c", DType::kF16, ComputeType::kF16}, PlanCase{"d", DType::kBF16, ComputeType::kBF16},
                    PlanCase{"stem", DType::kF32, ComputeType::kF32},
                    PlanCase{"stem", DType::kBF16, ComputeType::kBF16}),
    [](const auto& each) { return std::string(each.param.model) + "_" + compute_type_name(each.param.compute); });

TEST(MemoryPlan, RefusesSizesThatCannotBeEncoded) {
  const auto model = test::data_dir() / "stem";
  for (const EncoderPass pass : {EncoderPass{0, 64, 64}, {1, 60, 64}, {1, 64, 0}}) {
    const std::array<EncoderPass, 1> passes = {pass};
    EXPECT_THROW(plan_memory(model, ComputeType::kF32, passes), Error) << pass.batch << " " << pass.height;
  }
}

}  // namespace
}  // namespace tessera
