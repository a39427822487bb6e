// The orientation stored in EXIF data; the one EXIF field that changes pixels.
#pragma once

#include <cstdint>
#include <span>

namespace tessera {

// 1..8; 1 if `exif` holds no valid orientation. Accepts a TIFF structure ("II*" / "MM*") with or without the
// "Exif\0\0" that precedes it in JPEG. Never reads outside the span.
int exif_orientation(std::span<const std::uint8_t> exif) noexcept;

}  // namespace tessera
