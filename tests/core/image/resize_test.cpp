// Geometry of every resize mode and agreement of the pixels with PIL.
#include "tessera/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "image/resample.h"
#include "tessera/error.h"
#include "test_paths.h"

namespace tessera {
namespace {

using Mode = ResizeSpec::Mode;

TEST(ParseResizeSpec, AcceptedFormsRoundTrip) {
  for (const char* text : {"short:512", "square:256", "fit:384", "none", "short:512/32", "square:16", "none/32"}) {
    EXPECT_EQ(to_string(parse_resize_spec(text)), text);
  }
  const ResizeSpec spec = parse_resize_spec("short:512/32");
  EXPECT_EQ(spec.mode, Mode::kShort);
  EXPECT_EQ(spec.size, 512);
  EXPECT_EQ(spec.multiple, 32);
  EXPECT_EQ(parse_resize_spec("fit:64/16").multiple, 16);
}

TEST(ParseResizeSpec, RefusesEverythingElse) {
  for (const char* text :
       {"", "short", "short:", "short:0", "short:-16", "short:500", "square:48/32", "fit:1e2", "fit:64x", "crop:64",
        "none:64", "short:64/", "short:64/8", "short:99999999999", "65552", "short:131072", " short:64"}) {
    EXPECT_THROW(parse_resize_spec(text), Error) << text;
  }
}

TEST(PreparedSize, Examples) {
  EXPECT_EQ(prepared_size(4000, 3000, parse_resize_spec("short:512")), (ImageSize{688, 512}));
  EXPECT_EQ(prepared_size(3000, 4000, parse_resize_spec("short:512")), (ImageSize{512, 688}));
  EXPECT_EQ(prepared_size(4000, 3000, parse_resize_spec("short:512/32")), (ImageSize{672, 512}));
  EXPECT_EQ(prepared_size(4000, 3000, parse_resize_spec("square:256")), (ImageSize{256, 256}));
  EXPECT_EQ(prepared_size(4000, 3000, parse_resize_spec("fit:512")), (ImageSize{512, 384}));
  EXPECT_EQ(prepared_size(10000, 100, parse_resize_spec("fit:512")), (ImageSize{512, 16}));
  EXPECT_EQ(prepared_size(10000, 100, parse_resize_spec("short:256")), (ImageSize{1024, 256}));
  EXPECT_EQ(prepared_size(1, 1, parse_resize_spec("short:256")), (ImageSize{256, 256}));
  EXPECT_EQ(prepared_size(1, 2147483647, parse_resize_spec("short:256")), (ImageSize{256, 1024}));
  EXPECT_EQ(prepared_size(640, 480, parse_resize_spec("none")), (ImageSize{640, 480}));
  EXPECT_THROW(prepared_size(641, 480, parse_resize_spec("none")), Error);
  EXPECT_THROW(prepared_size(640, 480 + 16, parse_resize_spec("none/32")), Error);
  EXPECT_THROW(prepared_size(0, 480, parse_resize_spec("fit:64")), Error);
}

// Every mode, multiple and many aspect ratios, against the definition written out.
TEST(PreparedSize, FollowsItsDefinitionForAllAspects) {
  for (const int multiple : {16, 32}) {
    for (const int size : {32, 256, 512}) {
      for (int longer = 1; longer <= 4200; longer += longer < 40 ? 1 : 37) {
        for (int shorter = 1; shorter <= longer; shorter += shorter < 40 ? 1 : 53) {
          const double ratio = double(longer) / shorter;
          const auto nearest = [multiple](double x) { return int(std::floor(x / multiple + 0.5)) * multiple; };
          const ResizeSpec as_short{Mode::kShort, size, multiple};
          const int expected = std::min(std::max(nearest(size * ratio), size), 4 * size);
          ASSERT_EQ(prepared_size(longer, shorter, as_short), (ImageSize{expected, size})) << longer << "x" << shorter;
          ASSERT_EQ(prepared_size(shorter, longer, as_short),
                    (longer == shorter ? ImageSize{expected, size} : ImageSize{size, expected}));
          const ResizeSpec fit{Mode::kFit, size, multiple};
          ASSERT_EQ(prepared_size(longer, shorter, fit), (ImageSize{size, std::max(nearest(size / ratio), multiple)}));
          const ResizeSpec square{Mode::kSquare, size, multiple};
          ASSERT_EQ(prepared_size(longer, shorter, square), (ImageSize{size, size}));
        }
      }
    }
  }
}

const std::filesystem::path kData = test::data_dir() / "images";

Image random_image(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  Image image{width, height, std::vector<std::uint8_t>(std::size_t(width) * height * 3)};
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(random());
  return image;
}

int largest_difference(const Image& a, const Image& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  return largest;
}

TEST(ResizeBicubic, AgreesWithPilWithinOneGreyLevel) {
  std::ifstream file(kData / "resize_cases.json");
  const auto cases = nlohmann::json::parse(file);
  ASSERT_GE(cases.size(), 15u);
  for (const auto& item : cases) {
    const Image input = load_image(kData / item["input"].get<std::string>());
    const Image expected = load_image(kData / item["output"].get<std::string>());
    const std::vector<double> box = item["box"];
    const Image actual = resample_bicubic(input, {box[0], box[1], box[2], box[3]}, expected.width, expected.height);
    ASSERT_EQ(actual.rgb.size(), expected.rgb.size());
    EXPECT_LE(largest_difference(actual, expected), 1) << item;
    // The test would not notice a filter that is wrong everywhere by one level.
    const double differing = std::inner_product(actual.rgb.begin(), actual.rgb.end(), expected.rgb.begin(), 0.0,
                                                std::plus<>(), [](int a, int b) { return a != b ? 1.0 : 0.0; });
    EXPECT_LE(differing / expected.rgb.size(), 0.05) << item;
  }
}

TEST(ResizeBicubic, KernelsGiveEqualBytes) {
  const ResampleKernels* avx2 = avx2_resample_kernels();
  if (avx2 == nullptr) GTEST_SKIP() << "the processor has no AVX2";
  const ResampleKernels& portable = portable_resample_kernels();
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const int in_size = 1 + static_cast<int>(random() % 300);
    const int out_size = 1 + static_cast<int>(random() % 120);
    const AxisWeights axis = bicubic_weights(in_size, 0, in_size, out_size);
    const std::size_t block = ResampleKernels::kRowBlock;
    std::vector<std::uint8_t> row(std::size_t(in_size + axis.taps) * 3 + ResampleKernels::kOverread);
    for (auto& value : row) value = static_cast<std::uint8_t>(random());
    std::vector<std::uint8_t> a(std::size_t(out_size) * 3);
    std::vector<std::uint8_t> b(a.size());
    portable.horizontal(row.data(), axis, a.data());
    avx2->horizontal(row.data(), axis, b.data());
    ASSERT_EQ(a, b);

    const std::size_t bytes = 1 + random() % 200;
    const std::size_t stride = (bytes + block - 1) / block * block;
    std::vector<std::uint8_t> rows(stride * in_size);
    for (auto& value : rows) value = static_cast<std::uint8_t>(random());
    a.assign(bytes, 0);
    b.assign(bytes, 1);
    for (int i = 0; i < out_size; ++i) {
      const std::int16_t* weights = axis.weights.data() + std::size_t(i) * axis.taps;
      const std::uint8_t* first = rows.data() + axis.start[i] * stride;
      const int count = std::min(axis.taps, in_size - axis.start[i]);
      portable.vertical(first, stride, count, weights, axis.precision, a.data(), bytes);
      avx2->vertical(first, stride, count, weights, axis.precision, b.data(), bytes);
      ASSERT_EQ(a, b);
    }
  }
}

TEST(ResizeBicubic, FlatColourStaysExact) {
  for (const std::uint8_t value : {0, 1, 127, 254, 255}) {
    const Image flat{37, 53, std::vector<std::uint8_t>(37 * 53 * 3, value)};
    for (const ImageSize size : {ImageSize{16, 16}, {200, 111}, {1, 1}, {36, 54}, {5, 300}}) {
      const Image out = resize_bicubic(flat, size.width, size.height);
      EXPECT_TRUE(std::all_of(out.rgb.begin(), out.rgb.end(), [value](auto v) { return v == value; }));
    }
  }
}

TEST(ResizeBicubic, SameSizeIsACopyAndRepeatsAreEqual) {
  const Image image = random_image(41, 29, 3);
  EXPECT_EQ(resize_bicubic(image, 41, 29).rgb, image.rgb);
  EXPECT_EQ(resize_bicubic(image, 20, 70).rgb, resize_bicubic(image, 20, 70).rgb);
}

TEST(ResizeBicubic, RefusesEmptySizes) {
  const Image image = random_image(4, 4, 1);
  EXPECT_THROW(resize_bicubic(image, 0, 4), Error);
  EXPECT_THROW(resize_bicubic(image, 4, -1), Error);
  EXPECT_THROW(resize_bicubic(Image{}, 4, 4), Error);
}

TEST(PrepareImage, SizeIsPreparedSize) {
  for (const char* text : {"short:64", "short:64/32", "square:48", "fit:96", "square:256"}) {
    const ResizeSpec spec = parse_resize_spec(text);
    for (const ImageSize size : {ImageSize{100, 70}, {70, 100}, {1, 1}, {1, 90}, {300, 3}, {64, 64}, {65, 63}}) {
      const Image out = prepare_image(random_image(size.width, size.height, 5), spec);
      EXPECT_EQ((ImageSize{out.width, out.height}), prepared_size(size.width, size.height, spec)) << text;
      EXPECT_EQ(out.rgb.size(), std::size_t(out.width) * out.height * 3);
    }
  }
}

TEST(PrepareImage, SquareKeepsTheCentre) {
  const Image image = random_image(160, 64, 9);
  const Image expected = crop_image(image, 48, 0, 64, 64);
  EXPECT_EQ(prepare_image(image, parse_resize_spec("square:64")).rgb, expected.rgb);
  const Image tall = random_image(64, 160, 9);
  EXPECT_EQ(prepare_image(tall, parse_resize_spec("square:64")).rgb, crop_image(tall, 0, 48, 64, 64).rgb);
}

TEST(PrepareImage, PanoramaKeepsTheCentre) {
  const Image image = random_image(1000, 64, 11);
  const Image out = prepare_image(image, parse_resize_spec("short:64"));
  EXPECT_EQ(out.rgb, crop_image(image, 372, 0, 256, 64).rgb);
}

TEST(PrepareImage, NoneIsACopyOrAnError) {
  const Image image = random_image(64, 48, 2);
  EXPECT_EQ(prepare_image(image, parse_resize_spec("none")).rgb, image.rgb);
  EXPECT_THROW(prepare_image(image, parse_resize_spec("none/32")), Error);
}

TEST(MinDecodeShortSide, NeverEnlargesTheReducedPicture) {
  for (const char* text : {"short:64", "short:512", "square:256", "fit:256", "fit:512/32", "short:256/32"}) {
    const ResizeSpec spec = parse_resize_spec(text);
    for (int width = 16; width < 5000; width += 97) {
      for (int height = 16; height < 5000; height += 131) {
        const int min_short = min_decode_short_side(width, height, spec);
        const int shorter = std::min(width, height);
        ASSERT_LE(min_short, shorter);
        if (min_short == 0) continue;
        const double scale = double(min_short) / shorter;
        const ImageSize size = prepared_size(width, height, spec);
        if (spec.mode != Mode::kSquare && std::max(width, height) < 4 * shorter) {
          ASSERT_GE(width * scale + 1e-6, size.width);
          ASSERT_GE(height * scale + 1e-6, size.height);
        }
        ASSERT_GE(min_short, std::min(size.width, size.height));
      }
    }
  }
  EXPECT_EQ(min_decode_short_side(640, 480, parse_resize_spec("none")), 0);
}

TEST(PreparedPart, IsWhatTheResizeKeeps) {
  const ImagePart all{0, 0, 1, 1};
  EXPECT_EQ(prepared_part(640, 480, parse_resize_spec("short:256")), all);
  EXPECT_EQ(prepared_part(640, 480, parse_resize_spec("fit:256")), all);
  EXPECT_EQ(prepared_part(640, 480, parse_resize_spec("square:256")), (ImagePart{0.125, 0, 0.75, 1}));
  EXPECT_EQ(prepared_part(480, 640, parse_resize_spec("square:256")), (ImagePart{0, 0.125, 1, 0.75}));
  EXPECT_EQ(prepared_part(1600, 200, parse_resize_spec("short:256")), (ImagePart{0.25, 0, 0.5, 1}));
}

}  // namespace
}  // namespace tessera
