// Regions of query pictures as they are typed on the command line.
#pragma once

#include <string>

#include "tessera/indexer/query_picture.h"

namespace tessera::cli {

// X,Y,WIDTH,HEIGHT from the upper left corner of the upright picture. Whole numbers are pixels; if any number has a
// decimal point, all four are fractions of the picture's width and height (0..1).
// Throws UsageError: not four numbers, negative, empty, fractions above 1.
PictureRegion parse_region(const std::string& text);

}  // namespace tessera::cli
