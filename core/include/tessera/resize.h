// The one place where pictures change size: antialiased bicubic as in PIL, and the encoder's input geometries.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tessera/image.h"

namespace tessera {

// Bicubic (a = -0.5) with antialiasing, the fixed-point arithmetic of PIL.Image.resize(BICUBIC); differs from it by at
// most 1 grey level. Throws kInvalidArgument for a size < 1. Thread rule: any thread.
Image resize_bicubic(const Image& image, int width, int height);

// How a picture of any size becomes encoder input; every resulting side is a multiple of `multiple`.
struct ResizeSpec {
  enum class Mode {
    kShort,  // shorter side to N, longer side keeps the aspect ratio, rounded to the nearest multiple (paper: "512min")
    kSquare,  // shorter side to N, then the centre N x N
    kFit,     // longer side to N, shorter rounded to the nearest multiple (at least one)
    kNone,    // the picture's own size; an error if a side is not a multiple
  };
  Mode mode = Mode::kSquare;
  int size = 256;
  int multiple = 16;  // 16 (a patch) or 32 (an even grid, so that no merged token is lost; spec section 6)
  // kShort only: the longer side is at most this many times N (the centre is kept), so that a panorama cannot take
  // unbounded time and memory.
  double max_aspect = 4.0;

  friend bool operator==(const ResizeSpec&, const ResizeSpec&) = default;
};

// "short:512", "square:256", "fit:384", "none", each optionally with "/32" to ask for multiples of 32, e.g.
// "short:512/32". Throws kInvalidArgument with the accepted forms.
ResizeSpec parse_resize_spec(std::string_view text);
std::string to_string(const ResizeSpec& spec);

struct ImageSize {
  int width = 0;
  int height = 0;
  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

// The size prepare_image() returns for an upright picture of this size.
ImageSize prepared_size(int width, int height, const ResizeSpec& spec);

// The part of an upright picture of this size that prepare_image() keeps, as fractions of its width and height.
struct ImagePart {
  double x = 0;
  double y = 0;
  double width = 1;
  double height = 1;
  friend bool operator==(const ImagePart&, const ImagePart&) = default;
};
ImagePart prepared_part(int width, int height, const ResizeSpec& spec);

// A decoder that may reduce the picture must leave at least this many times the pixels, per side, that the result has.
inline constexpr double kDecodeReserve = 1.0;

// Shorter side that a decoder must deliver for this spec (DecodeOptions::min_short_side); 0 = decode in full.
int min_decode_short_side(int width, int height, const ResizeSpec& spec);

// Crop and resize to prepared_size(). Throws kInvalidArgument for kNone with a side that is no multiple.
Image prepare_image(const Image& image, const ResizeSpec& spec);

// What indexing and queries use: probe, decode no larger than the spec needs, prepare. The result has the
// prepared_size() of the file's own dimensions whatever reduction the decoder chose (preparing a reduced picture by
// hand may round to another size). Throws what decode_image() and prepare_image() throw.
Image decode_prepared(std::span<const std::uint8_t> bytes, const std::string& name, const ResizeSpec& spec,
                      const ImageLimits& limits = {}, ImageInfo* info = nullptr);

}  // namespace tessera
