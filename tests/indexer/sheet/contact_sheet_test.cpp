// Contact sheets: where pictures and text land, what the page links to, files that cannot be read.
#include "tessera/indexer/contact_sheet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "sheet/font_data.h"
#include "sheet/text_painter.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using Rgb = std::array<int, 3>;

Image plain(int width, int height, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) image.rgb.insert(image.rgb.end(), {red, green, blue});
  return image;
}

Rgb pixel(const Image& image, int x, int y) {
  const std::uint8_t* at = &image.rgb[3 * (std::size_t(y) * image.width + x)];
  return {at[0], at[1], at[2]};
}

int dark_pixels(const Image& image, int x, int y, int width, int height) {
  int count = 0;
  for (int row = y; row < y + height; ++row) {
    for (int column = x; column < x + width; ++column) count += pixel(image, column, row)[0] < 128 ? 1 : 0;
  }
  return count;
}

SheetPicture picture(Image thumbnail, const std::string& path) {
  SheetPicture result;
  result.thumbnail = std::move(thumbnail);
  result.path = path;
  result.caption = std::filesystem::path(path).filename().string();
  result.note = "1   0.943";
  return result;
}

TEST(ContactSheet, LetterboxesThumbnailsInTheGrid) {
  ContactSheet sheet;
  sheet.hits = {picture(plain(100, 50, 255, 0, 0), "/a.jpg"), picture(plain(50, 100, 0, 0, 255), "/b.jpg"), {}};
  SheetStyle style;
  style.thumbnail = 100;
  style.columns = 2;
  const Image image = draw_contact_sheet(sheet, style);
  EXPECT_EQ(image.width, 2 * 116 + 16);
  const Rgb red = {255, 0, 0};
  const Rgb blue = {0, 0, 255};
  EXPECT_EQ(pixel(image, 16 + 50, 16 + 50), red);
  EXPECT_NE(pixel(image, 16 + 50, 16 + 10), red);    // above the wide picture
  EXPECT_EQ(pixel(image, 16, 16 + 30), red);         // its left edge
  EXPECT_EQ(pixel(image, 132 + 50, 16 + 10), blue);  // the high one reaches the top
  EXPECT_NE(pixel(image, 132 + 10, 16 + 50), blue);
  EXPECT_GT(dark_pixels(image, 16, 118, 100, 20), 20);  // the note
}

TEST(ContactSheet, FramesQueriesByWhetherTheyAreWanted) {
  ContactSheet sheet;
  sheet.query = {picture(plain(100, 100, 9, 9, 9), "/q.jpg"), picture(plain(100, 100, 9, 9, 9), "/n.jpg")};
  sheet.query[1].negative = true;
  SheetStyle style;
  style.thumbnail = 100;
  const Image image = draw_contact_sheet(sheet, style);
  EXPECT_EQ(pixel(image, 17, 17), (Rgb{34, 139, 84}));
  EXPECT_EQ(pixel(image, 133, 17), (Rgb{196, 53, 53}));
  EXPECT_EQ(pixel(image, 16 + 50, 16 + 50), (Rgb{9, 9, 9}));
}

TEST(ContactSheet, RefusesStylesOutOfRangeAndGiantSheets) {
  ContactSheet sheet;
  sheet.hits.resize(3);
  EXPECT_THROW(draw_contact_sheet(sheet, {8, 5}), Error);
  EXPECT_THROW(draw_contact_sheet(sheet, {240, 0}), Error);
  EXPECT_THROW(contact_sheet_html(sheet, {240, 21}), Error);
  sheet.hits.resize(100'000);
  try {
    draw_contact_sheet(sheet, {1024, 20});
    FAIL() << "drew a giant sheet";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimit);
  }
}

TEST(ContactSheet, PageEscapesTextAndKeepsEveryByteOfPaths) {
  ContactSheet sheet;
  sheet.title = "<script> & \"co\"";
  sheet.hits = {picture(plain(8, 8, 1, 2, 3), "/photos/caf\xE9 100%.jpg")};
  const std::string page = contact_sheet_html(sheet);
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt; &amp; &quot;co&quot;"), std::string::npos);
  EXPECT_NE(page.find("href=\"file:///photos/caf%E9%20100%25.jpg\""), std::string::npos);
  EXPECT_NE(page.find("src=\"data:image/jpeg;base64,/9j/"), std::string::npos);
  EXPECT_NE(page.find("caf\xEF\xBF\xBD 100%.jpg</div>"), std::string::npos);
}

TEST(Thumbnails, FitTheBoxAndLeaveUnreadableFilesEmpty) {
  const std::filesystem::path dir = std::filesystem::path(testing::TempDir()) / "contact_sheet_test";
  std::filesystem::create_directories(dir);
  write_image(dir / "wide.png", plain(400, 100, 10, 200, 30));
  write_image(dir / "small.png", plain(20, 10, 10, 200, 30));
  std::ofstream(dir / "broken.png") << "no picture";
  const std::vector<std::filesystem::path> paths = {dir / "wide.png", dir / "small.png", dir / "broken.png",
                                                    dir / "absent.png"};
  const std::vector<Image> images = load_thumbnails(paths, 64);
  ASSERT_EQ(images.size(), 4U);
  EXPECT_EQ(images[0].width, 64);
  EXPECT_EQ(images[0].height, 16);
  EXPECT_EQ(images[1].width, 20);
  EXPECT_EQ(images[2].width, 0);
  EXPECT_EQ(images[3].width, 0);
  std::filesystem::remove_all(dir);
}

TEST(TextPainter, ElidesTheMiddleToTheWidth) {
  const TextPainter painter(regular_font(), 15);
  const std::string text = "a_very_long_file_name_of_a_photo_IMG_0001.jpg";
  const std::string elided = painter.elide_middle(text, 150);
  EXPECT_LE(painter.width(elided), 150);
  EXPECT_GT(painter.width(elided), 120);
  EXPECT_TRUE(elided.starts_with("a_v"));
  EXPECT_TRUE(elided.ends_with("0001.jpg"));
  EXPECT_EQ(painter.elide_middle("short", 150), "short");
  EXPECT_LE(painter.width(painter.elide_middle(text, 12)), painter.width("\xE2\x80\xA6"));
}

TEST(TextPainter, DrawsBrokenTextInsideThePictureOnly) {
  const TextPainter painter(bold_font(), 20);
  Image image = plain(40, 20, 255, 255, 255);
  painter.draw(image, -10, -5, "\xFF\xFE\x1b[31m W\xC3\xA9", Color{});
  painter.draw(image, 30, 10, "WWWW", Color{});
  EXPECT_GT(dark_pixels(image, 0, 0, 40, 20), 10);
  EXPECT_EQ(image.rgb.size(), 3U * 40 * 20);
}

}  // namespace
}  // namespace tessera
