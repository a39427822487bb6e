// EXIF fields: files as Pillow writes them, hand-made blocks, damaged and hostile bytes.
#include <gtest/gtest.h>

#include <random>

#include "image_files.h"
#include "tessera/exif.h"
#include "tessera/text.h"
#include "test_paths.h"

namespace tessera::test {
namespace {

const std::filesystem::path kPictures = test::data_dir() / "images";

Bytes little(std::uint64_t value, int count) {
  Bytes out;
  for (int i = 0; i < count; ++i) out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  return out;
}

// One value of an entry, at its place in a little-endian block.
struct Field {
  std::uint32_t tag;
  std::uint16_t type;
  std::uint32_t count;
  Bytes value;
};
Field ascii(std::uint32_t tag, const std::string& text) {
  Bytes value = text_bytes(text);
  value.push_back(0);
  return {tag, 2, static_cast<std::uint32_t>(value.size()), value};
}
Field rational(std::uint32_t tag, std::uint32_t above, std::uint32_t below, std::uint16_t type = 5) {
  return {tag, type, 1, concat({little(above, 4), little(below, 4)})};
}
Field degrees(std::uint32_t tag, std::uint32_t whole) {
  return {tag, 5, 3, concat({little(whole, 4), little(1, 4), little(30, 4), little(1, 4), little(0, 4), little(0, 4)})};
}
Field whole(std::uint32_t tag, std::uint16_t type, std::uint32_t value) {
  return {tag, type, 1, little(value, type == 3 ? 2 : 4)};
}

// Directory 0 with pointers to a camera and a place directory; values go to the end.
Bytes make_block(std::vector<Field> main, const std::vector<Field>& camera, const std::vector<Field>& place) {
  const auto bytes_of = [](std::size_t entries) { return 2 + 12 * entries + 4; };
  const std::size_t camera_at = 8 + bytes_of(main.size() + 2);
  const std::size_t place_at = camera_at + bytes_of(camera.size());
  std::size_t values_at = place_at + bytes_of(place.size());
  main.push_back(whole(0x8769, 4, static_cast<std::uint32_t>(camera_at)));
  main.push_back(whole(0x8825, 4, static_cast<std::uint32_t>(place_at)));
  Bytes block = concat({text_bytes("II"), little(42, 2), little(8, 4)}), values;
  for (const auto& fields : {main, camera, place}) {
    block = concat({block, little(fields.size(), 2)});
    for (const Field& field : fields) {
      Bytes value = field.value;
      if (value.size() > 4) {
        value = little(values_at, 4);
        values_at += field.value.size();
        values = concat({values, field.value});
      }
      value.resize(4);
      block = concat({block, little(field.tag, 2), little(field.type, 2), little(field.count, 4), value});
    }
    block = concat({block, little(0, 4)});
  }
  return concat({block, values});
}

TEST(ExifData, FilesOfThreeFormats) {
  for (const char* name : {"details.jpg", "details.png", "details.webp"}) {
    const ExifData exif = read_exif(read_file(kPictures / name));
    EXPECT_EQ(exif.make, "NIKON CORPORATION") << name;
    EXPECT_EQ(exif.model, "NIKON D750") << name;
    EXPECT_EQ(exif.lens, "85.0 mm f/1.8") << name;
    EXPECT_EQ(exif.software, "Ver.1.10") << name;
    EXPECT_EQ(exif.artist, "J. Example") << name;
    EXPECT_EQ(exif.description, "A garden in May") << name;
    EXPECT_EQ(exif.date_taken, "2024-05-17 14:03:22.25") << name;
    EXPECT_EQ(exif.utc_offset, "+02:00") << name;
    EXPECT_DOUBLE_EQ(exif.exposure_seconds.value_or(0), 1.0 / 250) << name;
    EXPECT_DOUBLE_EQ(exif.f_number.value_or(0), 2.8) << name;
    EXPECT_EQ(exif.iso, 6400) << name;
    EXPECT_NEAR(exif.exposure_bias.value_or(0), -2.0 / 3, 1e-12) << name;
    EXPECT_EQ(exif.focal_length, 85) << name;
    EXPECT_EQ(exif.focal_length_35mm, 85) << name;
    EXPECT_EQ(exif.flash_fired, false) << name;
    EXPECT_NEAR(exif.latitude.value_or(0), 48.2085, 1e-9) << name;
    EXPECT_NEAR(exif.longitude.value_or(0), -16.372083333, 1e-9) << name;
    EXPECT_NEAR(exif.altitude.value_or(0), 171.3, 1e-9) << name;
    EXPECT_EQ(camera_text(exif), "NIKON D750") << name;
    EXPECT_EQ(place_text(exif), "48.20850, -16.37208") << name;
  }
}

TEST(ExifData, TiffFileIsItsOwnBlock) {
  const ExifData exif = read_exif(read_file(kPictures / "details.tif"));
  EXPECT_EQ(exif.model, "NIKON D750");
  EXPECT_EQ(exif.description, "A garden in May");
  EXPECT_EQ(exif.date_taken, "2025-01-01 00:00:00");
}

TEST(ExifData, FilesWithoutIt) {
  for (const char* name : {"photo.png", "baseline.jpg", "lossless.webp", "photo.gif", "palette.bmp"}) {
    EXPECT_EQ(read_exif(read_file(kPictures / name)), ExifData{}) << name;
  }
  EXPECT_EQ(read_exif(read_file(kPictures / "orientation_6.jpg")).orientation, 6);
  EXPECT_EQ(read_exif({}), ExifData{});
}

TEST(ExifData, ValuesThatMakeNoSenseAreEmpty) {
  const ExifData exif = parse_exif(
      make_block({ascii(0x010F, "   "), ascii(0x0132, "2024:02:30 10:00:00")},
                 {rational(0x829A, 1, 0), rational(0x829D, 0, 0), rational(0x920A, 0, 1), whole(0x8827, 3, 0),
                  ascii(0x9003, "0000:00:00 00:00:00"), ascii(0x9004, "    :  :     :  :  "), whole(0xA405, 3, 0)},
                 {ascii(1, "N"), degrees(2, 100), ascii(3, "E"), degrees(4, 20), rational(6, 5, 0)}));
  EXPECT_EQ(exif, ExifData{});
}

TEST(ExifData, DatesFallBackAndKeepTheirOwnFraction) {
  const auto date = [](const std::vector<Field>& camera) {
    return parse_exif(make_block({ascii(0x0132, "2020:12:31 23:59:60")}, camera, {})).date_taken;
  };
  EXPECT_EQ(date({}), "2020-12-31 23:59:60");
  EXPECT_EQ(date({ascii(0x9004, "2019:02:28 01:02:03"), ascii(0x9291, "77")}), "2019-02-28 01:02:03");
  EXPECT_EQ(date({ascii(0x9003, "2024-02-29T01:02:03"), ascii(0x9291, "077 ")}), "2024-02-29 01:02:03.077");
  EXPECT_EQ(date({ascii(0x9003, "2023:02:29 01:02:03")}), "2020-12-31 23:59:60");
  EXPECT_EQ(date({ascii(0x9003, "2023:13:01 01:02:03")}), "2020-12-31 23:59:60");
  EXPECT_EQ(date({ascii(0x9003, "2023:01:01 24:02:03")}), "2020-12-31 23:59:60");
}

TEST(ExifData, SignsOfPlaces) {
  const Field below{5, 1, 1, {1}};
  const ExifData exif = parse_exif(
      make_block({}, {}, {ascii(1, "S"), degrees(2, 33), ascii(3, "W"), degrees(4, 70), below, rational(6, 430, 1)}));
  EXPECT_EQ(exif.latitude, -33.5);
  EXPECT_EQ(exif.longitude, -70.5);
  EXPECT_EQ(exif.altitude, -430);
  const ExifData half = parse_exif(make_block({}, {}, {ascii(1, "S"), degrees(2, 33)}));
  EXPECT_FALSE(half.latitude || half.longitude);
}

TEST(ExifData, HighSensitivitiesAreInTheOtherTag) {
  const auto iso = [](const std::vector<Field>& camera) { return parse_exif(make_block({}, camera, {})).iso; };
  EXPECT_EQ(iso({whole(0x8827, 3, 65535), whole(0x8832, 4, 102400)}), 102400);
  EXPECT_EQ(iso({whole(0x8827, 3, 200), whole(0x8832, 4, 160)}), 200);
  EXPECT_EQ(iso({whole(0x8832, 4, 160), whole(0x8827, 3, 200)}), 200);
}

TEST(ExifData, TextsAreCleanUtf8) {
  const ExifData exif =
      parse_exif(make_block({ascii(0x010F,
                                   "A\x01\xFF"
                                   "B\n"),
                             ascii(0x0110, std::string(5000, '\xFE')), ascii(0x013B, " J. Gr\xC3\xBCn ")},
                            {}, {}));
  EXPECT_EQ(exif.make,
            "A \xEF\xBF\xBD"
            "B");
  EXPECT_EQ(exif.artist, "J. Gr\xC3\xBCn");
  EXPECT_LE(exif.model.size(), 256u);
  EXPECT_TRUE(is_valid_utf8(exif.model));
}

TEST(ExifData, DamagedBytesNeverReadOutside) {
  std::mt19937 random(5);
  for (const char* name : {"details.jpg", "details.png", "details.webp", "details.tif"}) {
    const Bytes file = read_file(kPictures / name);
    for (std::size_t size = 0; size < file.size(); size += 3) {
      const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      read_exif(cut);
    }
    const auto block = find_exif(file);
    const auto start = static_cast<std::size_t>(block.data() - file.data());
    for (int round = 0; round < 5000; ++round) {
      Bytes bytes = file;
      for (int i = 0; i < 4; ++i) {
        const std::size_t at = round % 4 == 0 ? random() % bytes.size() : start + random() % block.size();
        bytes[at] = static_cast<std::uint8_t>(random());
      }
      const ExifData exif = read_exif(bytes);
      EXPECT_TRUE(is_valid_utf8(exif.make) && is_valid_utf8(exif.lens) && is_valid_utf8(exif.date_taken));
      EXPECT_FALSE(exif.latitude && !(*exif.latitude >= -90 && *exif.latitude <= 90));
    }
  }
}

// A directory that names itself as both others is walked three times, not for ever.
TEST(ExifData, DirectoriesThatPointAtThemselves) {
  const Bytes loop = concat({text_bytes("II"), little(42, 2), little(8, 4), little(3, 2),  //
                             little(0x8769, 2), little(4, 2), little(1, 4), little(8, 4),  //
                             little(0x8825, 2), little(4, 2), little(1, 4), little(8, 4),  //
                             little(0x0112, 2), little(3, 2), little(1, 4), little(3, 4), little(8, 4)});
  EXPECT_EQ(parse_exif(loop).orientation, 3);
}

TEST(ExifText, ExposureAndCamera) {
  EXPECT_EQ(exposure_time_text(1.0 / 250), "1/250 s");
  EXPECT_EQ(exposure_time_text(0.25), "1/4 s");
  EXPECT_EQ(exposure_time_text(0.6), "0.6 s");
  EXPECT_EQ(exposure_time_text(30), "30 s");
  EXPECT_EQ(exposure_time_text(0), "");
  const auto camera = [](const char* make, const char* model) {
    ExifData exif;
    exif.make = make;
    exif.model = model;
    return camera_text(exif);
  };
  EXPECT_EQ(camera("Canon", "Canon EOS R5"), "Canon EOS R5");
  EXPECT_EQ(camera("Apple", "iPhone 13"), "Apple iPhone 13");
  EXPECT_EQ(camera("OLYMPUS IMAGING CORP.", "E-M1"), "OLYMPUS E-M1");
  EXPECT_EQ(camera("", "E-M1"), "E-M1");
  EXPECT_EQ(camera("Leica", ""), "Leica");
}

}  // namespace
}  // namespace tessera::test
