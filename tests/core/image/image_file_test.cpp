// Files on disk: reading with every kind of failure, writing whole or not at all, cropping, decode_prepared.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "image_files.h"
#include "tessera/error.h"
#include "tessera/image.h"
#include "tessera/resize.h"

namespace tessera::test {
namespace {

namespace fs = std::filesystem;

class ImageFile : public ::testing::Test {
 protected:
  ImageFile() {
    std::string name = (fs::temp_directory_path() / "tessera-image-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~ImageFile() override {
    std::error_code ignored;
    fs::permissions(folder_, fs::perms::owner_all, ignored);
    fs::remove_all(folder_, ignored);
  }
  std::size_t file_count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static ErrorCode code_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  }
  fs::path folder_;
};

TEST_F(ImageFile, ReadFileReturnsTheBytes) {
  const Bytes bytes = noise(100, 100, 1).rgb;
  std::ofstream(folder_ / "a")
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  EXPECT_EQ(read_file(folder_ / "a"), bytes);
  EXPECT_EQ(read_file(folder_ / "a", bytes.size()), bytes);
  std::ofstream(folder_ / "empty");
  EXPECT_TRUE(read_file(folder_ / "empty").empty());
  EXPECT_EQ(code_of([&] { read_file(folder_ / "a", bytes.size() - 1); }), ErrorCode::kLimit);
}

TEST_F(ImageFile, ReadFileRefusesWhatIsNoFile) {
  EXPECT_EQ(code_of([&] { read_file(folder_ / "missing.jpg"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { read_file(folder_); }), ErrorCode::kIo);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { read_file(folder_ / "pipe"); }), ErrorCode::kIo);  // and does not wait
  try {
    load_image(folder_ / "missing.jpg");
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("missing.jpg"), std::string::npos);
  }
}

TEST_F(ImageFile, WriteAndLoadWithAnyName) {
  const Image image = gradient(31, 22);
  const fs::path odd = folder_ / "\xFF\xFE not utf-8.PNG";
  write_image(odd, image);
  EXPECT_EQ(load_image(odd).rgb, image.rgb);
  write_image(folder_ / "a.jpeg", image, 95);
  const Image jpeg = load_image(folder_ / "a.jpeg");
  for (std::size_t i = 0; i < image.rgb.size(); ++i) ASSERT_NEAR(jpeg.rgb[i], image.rgb[i], 12);
  EXPECT_EQ(file_count(), 2u);
}

TEST_F(ImageFile, FailedWriteLeavesNothingAndKeepsTheOldFile) {
  const Image image = gradient(8, 8);
  write_image(folder_ / "a.png", image);
  EXPECT_EQ(code_of([&] { write_image(folder_ / "a.gif", image); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { write_image(folder_ / "none" / "a.png", image); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { write_image(folder_ / "a.png", Image{}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { write_image(folder_ / "a.jpg", image, 0); }), ErrorCode::kInvalidArgument);
  fs::create_directory(folder_ / "b.png");
  EXPECT_EQ(code_of([&] { write_image(folder_ / "b.png", image); }), ErrorCode::kIo);
  EXPECT_EQ(file_count(), 2u);
  EXPECT_EQ(load_image(folder_ / "a.png").rgb, image.rgb);
}

TEST_F(ImageFile, CropChecksItsRectangle) {
  const Image image = noise(10, 6, 4);
  const Image part = crop_image(image, 3, 2, 4, 3);
  for (int y = 0; y < 3; ++y) {
    for (int i = 0; i < 12; ++i) EXPECT_EQ(part.rgb[y * 12 + i], image.rgb[((y + 2) * 10 + 3) * 3 + i]);
  }
  EXPECT_EQ(crop_image(image, 0, 0, 10, 6).rgb, image.rgb);
  for (const auto [x, y, w, h] : std::vector<std::array<int, 4>>{{0, 0, 0, 1},
                                                                 {0, 0, 1, 0},
                                                                 {-1, 0, 2, 2},
                                                                 {9, 0, 2, 2},
                                                                 {0, 5, 1, 2},
                                                                 {0, 0, INT32_MAX, 1},
                                                                 {INT32_MAX, 0, 1, 1}}) {
    EXPECT_EQ(code_of([&] { crop_image(image, x, y, w, h); }), ErrorCode::kInvalidArgument);
  }
}

TEST_F(ImageFile, DecodePreparedHasTheSizeOfTheOriginalAndNearlyItsPixels) {
  const ResizeSpec spec = parse_resize_spec("short:128");
  for (const ImageSize size : {ImageSize{1201, 903}, {903, 1201}, {1333, 500}, {640, 641}, {100, 90}}) {
    const Image image = gradient(size.width, size.height);
    for (int orientation : {1, 6}) {
      JpegMaking making;
      making.exif = make_exif(orientation, false, true);
      const Bytes bytes = make_jpeg(stored_for_orientation(image, orientation), making);
      ImageInfo info;
      const Image fast = decode_prepared(bytes, "a.jpg", spec, {}, &info);
      const Image full = prepare_image(decode_image(bytes, "a.jpg"), spec);
      EXPECT_EQ(info.width, size.width);
      EXPECT_EQ((ImageSize{fast.width, fast.height}), prepared_size(size.width, size.height, spec));
      ASSERT_EQ(fast.rgb.size(), full.rgb.size());
      for (std::size_t i = 0; i < full.rgb.size(); ++i) ASSERT_NEAR(fast.rgb[i], full.rgb[i], 6) << i;
    }
  }
}

}  // namespace
}  // namespace tessera::test
