// PNGs whose pixels are numbers rather than colours, such as segmentation masks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tessera/image.h"

namespace tessera {

// Rows top to bottom without padding.
struct IndexImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> values;
};

// The stored values of a grey or palette PNG of at most 8 bits; palette, transparency and orientation are not looked
// at. Throws Error naming `name`: kUnsupported for any other picture, kDamaged, kLimit.
IndexImage decode_index_png(std::span<const std::uint8_t> bytes, const std::string& name,
                            const ImageLimits& limits = {});

}  // namespace tessera
