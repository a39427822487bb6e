// Hand-made descriptors of a picture, each a vector whose cosine compares two pictures.
#pragma once

#include <vector>

#include "tessera/image.h"

namespace tessera::eval {

// Luma (Rec. 601) of the picture resized to width x height, in [0, 255].
std::vector<float> grey_pixels(const Image& image, int width, int height);

// 64 values of -1 or 1: is a coefficient of the lowest 8 x 8 of the 32 x 32 DCT above their median?
std::vector<float> perceptual_hash(const Image& image);
// 64 values of -1 or 1: is the right neighbour brighter, on 9 x 8 greys?
std::vector<float> difference_hash(const Image& image);
// Roots of the shares of 8 x 4 x 4 cells of hue, saturation and value.
std::vector<float> color_histogram(const Image& image);
// Dalal and Triggs 2005: 128 x 128 greys, cells of 16 pixels, 9 directions without sign, blocks of 2 x 2, L2-Hys.
std::vector<float> oriented_gradients(const Image& image);
// Oliva and Torralba 2001: 128 x 128 greys of even local contrast, 4 scales x 8 directions of Gabor filters, mean
// magnitude in 4 x 4 fields.
std::vector<float> gist(const Image& image);

}  // namespace tessera::eval
