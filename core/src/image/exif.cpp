// Bounds-checked walk through the first image file directory of EXIF data (EXIF 2.32, section 4.6).
#include "image/exif.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace tessera {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::uint16_t kTypeShort = 3;
constexpr std::uint16_t kTypeLong = 4;

class TiffBytes {
 public:
  TiffBytes(std::span<const std::uint8_t> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::optional<std::uint32_t> read(std::size_t offset, std::size_t count) const {
    if (offset > bytes_.size() || bytes_.size() - offset < count) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = value << 8 | bytes_[offset + (big_endian_ ? i : count - 1 - i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_endian_;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) noexcept {
  constexpr std::array<std::uint8_t, 6> kPrefix{'E', 'x', 'i', 'f', 0, 0};
  if (exif.size() >= kPrefix.size() && std::equal(kPrefix.begin(), kPrefix.end(), exif.begin())) {
    exif = exif.subspan(kPrefix.size());
  }
  if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M')) return 1;
  const TiffBytes tiff(exif, exif[0] == 'M');
  if (tiff.read(2, 2) != 42u) return 1;
  const std::size_t directory = *tiff.read(4, 4);
  const auto entry_count = tiff.read(directory, 2);
  if (!entry_count) return 1;
  for (std::size_t i = 0; i < *entry_count; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    const auto tag = tiff.read(entry, 2);
    if (!tag) return 1;
    if (*tag != kOrientationTag) continue;
    const auto type = tiff.read(entry + 2, 2);
    const auto value = type == std::uint32_t{kTypeLong} ? tiff.read(entry + 8, 4) : tiff.read(entry + 8, 2);
    if ((type != std::uint32_t{kTypeShort} && type != std::uint32_t{kTypeLong}) || !value) return 1;
    return *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

}  // namespace tessera
