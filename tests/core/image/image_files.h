// Makes image files of every kind in memory, with the encoders of the libraries that read them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/image.h"

namespace tessera::test {

using Bytes = std::vector<std::uint8_t>;

// Smooth colours, different in every corner, so that orientations differ and lossy formats stay close.
Image gradient(int width, int height);
// Reproducible noise.
Image noise(int width, int height, unsigned seed);

// Pixels in file order with 1 to 4 samples of 8 or 16 bits.
struct Samples {
  int width = 0;
  int height = 0;
  int channels = 3;
  int bits = 8;
  std::vector<std::uint16_t> values;
};
Samples samples_of(const Image& image, int channels, int bits);  // 1: grey, 2: grey + alpha, 3: RGB, 4: RGB + alpha 255

struct JpegMaking {
  int quality = 95;
  bool progressive = false;
  bool arithmetic = false;
  int restart_rows = 0;
  Bytes exif;  // APP1 payload
  Bytes icc;
  bool adobe_ycck = false;  // CMYK input only: store as YCCK
  bool adobe = true;        // CMYK input only: Adobe marker and inverted samples
};
Bytes make_jpeg(const Image& image, const JpegMaking& making = {});
Bytes make_grey_jpeg(const Samples& samples);
Bytes make_cmyk_jpeg(int width, int height, const Bytes& cmyk, const JpegMaking& making);  // 255 = full ink

struct PngMaking {
  bool interlaced = false;
  Bytes exif;
  Bytes icc;
};
Bytes make_png(const Samples& samples, const PngMaking& making = {});
// 1, 2, 4 or 8 bits; `palette` RGB triples, `alpha` per entry; without a palette the indices are grey values.
Bytes make_index_png(int width, int height, int bits, const Bytes& indices, const Bytes& palette, const Bytes& alpha);

Bytes make_webp(const Image& image, bool lossless, const Bytes& exif = {}, const Bytes& icc = {},
                const Bytes& alpha = {});
// An animation whose first frame covers only part of the canvas, at (2 * x, 2 * y).
Bytes make_animated_webp(int width, int height, const Image& frame, int x, int y);

struct TiffMaking {
  int compression = 1;
  int orientation = 1;
  int photometric = 2;
  int tile = 0;  // > 0: square tiles of this size
  int rows_per_strip = 7;
  bool separate = false;
  int extra = 0;  // kind of the last sample, if it is alpha: 1 premultiplied, 2 not
  bool big_endian = false;
  Bytes icc;
};
Bytes make_tiff(const Samples& samples, const TiffMaking& making = {});
Bytes make_bilevel_tiff(int width, int height, const Bytes& bits, int compression);  // packed rows, 1 = black

struct GifMaking {
  int canvas_width = 0;
  int canvas_height = 0;
  int left = 0;
  int top = 0;
  int transparent = -1;
  bool interlaced = false;
};
Bytes make_gif(int width, int height, const Bytes& indices, const Bytes& palette, const GifMaking& making = {});

Bytes make_bmp(const Image& image, int bits, bool top_down);
Bytes make_pnm(const Samples& samples, int kind, int max_value);  // kind '2', '3', '5' or '6'

// A TIFF structure with only an orientation, as EXIF stores it.
Bytes make_exif(int orientation, bool big_endian, bool with_prefix);
// The picture as it has to be stored so that `orientation` turns it back.
Image stored_for_orientation(const Image& upright, int orientation);

Bytes concat(std::initializer_list<Bytes> parts);
Bytes text_bytes(const std::string& text);

}  // namespace tessera::test
