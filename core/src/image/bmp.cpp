// BMP through stb_image, behind a check of our own that the header is plausible and all pixels are there.
#include <cstdlib>
#include <memory>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#include <stb/stb_image.h>

#include <algorithm>
#include <cstring>

#include "image/codec.h"
#include "image/pixel_sink.h"

namespace tessera::codec {
namespace {

constexpr std::uint32_t kFileHeaderBytes = 14;

struct Header {
  std::uint32_t pixels_at = 0;
  std::uint32_t info_bytes = 0;
  int width = 0;
  int height = 0;
  int bits = 0;
};

std::uint32_t little_endian(const Source& source, std::size_t at, int count) {
  if (source.bytes.size() < at + count) source.fail(ErrorCode::kDamaged, "truncated BMP (no header)");
  std::uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | source.bytes[at + i];
  return value;
}

void check_variant(const Source& source, const Header& header, std::uint32_t compression) {
  constexpr std::uint32_t kNone = 0;
  constexpr std::uint32_t kBitFields = 3;
  const bool info_known = header.info_bytes == 12 || header.info_bytes == 40 || header.info_bytes == 56 ||
                          header.info_bytes == 108 || header.info_bytes == 124;
  const bool bits_known = header.bits == 1 || header.bits == 4 || header.bits == 8 || header.bits == 16 ||
                          header.bits == 24 || header.bits == 32;
  if (!info_known || !bits_known) source.fail(ErrorCode::kUnsupported, "BMP variant that is not read");
  if (compression != kNone && !(compression == kBitFields && header.bits >= 16)) {
    source.fail(ErrorCode::kUnsupported, "compressed BMP, which is not read");
  }
}

Header read_header(const Source& source) {
  Header header;
  header.pixels_at = little_endian(source, 10, 4);
  header.info_bytes = little_endian(source, kFileHeaderBytes, 4);
  std::uint32_t compression = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
  if (header.info_bytes == 12) {
    width = little_endian(source, 18, 2);
    height = little_endian(source, 20, 2);
    header.bits = static_cast<int>(little_endian(source, 24, 2));
  } else {
    width = static_cast<std::int32_t>(little_endian(source, 18, 4));
    height = std::abs(std::int64_t{static_cast<std::int32_t>(little_endian(source, 22, 4))});
    header.bits = static_cast<int>(little_endian(source, 28, 2));
    compression = little_endian(source, 30, 4);
  }
  source.check_size(static_cast<std::uint64_t>(std::max<std::int64_t>(width, 0)), static_cast<std::uint64_t>(height));
  check_variant(source, header, compression);
  header.width = static_cast<int>(width);
  header.height = static_cast<int>(height);
  if (header.pixels_at < kFileHeaderBytes + header.info_bytes) {
    source.fail(ErrorCode::kDamaged, "damaged BMP (its pixels overlap its header)");
  }
  // stb_image fills what is missing with zeros; rows take whole 32-bit words.
  const std::uint64_t row_bytes = (std::uint64_t(width) * header.bits + 31) / 32 * 4;
  if (source.bytes.size() < header.pixels_at + row_bytes * std::uint64_t(height)) {
    source.fail(ErrorCode::kDamaged, "truncated BMP (premature end of data)");
  }
  return header;
}

}  // namespace

ImageInfo probe_bmp(const Source& source) {
  const Header header = read_header(source);
  ImageInfo info;
  info.format = ImageFormat::kBmp;
  info.width = header.width;
  info.height = header.height;
  info.has_alpha = header.bits == 32 && header.info_bytes >= 56;
  info.channels = info.has_alpha ? 4 : 3;
  return info;
}

Decoded decode_bmp(const Source& source) {
  const Header header = read_header(source);
  source.check_memory(output_bytes(header.width, header.height, 1) + std::uint64_t(header.width) * header.height * 4);
  int width = 0;
  int height = 0;
  int channels = 0;
  constexpr int kRgba = 4;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load_from_memory(source.bytes.data(),
                            static_cast<int>(std::min<std::size_t>(source.bytes.size(), INT32_MAX)), &width, &height,
                            &channels, kRgba),
      &stbi_image_free);
  if (!pixels || width != header.width || height != header.height) {
    const char* reason = stbi_failure_reason();
    source.fail(ErrorCode::kDamaged, "damaged BMP (" + std::string(reason ? reason : "bad header") + ")");
  }
  PixelSink sink(width, height, PixelFormat::kRgba);
  const std::size_t stride = static_cast<std::size_t>(width) * kRgba;
  for (int y = 0; y < height; ++y) {
    std::copy_n(pixels.get() + y * stride, stride, sink.row(y));
    sink.commit(y);
  }
  return {std::move(sink).finish(1)};
}

}  // namespace tessera::codec
