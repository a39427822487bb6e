// EXIF data of a photo: camera, lens, exposure, time and place, read from hostile files without risk.
//
// Thread rule: pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tessera {

// What is absent, damaged or makes no sense (a fraction without denominator, a 13th month, a latitude of 100) is empty.
// Texts are valid UTF-8 without control characters, at most 256 bytes.
struct ExifData {
  int orientation = 1;  // 1..8
  std::string make;     // "NIKON CORPORATION"
  std::string model;    // "NIKON D750"
  std::string lens;     // LensModel
  std::string software;
  std::string artist;
  std::string copyright;
  std::string description;
  // "2024-05-17 14:03:22", or with the fraction of a second that the camera noted, "2024-05-17 14:03:22.25": its local
  // time, which sorts as text. DateTimeOriginal, else DateTimeDigitized, else DateTime.
  std::string date_taken;
  std::string utc_offset;  // of date_taken, "+02:00"
  std::optional<double> exposure_seconds;
  std::optional<double> f_number;
  std::optional<int> iso;
  std::optional<double> exposure_bias;  // EV
  std::optional<double> focal_length;   // mm
  std::optional<int> focal_length_35mm;
  std::optional<bool> flash_fired;
  std::optional<double> latitude;   // degrees, north positive; there only together with longitude
  std::optional<double> longitude;  // degrees, east positive
  std::optional<double> altitude;   // metres above the sea

  friend bool operator==(const ExifData&, const ExifData&) = default;
};

// The EXIF block (a TIFF structure, with or without "Exif\0\0" before it) of a whole JPEG, PNG or WebP file; a TIFF
// file is one itself. Empty if there is none. Never reads outside the span.
std::span<const std::uint8_t> find_exif(std::span<const std::uint8_t> file) noexcept;

// Reads an EXIF block (EXIF 2.32, section 4.6). Never fails: what cannot be read is left empty.
ExifData parse_exif(std::span<const std::uint8_t> exif);

// parse_exif(find_exif(file)).
ExifData read_exif(std::span<const std::uint8_t> file);

// "1/250 s", "0.6 s", "30 s".
std::string exposure_time_text(double seconds);
// Make and model without saying the maker twice: "NIKON D750", "Canon EOS R5", "Apple iPhone 13".
std::string camera_text(const ExifData& exif);
// "48.20849, 16.37208"; empty without a place.
std::string place_text(const ExifData& exif);

}  // namespace tessera
