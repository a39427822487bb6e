// The embedded default model on photographs: the tokens PyTorch gives for the same pixels.
#include <gtest/gtest.h>

#include <algorithm>

#include "model_test_support.h"
#include "tessera/encoder.h"
#include "test_paths.h"

namespace tessera {
namespace {

struct Limits {
  ComputeType compute;
  double least_cosine;
};

class DefaultModelTokens : public testing::TestWithParam<Limits> {};

TEST_P(DefaultModelTokens, AgreeWithPyTorch) {
  EncoderOptions options;
  options.compute = GetParam().compute;
  options.threads = 2;
  const auto encoder = Encoder::load(test::source_dir() / "models" / "default", options);
  EXPECT_TRUE(encoder->info().trained);
  const SafetensorsFile file(test::data_dir() / "stem" / "default-tokens.safetensors");
  int pictures = 0;
  for (const auto& [name, input] : file.tensors()) {
    if (!name.ends_with(".input")) continue;
    const std::string picture = name.substr(0, name.size() - 6);
    const EncodedBatch encoded = encoder->encode_pixels(to_float(input), 1, static_cast<int>(input.shape.at(2)),
                                                        static_cast<int>(input.shape.at(3)));
    const std::vector<float> tokens = to_float(file.tensors().at(picture + ".tokens"));
    const std::vector<float> prefix = to_float(file.tensors().at(picture + ".prefix"));
    ASSERT_EQ(encoded.tokens.size(), tokens.size()) << picture;
    ASSERT_EQ(encoded.prefix.size(), prefix.size()) << picture;
    const auto width = static_cast<std::size_t>(encoded.width);
    EXPECT_GE(test::worst_cosine(encoded.tokens, tokens, width), GetParam().least_cosine) << picture;
    EXPECT_GE(test::worst_cosine(encoded.prefix, prefix, width), GetParam().least_cosine) << picture;
    ++pictures;
  }
  EXPECT_EQ(pictures, 3);
}

INSTANTIATE_TEST_SUITE_P(ComputeTypes, DefaultModelTokens,
                         testing::Values(Limits{ComputeType::kF32, 1 - 1e-6}, Limits{ComputeType::kBF16, 0.99}),
                         [](const auto& limits) { return compute_type_name(limits.param.compute); });

}  // namespace
}  // namespace tessera
