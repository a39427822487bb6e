// Small grey versions of pictures, and how they match as a whole.
#include "analyse/look.h"

#include <algorithm>
#include <cmath>

#include "analyse/grey_field.h"
#include "tessera/resize.h"

namespace tessera {
namespace {

constexpr double kShapeTolerance = 0.02;
constexpr int kWholeSide = 32;
constexpr int kWholeTiles = 8;
constexpr double kWholeFlat = 1.0;  // grey levels

GreyField square_field(const Look& look) {
  GreyField field{look.width, look.height, {look.grey.begin(), look.grey.end()}};
  return shrunk(field, kWholeSide, kWholeSide);
}

}  // namespace

Look make_look(const Image& image) {
  Look look;
  look.aspect = double(image.width) / image.height;
  const double along = std::clamp(std::max(look.aspect, 1 / look.aspect), 1.0, 4.0);
  const int longer = static_cast<int>(std::lround(Look::kShortSide * along));
  look.width = look.aspect >= 1 ? longer : Look::kShortSide;
  look.height = look.aspect >= 1 ? Look::kShortSide : longer;
  const Image small = resize_bicubic(image, look.width, look.height);
  look.grey.reserve(small.rgb.size() / 3);
  for (std::size_t i = 0; i + 2 < small.rgb.size(); i += 3) {
    const double luma = 0.299 * small.rgb[i] + 0.587 * small.rgb[i + 1] + 0.114 * small.rgb[i + 2];
    look.grey.push_back(static_cast<std::uint8_t>(std::lround(luma)));
  }
  const Image cells = resize_bicubic(small, Look::kCells, Look::kCells);
  std::copy(cells.rgb.begin(), cells.rgb.end(), look.colors.begin());
  return look;
}

Look load_look(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, ImageLimits{}.max_file_bytes);
  DecodeOptions options;
  options.min_short_side = Look::kShortSide;
  ImageInfo info;
  const Image image = decode_image(bytes, path.string(), options, &info);
  Look look = make_look(image);
  look.aspect = double(info.width) / info.height;  // of the picture, not of the reduced decode
  return look;
}

WholeMatch match_whole(const Look& a, const Look& b) {
  WholeMatch match;
  match.same_shape = std::abs(std::log(a.aspect / b.aspect)) < kShapeTolerance;
  const GreyField fa = square_field(a);
  const GreyField fb = square_field(b);
  CorrelationSums sums;
  float differences[kWholeTiles * kWholeTiles] = {};
  for (int y = 0; y < kWholeSide; ++y) {
    for (int x = 0; x < kWholeSide; ++x) {
      const std::size_t at = std::size_t(y) * kWholeSide + std::size_t(x);
      sums.add(fa.values[at], fb.values[at]);
      differences[y * kWholeTiles / kWholeSide * kWholeTiles + x * kWholeTiles / kWholeSide] +=
          std::abs(fa.values[at] - fb.values[at]);
    }
  }
  constexpr float kTilePixels = float(kWholeSide) * kWholeSide / (kWholeTiles * kWholeTiles);
  match.correlation = sums.correlation(kWholeFlat);
  match.difference = *std::max_element(std::begin(differences), std::end(differences)) / kTilePixels;
  match.color = 0;
  for (std::size_t i = 0; i < a.colors.size(); ++i) {
    match.color = std::max(match.color, float(std::abs(int(a.colors[i]) - int(b.colors[i]))));
  }
  return match;
}

}  // namespace tessera
