// Decoded pictures: reading image files into upright 8-bit sRGB with limits that hold against hostile input.
//
// Thread rule: every function may be called from any thread at the same time; an Image belongs to its owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tessera {

// 8-bit sRGB, rows top to bottom without padding, channels interleaved R, G, B: rgb.size() == 3 * width * height.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

enum class ImageFormat { kUnknown, kJpeg, kPng, kWebp, kTiff, kBmp, kPnm, kGif };

// "jpeg", "png", ...; "unknown" for kUnknown.
const char* image_format_name(ImageFormat format) noexcept;

// Format by the first bytes of the file; never by its name.
ImageFormat detect_image_format(std::span<const std::uint8_t> head) noexcept;

// True for the file name extensions that indexing looks at (case-insensitive): jpg jpeg jpe jfif png webp tif tiff
// bmp dib ppm pgm pbm pnm gif.
bool has_image_extension(const std::filesystem::path& path);

struct ImageLimits {
  std::uint64_t max_pixels = 512'000'000;            // width x height from the header, before anything is decoded
  std::uint64_t max_bytes = std::uint64_t{3} << 30;  // estimate of everything the decode allocates
  std::uint64_t max_file_bytes = std::uint64_t{2} << 30;
};

// What the header says, before decoding. Width and height are those of the upright picture (orientation applied).
struct ImageInfo {
  ImageFormat format = ImageFormat::kUnknown;
  int width = 0;
  int height = 0;
  int orientation = 1;  // EXIF 1..8
  int bits = 8;         // per channel
  int channels = 3;
  bool has_alpha = false;
  bool has_icc = false;
};

struct DecodeOptions {
  ImageLimits limits;
  // If > 0 the decoder may return a smaller picture whose shorter side is still >= this many pixels (JPEG: DCT
  // scaling by n/8; others: full size). 0 = full size.
  int min_short_side = 0;
};

// All throw Error naming `name` (a path for messages): kUnsupported for an unknown format or variant, kDamaged for a
// truncated or contradictory file (a partly decoded picture is never returned), kLimit for a limit.
ImageInfo probe_image(std::span<const std::uint8_t> bytes, const std::string& name, const ImageLimits& limits = {});

// Upright (EXIF orientation applied), alpha composited on white, embedded ICC profile converted to sRGB, 16 bit
// reduced to 8, grey, palette and CMYK expanded to RGB; first frame or page of a sequence. If `info` is not null it
// receives what probe_image() would have said.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, const DecodeOptions& options = {},
                   ImageInfo* info = nullptr);

// The file's bytes; throws kNotFound, kIo, kLimit (max_file_bytes).
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::uint64_t max_bytes = UINT64_MAX);

// read_file + decode_image.
Image load_image(const std::filesystem::path& path, const DecodeOptions& options = {}, ImageInfo* info = nullptr);

// The rectangle [x, x+width) x [y, y+height); throws kInvalidArgument if it is empty or not inside the image.
Image crop_image(const Image& image, int x, int y, int width, int height);

// JPEG or PNG file by the name's extension (.jpg .jpeg .png), written whole or not at all (temporary file + rename).
void write_image(const std::filesystem::path& path, const Image& image, int jpeg_quality = 90);
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality = 90);

}  // namespace tessera
