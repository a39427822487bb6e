// A model with random weights: same shape, other numbers, the same for the same seed.
#include "tessera/indexer/eval_random_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/eval_fixture.h"
#include "tessera/encoder.h"
#include "tessera/safetensors.h"
#include "test_paths.h"

namespace tessera::eval {
namespace {

const std::filesystem::path kSharded = tessera::test::data_dir() / "goldens" / "radio1d-tiny-d-sharded";
const std::filesystem::path kHybrid = tessera::test::data_dir() / "stem";

std::vector<float> tokens_of(const std::filesystem::path& model) {
  EncoderOptions options;
  options.compute = ComputeType::kF32;
  options.threads = 1;
  const auto encoder = Encoder::load(model, options);
  const std::vector<Image> images = {tessera::testing::make_picture(1, 64, 64)};
  return encoder->encode(images, 4).tokens;
}

TEST(RandomModel, LoadsAndGivesOtherTokens) {
  const test::TempDir folder;
  write_random_model(kSharded, folder / "a", 1);
  write_random_model(kSharded, folder / "b", 1);
  write_random_model(kSharded, folder / "c", 2);
  const std::vector<float> a = tokens_of(folder / "a");
  EXPECT_NE(a, tokens_of(kSharded));
  EXPECT_EQ(a, tokens_of(folder / "b"));
  EXPECT_NE(a, tokens_of(folder / "c"));
  for (const float value : a) EXPECT_TRUE(std::isfinite(value));
}

TEST(RandomModel, AHybridKeepsItsInputStatistics) {
  const test::TempDir folder;
  std::filesystem::create_directories(folder / "from");
  for (const char* name : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(kHybrid / name, folder / "from" / name);
  }
  write_random_model(folder / "from", folder / "to", 1);
  for (const float value : tokens_of(folder / "to")) EXPECT_TRUE(std::isfinite(value));
  const SafetensorsFile before(folder / "from/model.safetensors");
  const SafetensorsFile after(folder / "to/model.safetensors");
  ASSERT_EQ(before.tensors().size(), after.tensors().size());
  for (const auto& [name, tensor] : before.tensors()) {
    const TensorView& now = after.tensors().at(name);
    EXPECT_EQ(now.shape, tensor.shape);
    const bool same = std::equal(now.data.begin(), now.data.end(), tensor.data.begin(), tensor.data.end());
    if (name.find("input_conditioner") != name.npos) {
      EXPECT_TRUE(same) << name;
    } else if (tensor.shape.size() == 2) {
      EXPECT_FALSE(same) << name;
    }
  }
}

}  // namespace
}  // namespace tessera::eval
