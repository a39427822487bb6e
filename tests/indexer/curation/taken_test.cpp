// The date a photo was taken: read when it is indexed, kept with its content.
#include "ingest/taken.h"

#include <gtest/gtest.h>

#include "catalog/sqlite.h"
#include "library_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;

std::string little_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

// A JPEG of the picture with DateTime (tag 0x0132) in its EXIF block.
void write_dated_jpeg(const std::filesystem::path& path, unsigned seed, const std::string& date) {
  write_picture(path, seed);
  const auto bytes = read_file(path);
  std::string tiff = "II*" + std::string(1, '\0') + little_endian(8, 4);
  tiff += little_endian(1, 2) + little_endian(0x0132, 2) + little_endian(2, 2) + little_endian(20, 4);
  tiff += little_endian(26, 4) + little_endian(0, 4) + date + std::string(1, '\0');
  const std::string payload = std::string("Exif\0\0", 6) + tiff;
  std::string file("\xff\xd8\xff\xe1");
  const auto size = static_cast<std::uint32_t>(payload.size() + 2);
  file += std::string{static_cast<char>(size >> 8), static_cast<char>(size)} + payload;
  file.append(bytes.begin() + 2, bytes.end());
  write_text(path, file);
}

TEST(DateTaken, IsWhatTheClockShowed) {
  EXPECT_EQ(ingest::clock_seconds("1970-01-02 00:00:01"), 86'401);
  EXPECT_EQ(ingest::clock_seconds("2024-02-29 23:59:59.25"), 1'709'251'199);
  EXPECT_EQ(ingest::clock_seconds("1950-01-01 00:00:00"), -631'152'000);
  EXPECT_EQ(ingest::clock_seconds("2023-02-29 00:00:00"), std::nullopt);
  EXPECT_EQ(ingest::clock_seconds(""), std::nullopt);
  EXPECT_EQ(ingest::clock_seconds("2024-02-29"), std::nullopt);
}

TEST(DateTaken, IsInTheCatalog) {
  TempDir dir;
  write_dated_jpeg(dir / "photos" / "a.jpg", 1, "2019:07:14 12:30:45");
  write_picture(dir / "photos" / "b.jpg", 2);
  Library library = Library::open(dir / "library", OpenMode::kCreate);
  FakeEncoder encoder;
  ASSERT_TRUE(index(library, {dir / "photos"}, encoder).failed.empty());
  const ImageId a = *library.find_path(dir / "photos" / "a.jpg");
  EXPECT_EQ(library.image(a).taken, ingest::clock_seconds("2019-07-14 12:30:45"));
  EXPECT_FALSE(library.image(*library.find_path(dir / "photos" / "b.jpg")).taken);

  // A picture of a library that knew no dates gets one when its content is met again.
  catalog::Database db(dir / "library" / "catalog.sqlite", catalog::Database::Access::kWrite);
  db.execute("UPDATE images SET taken = NULL");
  std::filesystem::copy_file(dir / "photos" / "a.jpg", dir / "photos" / "copy.jpg");
  EXPECT_EQ(index(library, {dir / "photos"}, encoder).encoded, 0);
  EXPECT_EQ(library.image(a).taken, ingest::clock_seconds("2019-07-14 12:30:45"));
}

}  // namespace
}  // namespace tessera
