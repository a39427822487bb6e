// Codes of tokens: nearest multiples of the scale, unit vectors back, and what has no direction.
#include "tessera/token_code.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace tessera {
namespace {

std::vector<float> random_vector(std::size_t width, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(width);
  for (float& x : v) x = normal(random);
  return v;
}

TEST(TokenCode, CodesAreTheNearestAndTheScaleMakesAUnitVector) {
  for (const std::size_t width : {1u, 5u, 16u, 384u, 2560u}) {
    const std::vector<float> v = random_vector(width, static_cast<unsigned>(width));
    std::vector<std::int8_t> codes(width);
    const float scale = code_token(v, codes);
    float largest = 0;
    for (const float x : v) largest = std::max(largest, std::fabs(x));
    double squares = 0;
    int most = 0;
    for (std::size_t i = 0; i < width; ++i) {
      EXPECT_LE(std::fabs(v[i] - double{largest} / 127 * codes[i]), double{largest} / 254 * (1 + 1e-9));
      squares += double{scale} * codes[i] * scale * codes[i];
      most = std::max(most, std::abs(int{codes[i]}));
    }
    EXPECT_NEAR(squares, 1.0, 1e-6);
    EXPECT_EQ(most, 127);
  }
}

TEST(TokenCode, SizeDoesNotMatterAndTiesGoToEven) {
  const std::vector<float> v = {127.0f, 2.5f, -3.5f, 0.5f, -0.4f, -127.0f};
  std::vector<std::int8_t> codes(v.size()), scaled(v.size());
  const float scale = code_token(v, codes);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{127, 2, -4, 0, 0, -127}));
  for (const float factor : {0x1p-90f, 0x1p100f}) {
    std::vector<float> other = v;
    for (float& x : other) x *= factor;
    EXPECT_EQ(code_token(other, scaled), scale);
    EXPECT_EQ(scaled, codes);
  }
}

TEST(TokenCode, SaysWhatHasNoDirection) {
  std::vector<float> v(20, 0.0f);
  std::vector<std::int8_t> codes(20, 3);
  EXPECT_EQ(code_token(v, codes), 0.0f);
  EXPECT_EQ(codes, std::vector<std::int8_t>(20, 0));
  v[7] = -kLeastMagnitude;
  EXPECT_EQ(code_token(v, codes), 0.0f);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    v[7] = bad;
    codes.assign(20, 3);
    EXPECT_TRUE(std::isnan(code_token(v, codes)));
    EXPECT_EQ(codes, std::vector<std::int8_t>(20, 0));
  }
}

TEST(TokenCode, BatchesKeepTheirTokensApart) {
  const std::vector<float> tokens = random_vector(2 * 3 * 7, 1);
  const CodedBatch batch = code_tokens(tokens, 2, 3, 7);
  for (int image = 0; image < 2; ++image) {
    const CodedTokens coded = batch.image(image);
    ASSERT_EQ(coded.count, 3);
    const auto own = std::span(tokens).subspan(static_cast<std::size_t>(image) * 21, 21);
    EXPECT_TRUE(std::equal(coded.first.begin(), coded.first.end(), own.begin(), own.begin() + 7));
    for (std::size_t t = 0; t < 3; ++t) {
      std::vector<std::int8_t> codes(7);
      EXPECT_EQ(code_token(own.subspan(7 * t, 7), codes), coded.scales[t]);
      EXPECT_TRUE(std::equal(codes.begin(), codes.end(), coded.codes.subspan(7 * t, 7).begin()));
    }
  }
  EXPECT_TRUE(code_tokens({}, 2, 0, 7).image(1).first.empty());
}

}  // namespace
}  // namespace tessera
