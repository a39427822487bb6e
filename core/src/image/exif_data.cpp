// The fields of EXIF data that a person reads: three directories, each walked once.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>

#include "image/exif.h"
#include "image/tiff_bytes.h"
#include "tessera/exif.h"
#include "tessera/text.h"

namespace tessera {
namespace {

constexpr std::size_t kMostText = 256;

// Dates of one directory walk; which of them is used is decided at the end.
struct Dates {
  std::string date;
  std::string fraction;
  std::string offset;
};

std::string clean_text(const TiffBytes& tiff, const TiffEntry& entry) {
  std::string text = to_valid_utf8(tiff.text(entry, kMostText));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, ' ');
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  text = text.substr(first, text.find_last_not_of(' ') - first + 1);
  // U+FFFD takes three bytes where a wrong byte took one.
  std::size_t size = std::min(text.size(), kMostText);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
  return text;
}

std::optional<double> in_range(std::optional<double> value, double least, double most) {
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = 10 * value + (text[i] - '0');
  }
  return value;
}

// "2024:05:17 14:03:22" with one of many separators that cameras write; empty if it is no date.
std::string iso_date(std::string_view text) {
  constexpr std::size_t kLength = 19;
  if (text.size() < kLength) return {};
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return {};
  constexpr std::array<int, 12> kDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (*year < 1 || *month < 1 || *month > 12 || *day < 1 || *day > kDays[static_cast<std::size_t>(*month - 1)] ||
      *hour > 23 || *minute > 59 || *second > 60) {
    return {};
  }
  if (*month == 2 && *day == 29 && (*year % 4 != 0 || (*year % 100 == 0 && *year % 400 != 0))) return {};
  std::string date(text.substr(0, kLength));
  date[4] = date[7] = '-';
  date[10] = ' ';
  date[13] = date[16] = ':';
  return date;
}

std::string fraction_of(const std::string& text) {
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; });
  return std::string(text.begin(), std::min(end, text.begin() + std::min<std::ptrdiff_t>(9, std::ssize(text))));
}

std::string offset_of(const std::string& text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return {};
  const auto hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
  return hours && minutes && *hours <= 15 && *minutes <= 59 ? text : std::string();
}

class Reader {
 public:
  explicit Reader(const TiffBytes& tiff) : tiff_(tiff) {}

  ExifData read() {
    walk(tiff_.first_directory(), [this](const TiffEntry& entry) { main_entry(entry); });
    if (exif_directory_ != 0) walk(exif_directory_, [this](const TiffEntry& entry) { photo_entry(entry); });
    if (gps_directory_ != 0) walk(gps_directory_, [this](const TiffEntry& entry) { gps_entry(entry); });
    choose_date();
    place();
    return std::move(data_);
  }

 private:
  void walk(std::size_t directory, const std::function<void(const TiffEntry&)>& visit) const {
    const int entries = tiff_.entry_count(directory);
    for (int i = 0; i < entries; ++i) {
      if (const auto entry = tiff_.entry(directory, i)) visit(*entry);
    }
  }

  std::string text(const TiffEntry& entry) const { return clean_text(tiff_, entry); }

  void main_entry(const TiffEntry& entry) {
    switch (entry.tag) {
      case 0x010E: data_.description = text(entry); break;
      case 0x010F: data_.make = text(entry); break;
      case 0x0110: data_.model = text(entry); break;
      case 0x0131: data_.software = text(entry); break;
      case 0x0132: changed_.date = text(entry); break;
      case 0x013B: data_.artist = text(entry); break;
      case 0x8298: data_.copyright = text(entry); break;
      case 0x8769: exif_directory_ = tiff_.integer(entry).value_or(0); break;
      case 0x8825: gps_directory_ = tiff_.integer(entry).value_or(0); break;
      default: break;
    }
  }

  void photo_entry(const TiffEntry& entry) {
    switch (entry.tag) {
      case 0x829A: data_.exposure_seconds = in_range(tiff_.number(entry), 1e-7, 1e6); break;
      case 0x829D: data_.f_number = in_range(tiff_.number(entry), 0.1, 1000); break;
      case 0x8827: set_iso(entry, false); break;
      case 0x8832: set_iso(entry, true); break;
      case 0x9003: original_.date = text(entry); break;
      case 0x9004: digitized_.date = text(entry); break;
      case 0x9010: changed_.offset = text(entry); break;
      case 0x9011: original_.offset = text(entry); break;
      case 0x9012: digitized_.offset = text(entry); break;
      case 0x9204: data_.exposure_bias = in_range(tiff_.number(entry), -100, 100); break;
      case 0x9209:
        if (const auto flash = tiff_.integer(entry)) data_.flash_fired = (*flash & 1) != 0;
        break;
      case 0x920A: data_.focal_length = in_range(tiff_.number(entry), 0.01, 1e5); break;
      case 0x9290: changed_.fraction = text(entry); break;
      case 0x9291: original_.fraction = text(entry); break;
      case 0x9292: digitized_.fraction = text(entry); break;
      case 0xA405:
        if (const auto length = in_range(tiff_.number(entry), 1, 1e5)) {
          data_.focal_length_35mm = static_cast<int>(*length);
        }
        break;
      case 0xA434: data_.lens = text(entry); break;
      default: break;
    }
  }

