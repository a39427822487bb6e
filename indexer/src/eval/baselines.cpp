// Perceptual hashes, colour histograms and histograms of gradients; extraction of all baselines in one pass.
#include "eval/baselines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "tessera/error.h"
#include "tessera/indexer/eval_descriptors.h"
#include "tessera/resize.h"

namespace tessera::eval {
namespace {

using std::numbers::pi;

constexpr int kGreySide = 128;
constexpr int kShortSide = 128;

void make_unit(std::vector<float>& vector) {
  double norm = 0;
  for (const float x : vector) norm += double(x) * x;
  norm = std::sqrt(norm);
  if (norm == 0) return;
  for (float& x : vector) x = static_cast<float>(x / norm);
}

// Hue in [0, 6), saturation and value in [0, 1].
std::array<double, 3> hsv(const std::uint8_t* rgb) {
  const double red = rgb[0] / 255.0, green = rgb[1] / 255.0, blue = rgb[2] / 255.0;
  const double value = std::max({red, green, blue});
  const double range = value - std::min({red, green, blue});
  if (range == 0) return {0, 0, value};
  double hue = 0;
  if (value == red) {
    hue = (green - blue) / range;
  } else if (value == green) {
    hue = (blue - red) / range + 2;
  } else {
    hue = (red - green) / range + 4;
  }
  return {hue < 0 ? hue + 6 : hue, range / value, value};
}

}  // namespace

std::vector<float> grey_pixels(const Image& image, int width, int height) {
  const Image small = resize_bicubic(image, width, height);
  std::vector<float> grey(std::size_t(width) * std::size_t(height));
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const std::uint8_t* rgb = small.rgb.data() + 3 * i;
    grey[i] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
  }
  return grey;
}

std::vector<float> perceptual_hash(const Image& image) {
  constexpr int kSide = 32;
  constexpr int kKept = 8;
  const std::vector<float> grey = grey_pixels(image, kSide, kSide);
  std::array<double, kKept * kKept> low{};
  for (int v = 0; v < kKept; ++v) {
    for (int u = 0; u < kKept; ++u) {
      double sum = 0;
      for (int y = 0; y < kSide; ++y) {
        double row = 0;
        for (int x = 0; x < kSide; ++x) row += grey[std::size_t(y * kSide + x)] * std::cos(pi * (x + 0.5) * u / kSide);
        sum += row * std::cos(pi * (y + 0.5) * v / kSide);
      }
      low[std::size_t(v * kKept + u)] = sum;
    }
  }
  std::array<double, kKept* kKept> sorted = low;
  std::sort(sorted.begin(), sorted.end());
  const double median = (sorted[sorted.size() / 2 - 1] + sorted[sorted.size() / 2]) / 2;
  std::vector<float> bits;
  for (const double value : low) bits.push_back(value > median ? 1.0f : -1.0f);
  return bits;
}

std::vector<float> difference_hash(const Image& image) {
  constexpr int kWidth = 9;
  constexpr int kHeight = 8;
  const std::vector<float> grey = grey_pixels(image, kWidth, kHeight);
  std::vector<float> bits;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x + 1 < kWidth; ++x) {
      const std::size_t at = std::size_t(y * kWidth + x);
      bits.push_back(grey[at + 1] > grey[at] ? 1.0f : -1.0f);
    }
  }
  return bits;
}

std::vector<float> color_histogram(const Image& image) {
  constexpr int kHues = 8, kSaturations = 4, kValues = 4;
  std::vector<float> histogram(kHues * kSaturations * kValues);
  const std::size_t pixels = image.rgb.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    const auto [hue, saturation, value] = hsv(image.rgb.data() + 3 * i);
    const int h = std::min(static_cast<int>(hue / 6 * kHues), kHues - 1);
    const int s = std::min(static_cast<int>(saturation * kSaturations), kSaturations - 1);
    const int v = std::min(static_cast<int>(value * kValues), kValues - 1);
    ++histogram[std::size_t((h * kSaturations + s) * kValues + v)];
  }
  for (float& share : histogram) share = std::sqrt(share / static_cast<float>(std::max<std::size_t>(pixels, 1)));
  return histogram;
}

