// Hand-made descriptors on pictures whose descriptors are known, and what they are blind to.
#include "eval/baselines.h"

#include <gmock/gmock.h>

#include <numeric>

#include "eval/eval_fixture.h"
#include "tessera/indexer/eval_descriptors.h"
#include "tessera/indexer/eval_ranking.h"
#include "tessera/resize.h"

namespace tessera::eval {
namespace {

using tessera::testing::make_picture;
using test::plain_picture;

using Kind = Descriptor::Kind;

Image mirrored(const Image& image) {
  Image result = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        result.rgb[std::size_t(3 * (y * image.width + x) + c)] =
            image.rgb[std::size_t(3 * (y * image.width + image.width - 1 - x) + c)];
      }
    }
  }
  return result;
}

// Stripes across the x axis (or down the y axis), `period` pixels each.
Image stripes(bool across, int period) {
  Image image = plain_picture(128, 128, 0, 0, 0);
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 128; ++x) {
      const bool light = ((across ? x : y) / (period / 2)) % 2 == 0;
      for (int c = 0; c < 3; ++c) image.rgb[std::size_t(3 * (y * 128 + x) + c)] = light ? 220 : 30;
    }
  }
  return image;
}

float similarity(const Image& a, const Image& b, Kind kind) {
  return dot(baseline_vector(a, kind), baseline_vector(b, kind));
}

TEST(Baselines, AreUnitVectorsAndFullyAlikeToThemselves) {
  for (const Kind kind : {Kind::kPHash, Kind::kDHash, Kind::kColorHist, Kind::kHog, Kind::kGist}) {
    const Image image = make_picture(5, 200, 150);
    EXPECT_NEAR(similarity(image, image, kind), 1, 1e-5);
    // A smaller version of it is nearer than another picture.
    const Image small = resize_bicubic(image, 120, 90);
    EXPECT_GT(similarity(image, small, kind), similarity(image, make_picture(6, 200, 150), kind));
    EXPECT_GT(similarity(image, small, kind), 0.8);
  }
}

TEST(Baselines, DifferenceHashOfARamp) {
  Image ramp = plain_picture(9, 8, 0, 0, 0);
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 9; ++x) {
      for (int c = 0; c < 3; ++c) {
        ramp.rgb[std::size_t(3 * (9 * y + x) + c)] = static_cast<std::uint8_t>(y < 4 ? 20 * x : 200 - 20 * x);
      }
    }
  }
  const std::vector<float> bits = difference_hash(ramp);
  ASSERT_EQ(bits.size(), 64u);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(bits[i], i < 32 ? 1 : -1) << i;
}

TEST(Baselines, PerceptualHashHasAsManyBitsAboveAsBelowTheMedian) {
  const std::vector<float> bits = perceptual_hash(make_picture(3, 100, 80));
  ASSERT_EQ(bits.size(), 64u);
  EXPECT_EQ(std::accumulate(bits.begin(), bits.end(), 0.0f), 0);
  // Brightness does not matter but for the first coefficient.
  Image darker = make_picture(3, 100, 80);
  for (std::uint8_t& value : darker.rgb) value = static_cast<std::uint8_t>(value / 2);
  EXPECT_GT(dot(bits, perceptual_hash(darker)), 60);
}

TEST(Baselines, ColorHistogramCountsHueSaturationAndValue) {
  Image image = plain_picture(4, 1, 255, 0, 0);
  image.rgb = {255, 0, 0, 255, 0, 0, 0, 0, 255, 128, 128, 128};
  const std::vector<float> histogram = color_histogram(image);
  ASSERT_EQ(histogram.size(), 128u);
  const auto cell = [&](int h, int s, int v) { return histogram[std::size_t((h * 4 + s) * 4 + v)]; };
  EXPECT_FLOAT_EQ(cell(0, 3, 3), std::sqrt(0.5f));  // red
  EXPECT_FLOAT_EQ(cell(5, 3, 3), 0.5f);             // blue: hue 4 of 6
  EXPECT_FLOAT_EQ(cell(0, 0, 2), 0.5f);             // grey
  EXPECT_NEAR(similarity(make_picture(4), mirrored(make_picture(4)), Kind::kColorHist), 1, 1e-5);
}

TEST(Baselines, GradientsAndGistTellDirections) {
  for (const Kind kind : {Kind::kHog, Kind::kGist}) {
    const float same = similarity(stripes(true, 16), stripes(true, 16), kind);
    EXPECT_NEAR(same, 1, 1e-5);
    EXPECT_LT(similarity(stripes(true, 16), stripes(false, 16), kind), 0.8);
  }
  // Only gist tells how fine the stripes are where both fill every cell.
  EXPECT_LT(similarity(stripes(true, 8), stripes(true, 32), Kind::kGist), 0.9);
}

TEST(Baselines, APlainPictureHasVectorsWithoutNan) {
  for (const Kind kind : {Kind::kPHash, Kind::kDHash, Kind::kColorHist, Kind::kHog, Kind::kGist}) {
    for (const float value : baseline_vector(plain_picture(40, 30, 90, 90, 90), kind))
      EXPECT_TRUE(std::isfinite(value));
  }
  test::error_of([] { baseline_vector(plain_picture(4, 4, 0, 0, 0), Kind::kToken0); }, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::eval
