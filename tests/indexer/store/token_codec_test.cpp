// Quantisation: error bounds that hold, unit vectors back, and what has no direction.
#include "store/token_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "store/half.h"

namespace tessera {
namespace {

std::vector<float> random_vector(int width, unsigned seed, bool outliers) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(std::size_t(width), 0.0f);
  for (float& x : v) x = normal(random);
  if (outliers) v[random() % v.size()] *= 30;
  return v;
}

double norm_of(const std::vector<float>& v) {
  double sum = 0;
  for (const float x : v) sum += double(x) * x;
  return std::sqrt(sum);
}

TEST(TokenCodec, CoarseErrorIsAnUpperBoundAndTight) {
  for (const int width : {1, 3, 8, 64, 384, 768, 2560}) {
    for (const bool outliers : {false, true}) {
      const std::vector<float> v = random_vector(width, unsigned(width), outliers);
      std::vector<std::uint16_t> half(v.size());
      std::vector<std::int8_t> codes(v.size());
      encode_coarse_half(v, half);
      const CodeScale scale = encode_coarse_codes(half, codes);
      long double error = 0;
      double norm = 0;
      for (std::size_t i = 0; i < v.size(); ++i) {
        const long double d = (long double)half_to_float(half[i]) - (long double)scale.scale * codes[i];
        error += d * d;
        norm += double(half_to_float(half[i])) * half_to_float(half[i]);
      }
      EXPECT_LE(double(std::sqrt(error)), scale.error);
      EXPECT_GE(double(std::sqrt(error)) * 1.00001 + 1e-7, scale.error);
      EXPECT_NEAR(std::sqrt(norm), 1.0, 5e-4);
    }
  }
}

TEST(TokenCodec, TokenComesBackAsAUnitVectorOfTheSameDirection) {
  for (const int width : {1, 5, 16, 17, 384, 768, 2560}) {
    const std::vector<float> v = random_vector(width, unsigned(width), false);
    std::vector<std::byte> record(token_record_bytes(width));
    write_token_record(v, record.data());
    std::vector<float> back(v.size());
    decode_token_record(record.data(), back);
    double dot = 0;
    for (std::size_t i = 0; i < v.size(); ++i) dot += double(v[i]) * back[i];
    EXPECT_NEAR(norm_of(back), 1.0, 1e-6);
    EXPECT_GT(dot / norm_of(v), 0.9998) << width;
  }
}

TEST(TokenCodec, ATokenOfZerosIsStoredAsZeros) {
  const std::vector<float> zero(40, 0.0f);
  std::vector<std::byte> record(token_record_bytes(40), std::byte{0xff});
  write_token_record(zero, record.data());
  std::vector<float> back(40, 1.0f);
  decode_token_record(record.data(), back);
  EXPECT_EQ(back, zero);
}

TEST(TokenCodec, DirectionNeedsFiniteAndNotAllZero) {
  std::vector<float> v(8, 0.0f);
  EXPECT_FALSE(has_direction(v));
  v[3] = 1e-20f;
  EXPECT_TRUE(has_direction(v));
  v[3] = 1e30f;
  EXPECT_TRUE(has_direction(v));
  v[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(has_direction(v));
  v[3] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(has_direction(v));
}

}  // namespace
}  // namespace tessera
