// The encoder's contract: arguments, batches, token counts, bf16 against f32, and finding the default model.
#include "tessera/encoder.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "model_test_support.h"
#include "tessera/error.h"
#include "test_paths.h"

namespace tessera {
namespace {

std::filesystem::path default_model() { return test::source_dir() / "models" / "default"; }

std::unique_ptr<Encoder> load(ComputeType compute, bool decoder = false) {
  EncoderOptions options;
  options.compute = compute;
  options.threads = 2;
  options.load_decoder = decoder;
  return Encoder::load(default_model(), options);
}

Image noise(int width, int height, unsigned seed) {
  std::mt19937 generator(seed);
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(generator());
  return image;
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

TEST(Encoder, RefusesWhatItCannotEncode) {
  const auto encoder = load(ComputeType::kF32);
  const auto refused = [&](const std::vector<Image>& images, int tokens = kAllTokens) {
    EXPECT_EQ(code_of([&] { encoder->encode(images, tokens); }), ErrorCode::kInvalidArgument);
  };
  refused({});
  refused({noise(40, 32, 1)});
  refused({noise(32, 40, 1)});
  refused({Image{}});
  refused({noise(32, 32, 1), noise(32, 48, 1)});
  refused({noise(32, 32, 1)}, -2);
  Image wrong = noise(32, 32, 1);
  wrong.rgb.pop_back();
  refused({wrong});
  EXPECT_EQ(code_of([&] { encoder->encode_pixels(std::vector<float>(5), 1, 32, 32); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { encoder->encode_pixels({}, 0, 32, 32); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { encoder->decode(encoder->encode(std::vector{noise(32, 32, 1)}, 1)); }),
            ErrorCode::kInvalidArgument);  // no decoder loaded
  EncoderOptions options;
  options.device = "tpu";
  EXPECT_EQ(code_of([&] { Encoder::load(default_model(), options); }), ErrorCode::kInvalidArgument);
  options.device = "cpu";
  options.threads = -1;
  EXPECT_EQ(code_of([&] { Encoder::load(default_model(), options); }), ErrorCode::kInvalidArgument);
}

TEST(Encoder, TokensAreAPrefixOfAllTokens) {
  const auto encoder = load(ComputeType::kF32);
  const std::vector<Image> images = {noise(64, 96, 1), noise(64, 96, 2)};
  const EncodedBatch all = encoder->encode(images);
  EXPECT_EQ(all.token_count, 6);
  EXPECT_EQ(all.grid_height, 6);
  EXPECT_EQ(all.grid_width, 4);
  for (const int count : {0, 1, 4, 6, 1000}) {
    const EncodedBatch some = encoder->encode(images, count);
    ASSERT_EQ(some.token_count, std::min(count, 6));
    for (int b = 0; b < 2; ++b) {
      const auto expected = all.image_tokens(b).first(static_cast<std::size_t>(some.token_count * some.width));
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), some.image_tokens(b).begin()));
    }
    EXPECT_EQ(some.prefix, all.prefix);
  }
}

TEST(Encoder, CodesAreThoseOfItsTokens) {
  const auto encoder = load(ComputeType::kF32);
  const std::vector<Image> images = {noise(64, 96, 1), noise(64, 96, 2), noise(64, 96, 3)};
  for (const int tokens : {kAllTokens, 4, 1, 0}) {
    const EncodedBatch encoded = encoder->encode(images, tokens);
    const CodedBatch expected = code_tokens(encoded.tokens, 3, encoded.token_count, encoded.width);
    const CodedBatch actual = encoder->encode_codes(images, tokens);
    EXPECT_EQ(actual.batch, 3);
    EXPECT_EQ(actual.token_count, encoded.token_count);
    EXPECT_EQ(actual.width, encoded.width);
    EXPECT_EQ(actual.codes, expected.codes);
    EXPECT_EQ(actual.scales, expected.scales);
    EXPECT_EQ(actual.first, expected.first);
  }
  EXPECT_EQ(code_of([&] { encoder->encode_codes({}, 1); }), ErrorCode::kInvalidArgument);
}

TEST(Encoder, BatchesSizesAndPixelsAgree) {
  for (const ComputeType compute : {ComputeType::kF32, ComputeType::kBF16}) {
    const auto encoder = load(compute);
    const double limit = compute == ComputeType::kF32 ? 1 - 1e-9 : 0.9995;
    std::vector<Image> images;
    for (unsigned i = 0; i < 5; ++i) images.push_back(noise(96, 64, i));
    const EncodedBatch together = encoder->encode(images);
    const EncodedBatch other_size =
        encoder->encode(std::vector{noise(160, 32, 9)});  // scratch of another shape between
    EXPECT_EQ(other_size.token_count, 5);
    for (int i = 0; i < 5; ++i) {
      const Image& image = images[static_cast<std::size_t>(i)];
      const EncodedBatch alone = encoder->encode(std::span(&image, 1));
      EXPECT_GE(test::worst_cosine(alone.tokens, together.image_tokens(i), alone.width), limit);
      std::vector<float> pixels(image.rgb.size());
      const std::size_t plane = pixels.size() / 3;
      for (std::size_t p = 0; p < plane; ++p) {
        for (std::size_t c = 0; c < 3; ++c) pixels[c * plane + p] = static_cast<float>(image.rgb[3 * p + c]) / 255.0f;
      }
      EXPECT_EQ(encoder->encode_pixels(pixels, 1, 64, 96).tokens, alone.tokens);
      EXPECT_EQ(encoder->encode(std::span(&image, 1)).tokens, alone.tokens);  // repeatable
    }
  }
}

TEST(Encoder, Bf16FollowsF32OnTheDefaultModel) {
  const auto exact = load(ComputeType::kF32, true);
  const auto fast = load(ComputeType::kBF16, true);
  EXPECT_EQ(exact->info().weights_hash, fast->info().weights_hash);
  const std::vector<Image> images = {noise(128, 96, 3), noise(128, 96, 4)};
  const EncodedBatch a = exact->encode(images), b = fast->encode(images);
  EXPECT_GE(test::worst_cosine(a.tokens, b.tokens, a.width), 0.999);
  EXPECT_GE(test::worst_cosine(a.prefix, b.prefix, a.width), 0.999);
  const DecodedBatch da = exact->decode(a), db = fast->decode(a);
  EXPECT_GE(test::worst_cosine(da.dense, db.dense, da.width), 0.999);
}

TEST(Encoder, DecoderChecksItsInput) {
  const auto encoder = load(ComputeType::kF32, true);
  const EncodedBatch encoded = encoder->encode(std::vector{noise(64, 64, 1)}, 3);
  const DecodedBatch decoded = encoder->decode(encoded);
  EXPECT_EQ(decoded.dense.size(), std::size_t{16} * static_cast<std::size_t>(encoder->config().width));
  EncodedBatch wrong = encoded;
  wrong.tokens.pop_back();
  EXPECT_EQ(code_of([&] { encoder->decode(wrong); }), ErrorCode::kInvalidArgument);
  wrong = encoded;
  wrong.grid_width = 0;
  EXPECT_EQ(code_of([&] { encoder->decode(wrong); }), ErrorCode::kInvalidArgument);
  wrong = encoded;
  wrong.prefix_count = 1;
  EXPECT_EQ(code_of([&] { encoder->summary(wrong); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(encoder->summary(encoded).size(),
            encoder->config().summary_slots.size() * static_cast<std::size_t>(encoder->info().token_width));
}

TEST(Encoder, TwoEncodersAreIndependent) {
  const auto first = load(ComputeType::kF32);
  const auto second = load(ComputeType::kF32);
  const std::vector<Image> images = {noise(64, 64, 1)};
  const EncodedBatch expected = first->encode(images);
  EXPECT_EQ(second->encode(images).tokens, expected.tokens);
  EXPECT_EQ(first->info().token_width, first->config().token_width());
}

TEST(DefaultModel, IsFoundByVariableOrBesideTheProgram) {
  ::setenv("TESSERA_MODEL", default_model().c_str(), 1);
  EXPECT_EQ(default_model_dir(), default_model());
  ::setenv("TESSERA_MODEL", "/nonexistent/model", 1);
  EXPECT_EQ(code_of([] { default_model_dir(); }), ErrorCode::kNotFound);
  ::unsetenv("TESSERA_MODEL");
  EXPECT_TRUE(std::filesystem::equivalent(default_model_dir(), default_model()));
}

}  // namespace
}  // namespace tessera
