// A hand-made vector of each patch of a picture, the baseline of a segmentation probe.
#pragma once

#include <vector>

#include "tessera/image.h"

namespace tessera::eval {

inline constexpr int kPatchSide = 16;  // pixels
inline constexpr int kCellDirections = 8;
inline constexpr int kCellWidth = 6 + kCellDirections;

// [patches, kCellWidth]: mean and standard deviation of red, green and blue, and the roots of the gradients' shares in
// eight directions without sign; all about 0 to 1.
std::vector<float> patch_cells(const Image& image);

}  // namespace tessera::eval
