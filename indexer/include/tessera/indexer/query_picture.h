// Search queries from pictures: whole ones or regions, prepared and encoded as the library's pictures were.
//
// Thread rule: any thread; an encoder is used by one at a time.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/encoder.h"
#include "tessera/indexer/search.h"
#include "tessera/resize.h"

namespace tessera {

// A rectangle from the upper left corner of the upright picture, in pixels or in fractions of its width and height.
struct PictureRegion {
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

// The pixels meant, rounded outwards for fractions, at least one. Throws kInvalidArgument naming the picture and its
// size if the region is not inside.
PixelRect region_pixels(const PictureRegion& region, int width, int height, const std::string& name);

// One picture, or a region of it (`region` may be null), prepared as the library's pictures were. Throws what
// load_image() throws.
Image prepare_query_picture(const std::filesystem::path& path, const PictureRegion* region, const ResizeSpec& resize);
Image prepare_query_picture(const Image& picture, const PictureRegion* region, const ResizeSpec& resize);

QueryPart encode_query_picture(ImageEncoder& encoder, Image prepared, int tokens, float weight);

}  // namespace tessera
