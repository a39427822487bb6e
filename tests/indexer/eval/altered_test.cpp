// Altered pictures: sizes, what stays, what changes, and that seeds decide.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "eval/eval_fixture.h"
#include "tessera/indexer/eval_copies.h"

namespace tessera::eval {
namespace {

using tessera::testing::make_picture;

// Smooth, different everywhere and not symmetric.
Image gradient(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.rgb.push_back(static_cast<std::uint8_t>(255 * x / width));
      image.rgb.push_back(static_cast<std::uint8_t>(255 * y / height));
      image.rgb.push_back(static_cast<std::uint8_t>(127 * x / width + 127 * y / height));
    }
  }
  return image;
}

int value_at(const Image& image, int x, int y, int channel) {
  return image.rgb[3 * (std::size_t(y) * std::size_t(image.width) + std::size_t(x)) + std::size_t(channel)];
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int(a.rgb[i]) - int(b.rgb[i]));
  return sum / double(a.rgb.size());
}

TEST(Altered, SeedsDecideAndEveryPictureIsWhole) {
  const Image image = make_picture(3, 120, 90);
  std::set<std::string> names;
  for (const Alteration alteration : alterations()) {
    names.insert(alteration_name(alteration));
    std::set<std::vector<std::uint8_t>> different;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      const Image once = altered(image, alteration, seed);
      const Image again = altered(image, alteration, seed);
      ASSERT_EQ(once.rgb.size(), 3 * std::size_t(once.width) * std::size_t(once.height));
      EXPECT_EQ(once.rgb, again.rgb) << alteration_name(alteration);
      EXPECT_NE(once.rgb, image.rgb) << alteration_name(alteration);
      different.insert(once.rgb);
    }
    const bool without_choice = alteration == Alteration::kMirror || alteration == Alteration::kRecompress;
    if (without_choice) {
      EXPECT_EQ(different.size(), 1U) << alteration_name(alteration);
    } else {  // two seeds may give the same size
      EXPECT_GE(different.size(), 6U) << alteration_name(alteration);
    }
  }
  EXPECT_EQ(names.size(), 9U);
  test::error_of([] { altered(make_picture(1, 15, 40), Alteration::kBlur, 1); }, ErrorCode::kInvalidArgument);
}

TEST(Altered, CropsKeepHalfToNineTenthsOfTheArea) {
  const Image image = gradient(200, 100);
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Image crop = altered(image, Alteration::kCrop, seed);
    const double share = double(crop.width) * crop.height / (200.0 * 100.0);
    EXPECT_GE(share, 0.48);
    EXPECT_LE(share, 0.92);
    EXPECT_NEAR(double(crop.width) / crop.height, 2, 0.05);
    // The red of the gradient is the column, so the crop tells where it was taken.
    EXPECT_NEAR(value_at(crop, crop.width - 1, 0, 0) - value_at(crop, 0, 0, 0), 255.0 * (crop.width - 1) / 200, 2);
  }
}

TEST(Altered, RotationsTurnAboutTheCentreAndLeaveNoCorner) {
  const Image image = gradient(240, 160);
  const Image white = test::plain_picture(240, 160, 255, 255, 255);
  std::set<bool> directions;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Image turned = altered(image, Alteration::kRotate, seed);
    EXPECT_NEAR(double(turned.width) / turned.height, 1.5, 0.03);
    EXPECT_GE(turned.width, 0.7 * 240);
    EXPECT_LT(turned.width, 0.99 * 240);
    const int middle = value_at(turned, turned.width / 2, turned.height / 2, 0);
    EXPECT_NEAR(middle, value_at(image, 120, 80, 0), 3);
    // Along a row of the turned picture the green of the original, its height, rises or falls with the angle.
    const double rise =
        (value_at(turned, turned.width - 1, turned.height / 2, 1) - value_at(turned, 0, turned.height / 2, 1)) * 160.0 /
        255 / turned.width;
    const double degrees = std::asin(rise) * 180 / 3.14159265358979;
    EXPECT_GE(std::abs(degrees), 1.3);
    EXPECT_LE(std::abs(degrees), 10.7);
    directions.insert(degrees > 0);
    const Image all_white = altered(white, Alteration::kRotate, seed);
    EXPECT_EQ(std::count(all_white.rgb.begin(), all_white.rgb.end(), 255), std::ptrdiff_t(all_white.rgb.size()));
  }
  EXPECT_EQ(directions.size(), 2U);
}

TEST(Altered, MirroringTwiceIsNothing) {
  const Image image = make_picture(5, 61, 47);
  const Image mirror = altered(image, Alteration::kMirror, 1);
  EXPECT_EQ(value_at(mirror, 0, 20, 1), value_at(image, 60, 20, 1));
  EXPECT_EQ(altered(mirror, Alteration::kMirror, 9).rgb, image.rgb);
}

TEST(Altered, SizesAndFramesAreThoseDocumented) {
  const Image image = gradient(200, 120);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Image small = altered(image, Alteration::kResize, seed);
    EXPECT_GE(small.width, 50);
    EXPECT_LE(small.width, 150);
    EXPECT_NEAR(double(small.width) / small.height, 200.0 / 120, 0.06);

    const Image framed = altered(image, Alteration::kBorder, seed);
    const int frame = (framed.width - 200) / 2;
    EXPECT_GE(frame, 4);
    EXPECT_LE(frame, 15);
    EXPECT_EQ(framed.height, 120 + 2 * frame);
    for (int c = 0; c < 3; ++c) {
      EXPECT_EQ(value_at(framed, 0, 0, c), value_at(framed, framed.width - 1, framed.height - 1, c));
      EXPECT_EQ(value_at(framed, frame, frame, c), value_at(image, 0, 0, c));
      EXPECT_EQ(value_at(framed, frame + 199, frame + 119, c), value_at(image, 199, 119, c));
    }
  }
}

TEST(Altered, TextCoversAPartOnly) {
  const Image image = gradient(240, 180);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Image written = altered(image, Alteration::kText, seed);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
      changed += std::equal(&image.rgb[i], &image.rgb[i] + 3, &written.rgb[i]) ? 0 : 1;
    }
    EXPECT_GT(changed, 30U);
    EXPECT_LT(changed, image.rgb.size() / 3 / 4);
  }
}

TEST(Altered, PixelsChangeAsMuchAsTheyShould) {
  const Image image = make_picture(11, 200, 150);
  const Image coarse = altered(image, Alteration::kRecompress, 1);
  EXPECT_EQ(coarse.width, 200);
  EXPECT_GT(mean_difference(image, coarse), 0.3);
  EXPECT_LT(mean_difference(image, coarse), 12);

  const Image flat = test::plain_picture(64, 64, 90, 120, 200);
  EXPECT_EQ(altered(flat, Alteration::kBlur, 1).rgb, flat.rgb);
  const auto steps = [](const Image& of) {
    double sum = 0;
    for (int y = 0; y < of.height; ++y) {
      for (int x = 1; x < of.width; ++x) sum += std::pow(value_at(of, x, y, 0) - value_at(of, x - 1, y, 0), 2);
    }
    return sum;
  };
  const Image soft = altered(image, Alteration::kBlur, 1);
  EXPECT_LT(steps(soft), 0.7 * steps(image));
  EXPECT_LT(mean_difference(image, soft), 20);

  EXPECT_GT(mean_difference(image, altered(image, Alteration::kColor, 2)), 2);
}

}  // namespace
}  // namespace tessera::eval
