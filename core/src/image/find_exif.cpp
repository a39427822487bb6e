// Where JPEG, PNG, WebP and TIFF files keep their EXIF data.
#include <cstring>
#include <string_view>

#include "tessera/exif.h"
#include "tessera/image.h"

namespace tessera {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool has_at(Bytes bytes, std::size_t at, std::string_view text) noexcept {
  return at <= bytes.size() && bytes.size() - at >= text.size() &&
         std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

std::size_t big_endian(Bytes bytes, std::size_t at, int count) noexcept {
  std::size_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[at + static_cast<std::size_t>(i)];
  return value;
}

// The first APP1 segment that begins with "Exif", before the first scan.
Bytes in_jpeg(Bytes file) noexcept {
  constexpr std::uint8_t kApp1 = 0xE1, kStartOfScan = 0xDA, kEndOfImage = 0xD9, kTemporary = 0x01;
  for (std::size_t at = 2; at + 4 <= file.size();) {
    const std::uint8_t marker = file[at + 1];
    if (file[at] != 0xFF || marker == 0xFF) {  // fill bytes, or stray ones, which decoders skip as well
      ++at;
      continue;
    }
    if (marker == kStartOfScan || marker == kEndOfImage) break;
    if (marker == 0 || marker == kTemporary || (marker >= 0xD0 && marker <= 0xD8)) {
      at += 2;
      continue;
    }
    const std::size_t length = big_endian(file, at + 2, 2);
    if (length < 2 || file.size() - at - 2 < length) break;
    const Bytes segment = file.subspan(at + 4, length - 2);
    if (marker == kApp1 && has_at(segment, 0, "Exif")) return segment;
    at += 2 + length;
  }
  return {};
}

Bytes in_png(Bytes file) noexcept {
  constexpr std::size_t kSignatureBytes = 8, kChunkOverhead = 12;
  for (std::size_t at = kSignatureBytes; at <= file.size() && file.size() - at >= kChunkOverhead;) {
    const std::size_t length = big_endian(file, at, 4);
    if (file.size() - at - kChunkOverhead < length || has_at(file, at + 4, "IEND")) break;
    if (has_at(file, at + 4, "eXIf")) return file.subspan(at + 8, length);
    at += kChunkOverhead + length;
  }
  return {};
}

Bytes in_webp(Bytes file) noexcept {
  constexpr std::size_t kFileHeader = 12, kChunkHeader = 8;
  for (std::size_t at = kFileHeader; at <= file.size() && file.size() - at >= kChunkHeader;) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length |= std::size_t{file[at + 4 + i]} << 8 * i;
    if (file.size() - at - kChunkHeader < length) break;
    if (has_at(file, at, "EXIF")) return file.subspan(at + kChunkHeader, length);
    at += kChunkHeader + length + (length & 1);
  }
  return {};
}

}  // namespace

std::span<const std::uint8_t> find_exif(std::span<const std::uint8_t> file) noexcept {
  switch (detect_image_format(file)) {
    case ImageFormat::kJpeg: return in_jpeg(file);
    case ImageFormat::kPng: return in_png(file);
    case ImageFormat::kWebp: return in_webp(file);
    case ImageFormat::kTiff: return file;
    default: return {};
  }
}

}  // namespace tessera
