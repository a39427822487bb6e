// Bounds-checked access to a TIFF structure in memory.
#include "image/tiff_bytes.h"

#include <algorithm>
#include <array>

namespace tessera {
namespace {

enum Type : std::uint16_t {
  kByte = 1,
  kAscii = 2,
  kShort = 3,
  kLong = 4,
  kRational = 5,
  kUndefined = 7,
  kSignedLong = 9,
  kSignedRational = 10,
};

constexpr std::size_t kEntryBytes = 12;

std::size_t value_bytes(std::uint16_t type) noexcept {
  switch (type) {
    case kByte:
    case kAscii:
    case kUndefined: return 1;
    case kShort: return 2;
    case kLong:
    case kSignedLong: return 4;
    case kRational:
    case kSignedRational: return 8;
    default: return 0;
  }
}

}  // namespace

std::optional<TiffBytes> TiffBytes::open(std::span<const std::uint8_t> bytes) noexcept {
  constexpr std::array<std::uint8_t, 6> kPrefix{'E', 'x', 'i', 'f', 0, 0};
  if (bytes.size() >= kPrefix.size() && std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin())) {
    bytes = bytes.subspan(kPrefix.size());
  }
  if (bytes.size() < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M')) return std::nullopt;
  TiffBytes tiff(bytes, bytes[0] == 'M');
  if (tiff.read(2, 2) != 42u) return std::nullopt;
  tiff.first_directory_ = *tiff.read(4, 4);
  return tiff;
}

std::optional<std::uint32_t> TiffBytes::read(std::size_t offset, std::size_t count) const noexcept {
  if (offset > bytes_.size() || bytes_.size() - offset < count) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | bytes_[offset + (big_endian_ ? i : count - 1 - i)];
  }
  return value;
}

int TiffBytes::entry_count(std::size_t directory) const noexcept {
  return static_cast<int>(read(directory, 2).value_or(0));
}

std::optional<TiffEntry> TiffBytes::entry(std::size_t directory, int index) const noexcept {
  const std::size_t at = directory + 2 + kEntryBytes * static_cast<std::size_t>(index);
  const auto tag = read(at, 2);
  const auto type = read(at + 2, 2);
  const auto count = read(at + 4, 4);
  const auto offset = read(at + 8, 4);
  if (!tag || !type || !count || !offset) return std::nullopt;
  TiffEntry entry{static_cast<std::uint16_t>(*tag), static_cast<std::uint16_t>(*type), *count, 0};
  const std::uint64_t size = std::uint64_t{*count} * value_bytes(entry.type);
  if (size == 0) return std::nullopt;
  entry.offset = size <= 4 ? at + 8 : *offset;
  if (entry.offset > bytes_.size() || bytes_.size() - entry.offset < size) return std::nullopt;
  return entry;
}

std::optional<std::uint32_t> TiffBytes::integer(const TiffEntry& entry, std::uint32_t index) const noexcept {
  switch (entry.type) {
    case kByte:
    case kShort:
    case kLong: {
      const std::size_t size = value_bytes(entry.type);
      return index < entry.count ? read(entry.offset + index * size, size) : std::nullopt;
    }
    default: return std::nullopt;
  }
}

std::optional<double> TiffBytes::number(const TiffEntry& entry, std::uint32_t index) const noexcept {
  if (index >= entry.count) return std::nullopt;
  if (entry.type == kRational || entry.type == kSignedRational) {
    const std::size_t at = entry.offset + std::size_t{index} * 8;
    const auto above = read(at, 4);
    const auto below = read(at + 4, 4);
    if (!above || !below || *below == 0) return std::nullopt;
    if (entry.type == kRational) return double(*above) / double(*below);
    return double(static_cast<std::int32_t>(*above)) / double(static_cast<std::int32_t>(*below));
  }
  if (entry.type == kSignedLong) {
    const auto value = read(entry.offset + std::size_t{index} * 4, 4);
    return value ? std::optional<double>(static_cast<std::int32_t>(*value)) : std::nullopt;
  }
  const auto value = integer(entry, index);
  return value ? std::optional<double>(*value) : std::nullopt;
}

std::string TiffBytes::text(const TiffEntry& entry, std::size_t most) const {
  if (entry.type != kAscii) return {};
  const auto value = bytes_.subspan(entry.offset, std::min<std::size_t>(entry.count, most));
  return std::string(value.begin(), std::find(value.begin(), value.end(), 0));
}

}  // namespace tessera
