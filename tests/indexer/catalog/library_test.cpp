// Library: what indexing leaves in the catalog when files appear, move, change, vanish and fail.
#include "library_fixture.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LibraryTest : public ::testing::Test {
 protected:
  std::filesystem::path photos() const { return dir_ / "photos"; }
  std::filesystem::path library_dir() const { return dir_ / "library"; }
  Library open(OpenMode mode = OpenMode::kCreate) const { return Library::open(library_dir(), mode); }

  TempDir dir_;
  FakeEncoder encoder_;
};

TEST_F(LibraryTest, IndexesAFolderAndFindsItsPictures) {
  for (unsigned i = 0; i < 20; ++i)
    write_picture(photos() / ("sub" + std::to_string(i % 3)) / (std::to_string(i) + ".png"), i);
  write_text(photos() / "notes.txt", "not a picture");
  Library library = open();
  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.files_seen, 20);
  EXPECT_EQ(report.encoded, 20);
  EXPECT_THAT(report.failed, IsEmpty());
  EXPECT_EQ(encoder_.encoded, 20);
  EXPECT_THAT(problems_of(library, true), IsEmpty());

  const auto images = list_all(library);
  ASSERT_THAT(images, SizeIs(20));
  for (const ImageRecord& image : images) {
    EXPECT_EQ(image.width, 80);
    EXPECT_EQ(image.height, 64);
    EXPECT_EQ(image.format, "png");
    EXPECT_EQ(image.token_count, 4);
    ASSERT_THAT(image.files, SizeIs(1));
    EXPECT_EQ(library.find_path(image.files[0].path), image.id);
    EXPECT_EQ(library.find_hash(image.hash), image.id);
    EXPECT_EQ(hash_content(read_file(image.files[0].path)), image.hash);
  }
  // Ids are in the order of the paths.
  EXPECT_TRUE(std::is_sorted(images.begin(), images.end(),
                             [](const auto& a, const auto& b) { return a.files[0].path < b.files[0].path; }));
}

TEST_F(LibraryTest, SecondRunReadsAndEncodesNothing) {
  for (unsigned i = 0; i < 10; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library library = open();
  index(library, {photos()}, encoder_);
  const IngestReport again = index(library, {photos()}, encoder_);
  EXPECT_EQ(again.unchanged, 10);
  EXPECT_EQ(again.encoded, 0);
  EXPECT_EQ(again.decode_seconds, 0);
  EXPECT_EQ(encoder_.encoded, 10);
}

}  // namespace
}  // namespace tessera
