// Pictures to bytes; the JPEG half is public in image.h.
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/image.h"

namespace tessera {

// 8-bit RGB PNG. Throws kInvalidArgument for an empty image.
std::vector<std::uint8_t> encode_png(const Image& image);

}  // namespace tessera