  // The 16 bits of the first tag end at 65535, which then means "see RecommendedExposureIndex".
  void set_iso(const TiffEntry& entry, bool recommended) {
    constexpr std::uint32_t kSeeOther = 65535;
    const auto value = tiff_.integer(entry);
    if (!value || *value == 0 || *value > 100'000'000 || (!recommended && *value == kSeeOther)) return;
    if (!data_.iso || !recommended) data_.iso = static_cast<int>(*value);
  }

  void gps_entry(const TiffEntry& entry) {
    switch (entry.tag) {
      case 1: latitude_ref_ = text(entry); break;
      case 2: latitude_ = degrees(entry); break;
      case 3: longitude_ref_ = text(entry); break;
      case 4: longitude_ = degrees(entry); break;
      case 5: below_sea_ = tiff_.integer(entry) == 1u; break;
      case 6: data_.altitude = in_range(tiff_.number(entry), 0, 1e6); break;
      default: break;
    }
  }

  std::optional<double> degrees(const TiffEntry& entry) const {
    const auto degrees = tiff_.number(entry, 0);
    if (!degrees || entry.count < 3) return degrees;
    return *degrees + tiff_.number(entry, 1).value_or(0) / 60 + tiff_.number(entry, 2).value_or(0) / 3600;
  }

  void choose_date() {
    for (const Dates* dates : {&original_, &digitized_, &changed_}) {
      data_.date_taken = iso_date(dates->date);
      if (data_.date_taken.empty()) continue;
      const std::string fraction = fraction_of(dates->fraction);
      if (!fraction.empty()) data_.date_taken += "." + fraction;
      data_.utc_offset = offset_of(dates->offset);
      return;
    }
  }

  void place() {
    if (below_sea_ && data_.altitude) data_.altitude = -*data_.altitude;
    const bool south = latitude_ref_ == "S", west = longitude_ref_ == "W";
    if ((!south && latitude_ref_ != "N") || (!west && longitude_ref_ != "E")) return;
    const auto latitude = in_range(latitude_, 0, 90), longitude = in_range(longitude_, 0, 180);
    if (!latitude || !longitude) return;
    data_.latitude = south ? -*latitude : *latitude;
    data_.longitude = west ? -*longitude : *longitude;
  }

  const TiffBytes& tiff_;
  ExifData data_;
  Dates original_, digitized_, changed_;
  std::size_t exif_directory_ = 0;
  std::size_t gps_directory_ = 0;
  std::string latitude_ref_, longitude_ref_;
  std::optional<double> latitude_, longitude_;
  bool below_sea_ = false;
};

std::string decimal(double value, int places) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", places, value);
  std::string result(text.data(), static_cast<std::size_t>(std::clamp(length, 0, 63)));
  if (places == 1 && result.ends_with(".0")) result.resize(result.size() - 2);
  return result;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((text[i] | 0x20) != (word[i] | 0x20)) return false;
  }
  return text.size() == word.size() || text[word.size()] == ' ';
}

}  // namespace

ExifData parse_exif(std::span<const std::uint8_t> exif) {
  const auto tiff = TiffBytes::open(exif);
  if (!tiff) return {};
  ExifData data = Reader(*tiff).read();
  data.orientation = exif_orientation(exif);
  return data;
}

ExifData read_exif(std::span<const std::uint8_t> file) { return parse_exif(find_exif(file)); }

std::string exposure_time_text(double seconds) {
  if (!(seconds > 0)) return {};
  // From 0.3 s on cameras say tenths of a second.
  if (seconds < 0.29) return "1/" + decimal(1 / seconds, 0) + " s";
  return decimal(seconds, 1) + " s";
}

std::string camera_text(const ExifData& exif) {
  const std::string maker = exif.make.substr(0, exif.make.find(' '));
  if (exif.model.empty()) return exif.make;
  if (maker.empty() || starts_with_word(exif.model, maker)) return exif.model;
  return maker + " " + exif.model;
}

std::string place_text(const ExifData& exif) {
  if (!exif.latitude || !exif.longitude) return {};
  return decimal(*exif.latitude, 5) + ", " + decimal(*exif.longitude, 5);
}

}  // namespace tessera