std::vector<float> oriented_gradients(const Image& image) {
  constexpr int kCell = 16, kCells = kGreySide / kCell, kDirections = 9;
  constexpr float kClip = 0.2f;
  const std::vector<float> grey = grey_pixels(image, kGreySide, kGreySide);
  const auto at = [&](int x, int y) {
    x = std::clamp(x, 0, kGreySide - 1);
    y = std::clamp(y, 0, kGreySide - 1);
    return grey[std::size_t(y * kGreySide + x)];
  };
  std::array<double, kCells * kCells * kDirections> cells{};
  for (int y = 0; y < kGreySide; ++y) {
    for (int x = 0; x < kGreySide; ++x) {
      const double dx = at(x + 1, y) - at(x - 1, y);
      const double dy = at(x, y + 1) - at(x, y - 1);
      double angle = std::atan2(dy, dx);
      if (angle < 0) angle += pi;
      // Shared between the two nearest directions.
      const double place = angle / pi * kDirections - 0.5;
      const int lower = static_cast<int>(std::floor(place));
      const double upper_share = place - lower;
      const double magnitude = std::hypot(dx, dy);
      const std::size_t cell = std::size_t((y / kCell * kCells + x / kCell) * kDirections);
      cells[cell + std::size_t((lower + kDirections) % kDirections)] += magnitude * (1 - upper_share);
      cells[cell + std::size_t((lower + 1) % kDirections)] += magnitude * upper_share;
    }
  }
  std::vector<float> result;
  for (int y = 0; y + 1 < kCells; ++y) {
    for (int x = 0; x + 1 < kCells; ++x) {
      std::vector<float> block;
      for (const int cell : {y * kCells + x, y * kCells + x + 1, (y + 1) * kCells + x, (y + 1) * kCells + x + 1}) {
        for (int d = 0; d < kDirections; ++d) {
          block.push_back(static_cast<float>(cells[std::size_t(cell * kDirections + d)]));
        }
      }
      make_unit(block);
      for (float& value : block) value = std::min(value, kClip);
      make_unit(block);
      result.insert(result.end(), block.begin(), block.end());
    }
  }
  return result;
}

std::vector<float> baseline_vector(const Image& image, Descriptor::Kind kind) {
  std::vector<float> vector;
  switch (kind) {
    case Descriptor::Kind::kPHash: vector = perceptual_hash(image); break;
    case Descriptor::Kind::kDHash: vector = difference_hash(image); break;
    case Descriptor::Kind::kColorHist: vector = color_histogram(image); break;
    case Descriptor::Kind::kHog: vector = oriented_gradients(image); break;
    case Descriptor::Kind::kGist: vector = gist(image); break;
    default: throw Error(ErrorCode::kInvalidArgument, descriptor_name({kind, 0}) + " is not made of pixels");
  }
  make_unit(vector);
  return vector;
}

ResizeSpec baseline_resize() { return {ResizeSpec::Mode::kShort, kShortSide, 1, 16.0}; }

BaselineTables extract_baselines(std::span<const std::size_t> pictures, const PictureSource& source,
                                 std::span<const Descriptor> descriptors, const BatchOptions& options) {
  // The vectors travel in place of the pixels, so that they are made on the threads that decode.
  std::vector<std::vector<std::vector<float>>> vectors(pictures.size());
  const auto position = [&](std::size_t picture) {
    return static_cast<std::size_t>(std::lower_bound(pictures.begin(), pictures.end(), picture) - pictures.begin());
  };
  const PictureSource describing = [&](std::size_t picture, const ResizeSpec& resize) {
    const Image image = source(picture, resize);
    auto& made = vectors[position(picture)];
    for (const Descriptor& descriptor : descriptors) made.push_back(baseline_vector(image, descriptor.kind));
    return Image{};
  };
  BatchOptions whole = options;
  whole.resize = baseline_resize();
  BaselineTables result;
  result.failures =
      for_each_batch(pictures, describing, whole, [](std::span<const std::size_t>, std::span<const Image>) {});
  for (const Descriptor& descriptor : descriptors) result.tables.push_back({descriptor_name(descriptor), 0, {}});
  for (std::size_t p = 0; p < pictures.size(); ++p) {
    if (vectors[p].size() != descriptors.size()) continue;
    result.pictures.push_back(pictures[p]);
    for (std::size_t d = 0; d < descriptors.size(); ++d) {
      VectorTable& table = result.tables[d];
      table.width = static_cast<int>(vectors[p][d].size());
      table.values.insert(table.values.end(), vectors[p][d].begin(), vectors[p][d].end());
    }
  }
  return result;
}

}  // namespace tessera::eval
