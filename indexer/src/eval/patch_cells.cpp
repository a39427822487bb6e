// Colours and gradients of patches.
#include "eval/patch_cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace tessera::eval {
namespace {

constexpr double kPatchPixels = double(kPatchSide) * kPatchSide;

class Pixels {
 public:
  explicit Pixels(const Image& image) : image_(image) {}

  const std::uint8_t* at(int x, int y) const {
    return image_.rgb.data() +
           3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(image_.width) + static_cast<std::size_t>(x));
  }
  // Luma (Rec. 601), [0, 1]; beyond the edge that of the edge.
  double grey(int x, int y) const {
    const std::uint8_t* rgb = at(std::clamp(x, 0, image_.width - 1), std::clamp(y, 0, image_.height - 1));
    return (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255;
  }

 private:
  const Image& image_;
};

}  // namespace

std::vector<float> patch_cells(const Image& image) {
  const Pixels pixels(image);
  std::vector<float> values;
  for (int row = 0; row < image.height / kPatchSide; ++row) {
    for (int column = 0; column < image.width / kPatchSide; ++column) {
      std::array<double, 3> sums{}, squares{};
      std::array<double, kCellDirections> gradients{};
      for (int y = row * kPatchSide; y < (row + 1) * kPatchSide; ++y) {
        for (int x = column * kPatchSide; x < (column + 1) * kPatchSide; ++x) {
          for (std::size_t c = 0; c < 3; ++c) {
            const double value = pixels.at(x, y)[c] / 255.0;
            sums[c] += value;
            squares[c] += value * value;
          }
          const double across = pixels.grey(x + 1, y) - pixels.grey(x - 1, y);
          const double down = pixels.grey(x, y + 1) - pixels.grey(x, y - 1);
          const double turn = std::atan2(down, across) / std::numbers::pi + 1;  // [0, 2]; 1 apart is one direction
          const int direction = static_cast<int>(std::floor(turn * kCellDirections + 0.5)) % kCellDirections;
          gradients[static_cast<std::size_t>(direction)] += std::hypot(across, down);
        }
      }
      for (const double total : sums) values.push_back(static_cast<float>(total / kPatchPixels));
      for (std::size_t c = 0; c < 3; ++c) {
        const double mean = sums[c] / kPatchPixels;
        values.push_back(static_cast<float>(std::sqrt(std::max(0.0, squares[c] / kPatchPixels - mean * mean))));
      }
      for (const double total : gradients) values.push_back(static_cast<float>(std::sqrt(total / kPatchPixels)));
    }
  }
  return values;
}

}  // namespace tessera::eval
