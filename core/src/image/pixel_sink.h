// Where decoders put their rows: colour conversion, alpha on white and orientation on the way to an Image.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "image/color.h"
#include "tessera/image.h"

namespace tessera {

// Usage: for each row y, write width * samples_per_pixel(format) samples to row(y), then commit(y); at the end
// finish(). Rows may come in any order; a row that is never committed stays white.
class PixelSink {
 public:
  PixelSink(int width, int height, PixelFormat format, std::span<const std::uint8_t> icc_profile = {});

  std::uint8_t* row(int y);
  void commit(int y);
  // The upright picture; `orientation` as in EXIF.
  Image finish(int orientation) &&;

 private:
  int width_;
  PixelFormat format_;
  std::unique_ptr<IccTransform> transform_;
  std::vector<std::uint8_t> scratch_;  // one row of samples, if they are not RGB
  std::vector<std::uint8_t> rgba_;     // one converted row of a format with alpha
  Image image_;
};

// EXIF orientation 1..8 applied.
Image apply_orientation(Image image, int orientation);

}  // namespace tessera
