// When a photo was taken.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tessera::ingest {

// ImageRecord::taken of a file's bytes.
std::optional<std::int64_t> date_taken(std::span<const std::uint8_t> file);

// Of ExifData::date_taken.
std::optional<std::int64_t> clock_seconds(std::string_view date);

}  // namespace tessera::ingest
