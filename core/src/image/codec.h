// What every image codec of this folder provides, and the checks they share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tessera/error.h"
#include "tessera/image.h"

namespace tessera::codec {

// A file in memory and what the caller asks of its decoder. Bytes and name must outlive it.
struct Source {
  std::span<const std::uint8_t> bytes;
  const std::string& name;
  ImageLimits limits;
  int min_short_side = 0;

  // Throws Error "<name>: <reason>".
  [[noreturn]] void fail(ErrorCode code, std::string_view reason) const;
  // kDamaged for an empty picture, kLimit for more than max_pixels.
  void check_size(std::uint64_t width, std::uint64_t height) const;
  // kLimit if a decode that allocates this much is not allowed.
  void check_memory(std::uint64_t bytes_needed) const;
};

// An upright picture; it shows width * numerator / 8 x height * numerator / 8 of the full-size pixel grid, rounded up
// to whole pixels.
struct Decoded {
  Image image;
  int scale_eighths = 8;
};

// Bytes that the finished picture takes: one RGB copy, a second one while it is turned upright.
std::uint64_t output_bytes(std::uint64_t width, std::uint64_t height, int orientation) noexcept;

// Size after applying the orientation.
void set_upright_size(ImageInfo& info, int stored_width, int stored_height, int orientation) noexcept;

// probe_*: header only. decode_*: the picture; both throw as image.h says.
ImageInfo probe_jpeg(const Source& source);
Decoded decode_jpeg(const Source& source);
ImageInfo probe_png(const Source& source);
Decoded decode_png(const Source& source);
ImageInfo probe_webp(const Source& source);
Decoded decode_webp(const Source& source);
ImageInfo probe_tiff(const Source& source);
Decoded decode_tiff(const Source& source);
ImageInfo probe_gif(const Source& source);
Decoded decode_gif(const Source& source);
ImageInfo probe_bmp(const Source& source);
Decoded decode_bmp(const Source& source);
ImageInfo probe_pnm(const Source& source);
Decoded decode_pnm(const Source& source);

// Dispatch by the first bytes.
ImageInfo probe(const Source& source);
Decoded decode(const Source& source, ImageInfo* info);

}  // namespace tessera::codec
