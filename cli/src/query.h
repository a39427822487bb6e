// Search queries from picture files: regions, examples with weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tessera/encoder.h"
#include "tessera/indexer/search.h"
#include "tessera/resize.h"

namespace tessera::cli {

// A rectangle of a picture as typed: X,Y,WIDTH,HEIGHT from the upper left corner of the upright picture. Whole numbers
// are pixels; if any number has a decimal point, all four are fractions of the picture's width and height (0..1).
struct Region {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  bool fractions = false;
};

struct PixelRect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// Throws UsageError: not four numbers, negative, empty, fractions above 1.
Region parse_region(const std::string& text);
// The pixels meant, rounded outwards for fractions, at least one. Throws UsageError naming the picture and its size if
// the region is not inside.
PixelRect region_pixels(const Region& region, int width, int height, const std::string& name);

// One picture, or a region of it (`region` may be null), prepared as the library's pictures were.
Image prepare_example(const std::filesystem::path& path, const Region* region, const ResizeSpec& resize);

QueryPart encode_example(ImageEncoder& encoder, Image prepared, int tokens, float weight);

}  // namespace tessera::cli
