// Bounds-checked access to a TIFF structure in memory, as EXIF data is one (EXIF 2.32, section 4.6; TIFF 6.0).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tessera {

// One entry of an image file directory; its bytes are inside the structure.
struct TiffEntry {
  std::uint16_t tag = 0;
  std::uint16_t type = 0;
  std::uint32_t count = 0;  // of values
  std::size_t offset = 0;   // of the first value
};

class TiffBytes {
 public:
  // "II*\0" or "MM\0*", with or without "Exif\0\0" before it. Nothing if it is neither.
  static std::optional<TiffBytes> open(std::span<const std::uint8_t> bytes) noexcept;

  std::size_t first_directory() const noexcept { return first_directory_; }
  // 0 if the directory is not inside.
  int entry_count(std::size_t directory) const noexcept;
  // Nothing if the entry or its values are not inside, or its type is unknown.
  std::optional<TiffEntry> entry(std::size_t directory, int index) const noexcept;

  // `index` < count of the entry; nothing for a type that is no whole number.
  std::optional<std::uint32_t> integer(const TiffEntry& entry, std::uint32_t index = 0) const noexcept;
  // Whole numbers and fractions; nothing for a fraction without denominator.
  std::optional<double> number(const TiffEntry& entry, std::uint32_t index = 0) const noexcept;
  // ASCII up to its first zero byte, at most `most` bytes; empty for other types.
  std::string text(const TiffEntry& entry, std::size_t most) const;

 private:
  TiffBytes(std::span<const std::uint8_t> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}
  std::optional<std::uint32_t> read(std::size_t offset, std::size_t count) const noexcept;

  std::span<const std::uint8_t> bytes_;
  bool big_endian_;
  std::size_t first_directory_ = 0;
};

}  // namespace tessera
