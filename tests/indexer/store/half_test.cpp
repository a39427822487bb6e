// Every half and the roundings between neighbouring halves.
#include "store/half.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tessera {
namespace {

double value_of_half(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  const double sign = half & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

TEST(Half, EveryValueConvertsExactlyAndBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const double expected = value_of_half(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(half_to_float(half)));
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(half_to_float(half)))));
    } else {
      ASSERT_EQ(half_to_float(half), expected) << bits;
      ASSERT_EQ(float_to_half(half_to_float(half)), half) << bits;
    }
  }
}

TEST(Half, RoundsToNearestAndTiesToEven) {
  for (std::uint32_t bits = 0; bits + 1 < 0x7c00; ++bits) {
    const auto low = static_cast<std::uint16_t>(bits);
    const auto high = static_cast<std::uint16_t>(bits + 1);
    const auto middle = static_cast<float>((value_of_half(low) + value_of_half(high)) / 2);
    ASSERT_EQ(float_to_half(middle), bits % 2 == 0 ? low : high) << bits;
    ASSERT_EQ(float_to_half(std::nextafter(middle, 0.0f)), low) << bits;
    ASSERT_EQ(float_to_half(std::nextafter(middle, 1e30f)), high) << bits;
    ASSERT_EQ(float_to_half(-std::nextafter(middle, 1e30f)), high | 0x8000) << bits;
  }
  EXPECT_EQ(float_to_half(65519.0f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(1e30f), 0x7c00);
}

}  // namespace
}  // namespace tessera
