// Dot products: each instruction set against plain arithmetic, and against each other bit for bit.
#include "search/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "store/half.h"
#include "store/token_codec.h"

namespace tessera {
namespace {

class KernelLevel : public testing::TestWithParam<SimdLevel> {
 protected:
  void SetUp() override {
    if (!simd_level_supported(GetParam())) GTEST_SKIP() << simd_level_name(GetParam()) << " is not in this CPU";
  }
};
INSTANTIATE_TEST_SUITE_P(Levels, KernelLevel,
                         testing::Values(SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512),
                         [](const auto& level) { return std::string("L") + std::to_string(int(level.param)); });

const int kWidths[] = {1, 2, 15, 16, 17, 31, 63, 64, 65, 100, 127, 128, 384, 768, 1000, 2560, kMaxTokenWidth};

TEST_P(KernelLevel, CodeProductsAreExact) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const int width : kWidths) {
    std::vector<float> vector(static_cast<std::size_t>(width));
    for (float& x : vector) x = normal(random);
    const QueryCodes query(vector);
    const std::size_t stride = (std::size_t(width) + 15) / 16 * 16 + 4;  // that of token records
    const std::size_t rows = 5;
    // The exact size, so that a read beyond it is seen by the address sanitizer.
    std::vector<std::int8_t> codes(stride * (rows - 1) + (std::size_t(width) + 15) / 16 * 16, 99);
    for (std::size_t r = 0; r < rows; ++r) {
      for (int i = 0; i < width; ++i) {
        codes[r * stride + std::size_t(i)] = r == 0   ? std::int8_t{127}
                                             : r == 1 ? std::int8_t{-127}
                                                      : static_cast<std::int8_t>(int(random() % 255) - 127);
      }
    }
    std::vector<std::int64_t> out(rows);
    kernels(GetParam()).dot_codes(query, codes.data(), stride, rows, out.data());
    for (std::size_t r = 0; r < rows; ++r) {
      std::int64_t expected = 0;
      for (int i = 0; i < width; ++i) {
        expected += (128 * query.high()[i] + query.low()[i]) * std::int64_t{codes[r * stride + std::size_t(i)]};
      }
      EXPECT_EQ(out[r], expected) << "width " << width << " row " << r;
    }
  }
}

TEST_P(KernelLevel, LargestPossibleCodeProductsDoNotOverflow) {
  for (const float sign : {1.0f, -1.0f}) {
    const std::vector<float> vector(kMaxTokenWidth, sign);
    const QueryCodes query(vector);
    const std::vector<std::int8_t> codes(kMaxTokenWidth, 127);
    std::int64_t out = 0;
    kernels(GetParam()).dot_codes(query, codes.data(), codes.size(), 1, &out);
    EXPECT_EQ(out, std::int64_t(sign) * 127 * 16319 * kMaxTokenWidth);
  }
}

TEST_P(KernelLevel, HalfProductsHaveTheSameBitsEverywhere) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (const int width : kWidths) {
    std::vector<float> query(static_cast<std::size_t>(width));
    std::vector<std::uint16_t> half(static_cast<std::size_t>(width));
    for (float& x : query) x = normal(random);
    for (std::uint16_t& h : half) h = float_to_half(normal(random) / 30);
    const double result = kernels(GetParam()).dot_half(query.data(), half.data(), width);
    const double portable = kernels(SimdLevel::kPortable).dot_half(query.data(), half.data(), width);
    EXPECT_EQ(std::memcmp(&result, &portable, sizeof result), 0) << width;
    long double expected = 0;
    for (int i = 0; i < width; ++i) {
      expected += (long double)query[std::size_t(i)] * half_to_float(half[std::size_t(i)]);
    }
    EXPECT_NEAR(result, double(expected), 1e-12);
  }
}

TEST(QueryCodes, FixedPointIsCloseAndItsErrorIsKnown) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> vector(768);
  for (float& x : vector) x = normal(random);
  const QueryCodes query(vector);
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const int code = 128 * query.high()[i] + query.low()[i];
    EXPECT_EQ(code, query.both()[i]);
    error += std::pow(vector[i] - double(query.scale()) * code, 2);
    norm += double(vector[i]) * vector[i];
  }
  EXPECT_DOUBLE_EQ(query.error(), std::sqrt(error));
  EXPECT_DOUBLE_EQ(query.norm(), std::sqrt(norm));
  EXPECT_LT(query.error(), 1e-4 * query.norm());
}

TEST(QueryCodes, OfZerosIsZero) {
  const std::vector<float> zeros(70, 0.0f);
  const QueryCodes query(zeros);
  EXPECT_EQ(query.norm(), 0.0);
  EXPECT_EQ(query.both()[69], 0);
}

TEST(Simd, PortableIsAlwaysThereAndTheBestIsSupported) {
  EXPECT_TRUE(simd_level_supported(SimdLevel::kPortable));
  EXPECT_TRUE(simd_level_supported(best_simd_level()));
}

}  // namespace
}  // namespace tessera
