// Orientation from the first image file directory of EXIF data (EXIF 2.32, section 4.6).
#include "image/exif.h"

#include "image/tiff_bytes.h"

namespace tessera {

int exif_orientation(std::span<const std::uint8_t> exif) noexcept {
  constexpr std::uint16_t kOrientationTag = 0x0112;
  const auto tiff = TiffBytes::open(exif);
  if (!tiff) return 1;
  const int entries = tiff->entry_count(tiff->first_directory());
  for (int i = 0; i < entries; ++i) {
    const auto entry = tiff->entry(tiff->first_directory(), i);
    if (!entry || entry->tag != kOrientationTag) continue;
    const auto value = tiff->integer(*entry);
    return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

}  // namespace tessera
