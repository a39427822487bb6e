// The cache of thumbnails: what is kept, what is made anew, and how much stays.
#include "tessera/indexer/thumbnails.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tessera/error.h"
#include "tessera/indexer/library.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;

class ThumbnailCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tessera-thumbs-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { fs::remove_all(dir_); }

  fs::path photo(const std::string& name, int width, int height, int seed = 1) {
    Image image{width, height, std::vector<std::uint8_t>(std::size_t(width) * std::size_t(height) * 3)};
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
      image.rgb[i] = static_cast<std::uint8_t>(i / 997 * std::size_t(seed));
    }
    write_image(dir_ / name, image);
    return dir_ / name;
  }
  static ContentHash content(const fs::path& file) { return hash_content(read_file(file)); }
  std::vector<fs::path> cached() const {
    std::vector<fs::path> files;
    if (!fs::exists(dir_ / "cache")) return files;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ / "cache")) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }

  fs::path dir_;
};

TEST_F(ThumbnailCacheTest, FitsAndDoesNotEnlarge) {
  const Image wide = load_thumbnail(photo("wide.jpg", 900, 300), 128);
  EXPECT_EQ(wide.width, 128);
  EXPECT_EQ(wide.height, 43);
  const Image small = load_thumbnail(photo("small.jpg", 50, 70), 128);
  EXPECT_EQ(small.width, 50);
  EXPECT_EQ(small.height, 70);
}

TEST_F(ThumbnailCacheTest, KeepsWhatWasMadeAfterTheFileHasGone) {
  const fs::path file = photo("a.jpg", 640, 480);
  const ContentHash key = content(file);
  ThumbnailCache cache(dir_ / "cache");
  EXPECT_FALSE(cache.find(key, 256));
  const Image made = cache.get(key, file, 256);
  ASSERT_EQ(made.width, 256);
  fs::remove(file);
  const Image kept = cache.get(key, file, 256);
  EXPECT_EQ(kept.width, 256);
  EXPECT_EQ(kept.height, 192);
  const Image smaller = cache.get(key, file, 128);  // from the larger one
  EXPECT_EQ(smaller.width, 128);
  try {
    cache.get(key, file, 512);
    FAIL() << "made of nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

TEST_F(ThumbnailCacheTest, ADamagedEntryIsMadeAnew) {
  const fs::path file = photo("a.jpg", 640, 480);
  ThumbnailCache cache(dir_ / "cache");
  cache.get(content(file), file, 128);
  ASSERT_EQ(cached().size(), 1U);
  std::ofstream(cached().front(), std::ios::trunc) << "no picture";
  EXPECT_EQ(cache.get(content(file), file, 128).width, 128);
  EXPECT_EQ(load_image(cached().front()).width, 128);
}

TEST_F(ThumbnailCacheTest, AFileThatHasChangedIsNotKeptUnderTheOldContent) {
  const fs::path file = photo("a.jpg", 640, 480, 1);
  const ContentHash before = content(file);
  photo("a.jpg", 300, 300, 7);
  ThumbnailCache cache(dir_ / "cache");
  EXPECT_EQ(cache.get(before, file, 128).height, 128);  // what is there is shown
  EXPECT_TRUE(cached().empty());
}

TEST_F(ThumbnailCacheTest, BrokenPicturesTellTheReason) {
  std::ofstream(dir_ / "broken.jpg") << "\xff\xd8\xff\xe0 and no more";
  ThumbnailCache cache(dir_ / "cache");
  try {
    cache.get({}, dir_ / "broken.jpg", 128);
    FAIL() << "decoded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDamaged);
    EXPECT_NE(std::string(error.what()).find("broken.jpg"), std::string::npos);
  }
}

TEST_F(ThumbnailCacheTest, ACacheThatCannotBeWrittenIsNoError) {
  const fs::path file = photo("a.jpg", 640, 480);
  std::ofstream(dir_ / "cache") << "a file where the folder should be";
  ThumbnailCache cache(dir_ / "cache");
  EXPECT_EQ(cache.get(content(file), file, 128).width, 128);
}

TEST_F(ThumbnailCacheTest, TrimRemovesWhatWasNotUsedForLongest) {
  const fs::path first = photo("a.jpg", 640, 480, 3);
  const fs::path second = photo("b.jpg", 640, 480, 5);
  std::uint64_t bytes = 0;
  {
    ThumbnailCache cache(dir_ / "cache");
    cache.get(content(first), first, 256);
    cache.get(content(second), second, 256);
    for (const fs::path& file : cached()) bytes += fs::file_size(file);
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours(24 * 30);
    for (const fs::path& file : cached()) fs::last_write_time(file, old);
    ASSERT_TRUE(cache.find(content(second), 256));  // used again
    EXPECT_EQ(cache.trim(), 0U);
    EXPECT_FALSE(cache.wants_trim());
  }
  ThumbnailCache small(dir_ / "cache", bytes - 1);
  EXPECT_TRUE(small.wants_trim());  // nobody knows yet how much there is
  EXPECT_GT(small.trim(), 0U);
  EXPECT_FALSE(small.find(content(first), 256));
  EXPECT_TRUE(small.find(content(second), 256));
}

}  // namespace
}  // namespace tessera
