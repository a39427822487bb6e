// Library: what indexing leaves in the catalog when files appear, move, change, vanish and fail.
#include "library_fixture.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

TEST_F(LibraryTest, RenamedMovedAndCopiedFilesKeepTheirPicture) {
  for (unsigned i = 0; i < 4; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library library = open();
  index(library, {photos()}, encoder_);
  const auto renamed = library.find_path(photos() / "0.png");
  const auto moved = library.find_path(photos() / "1.png");
  const auto copied = library.find_path(photos() / "2.png");
  std::filesystem::rename(photos() / "0.png", photos() / "zero.png");
  std::filesystem::create_directories(photos() / "deep" / "er");
  std::filesystem::rename(photos() / "1.png", photos() / "deep" / "er" / "1.png");
  std::filesystem::copy_file(photos() / "2.png", photos() / "two.png");

  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.encoded, 0);
  EXPECT_EQ(report.known_content, 3);
  EXPECT_EQ(report.unchanged, 2);
  EXPECT_EQ(report.missing, 0);
  EXPECT_EQ(encoder_.encoded, 4);
  EXPECT_EQ(library.find_path(photos() / "zero.png"), renamed);
  EXPECT_EQ(library.find_path(photos() / "deep/er/1.png"), moved);
  EXPECT_EQ(library.find_path(photos() / "two.png"), copied);
  EXPECT_EQ(library.find_path(photos() / "0.png"), std::nullopt);
  EXPECT_THAT(library.image(*renamed).files, SizeIs(1));
  EXPECT_THAT(library.image(*moved).files, SizeIs(1));
  EXPECT_THAT(library.image(*copied).files, SizeIs(2));
  EXPECT_THAT(problems_of(library, true), IsEmpty());
}

TEST_F(LibraryTest, AFileMovedOntoAnotherTakesItsPlace) {
  write_picture(photos() / "a.png", 1);
  write_picture(photos() / "b.png", 2);
  Library library = open();
  index(library, {photos()}, encoder_);
  const auto a = library.find_path(photos() / "a.png");
  std::filesystem::rename(photos() / "a.png", photos() / "b.png");
  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.encoded, 0);
  EXPECT_EQ(library.find_path(photos() / "b.png"), a);
  EXPECT_EQ(library.find_path(photos() / "a.png"), std::nullopt);
  EXPECT_THAT(list_all(library), SizeIs(1));
  EXPECT_EQ(library.stats().deleted_rows, 1);
}

TEST_F(LibraryTest, EqualFilesAreEncodedOnce) {
  for (int i = 0; i < 12; ++i) write_picture(photos() / (std::to_string(i) + ".png"), 7);
  Library library = open();
  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.encoded, 1);
  EXPECT_EQ(report.known_content, 11);
  EXPECT_EQ(encoder_.encoded, 1);
  const auto images = list_all(library);
  ASSERT_THAT(images, SizeIs(1));
  EXPECT_THAT(images[0].files, SizeIs(12));
}

TEST_F(LibraryTest, AChangedFileIsReadAgainAndItsOldPictureForgotten) {
  write_picture(photos() / "a.png", 1);
  write_picture(photos() / "b.png", 2);
  Library library = open();
  index(library, {photos()}, encoder_);
  const auto before = library.find_path(photos() / "a.png");
  write_picture(photos() / "a.png", 3, 96, 96);
  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.encoded, 1);
  EXPECT_EQ(report.unchanged, 1);
  EXPECT_NE(library.find_path(photos() / "a.png"), before);
  EXPECT_EQ(code_of([&] { library.image(*before); }), ErrorCode::kNotFound);
  EXPECT_EQ(library.stats().images, 2);
  EXPECT_EQ(library.stats().deleted_rows, 1);
}

TEST_F(LibraryTest, VanishedFilesAreMissingUntilTheyReturnOrArePruned) {
  for (unsigned i = 0; i < 3; ++i) write_picture(photos() / "sub" / (std::to_string(i) + ".png"), i);
  write_picture(photos() / "stays.png", 9);
  Library library = open();
  index(library, {photos()}, encoder_);
  std::filesystem::rename(photos() / "sub", dir_ / "elsewhere");
  std::filesystem::remove(dir_ / "elsewhere" / "2.png");
  EXPECT_EQ(index(library, {photos()}, encoder_).missing, 3);
  EXPECT_EQ(library.stats().missing_files, 3);
  ListFilter missing;
  missing.state = FileState::kMissing;
  EXPECT_THAT(list_all(library, missing), SizeIs(3));
  EXPECT_EQ(library.stats().images, 4);

  std::filesystem::rename(dir_ / "elsewhere", photos() / "sub");
  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.missing, 1);
  EXPECT_EQ(report.unchanged, 3);
  EXPECT_EQ(report.decode_seconds, 0);
  EXPECT_EQ(library.stats().missing_files, 1);
  EXPECT_EQ(library.prune(), 1);
  EXPECT_EQ(library.stats().images, 3);
  EXPECT_EQ(library.stats().missing_files, 0);
  EXPECT_THAT(problems_of(library, true), IsEmpty());
}

TEST_F(LibraryTest, ADeletedCopyIsMissingAndNotTakenForAMove) {
  write_picture(photos() / "a.png", 1);
  std::filesystem::copy_file(photos() / "a.png", photos() / "b.png");
  Library library = open();
  index(library, {photos()}, encoder_);
  std::filesystem::remove(photos() / "a.png");
  EXPECT_EQ(index(library, {photos()}, encoder_).missing, 1);
  const ImageRecord image = library.image(*library.find_path(photos() / "b.png"));
  ASSERT_THAT(image.files, SizeIs(2));
  EXPECT_EQ(image.files[0].state, FileState::kPresent);
  EXPECT_EQ(image.files[1].state, FileState::kMissing);
}

TEST_F(LibraryTest, AnUnreachableRootIsOfflineAndKeepsItsPictures) {
  write_picture(photos() / "x" / "a.png", 1);
  write_picture(dir_ / "other" / "b.png", 2);
  Library library = open();
  index(library, {photos(), dir_ / "other"}, encoder_);
  std::filesystem::rename(photos(), dir_ / "unplugged");
  IngestReport report = index(library, {photos(), dir_ / "other"}, encoder_);
  ASSERT_THAT(report.failed, SizeIs(1));
  EXPECT_EQ(report.failed[0].path, photos());
  EXPECT_EQ(report.missing, 0);
  EXPECT_EQ(library.stats().offline_files, 1);
  EXPECT_EQ(library.prune(), 0);

  // The mount point without its disk: another folder, and empty.
  std::filesystem::create_directory(photos());
  report = index(library, {photos()}, encoder_);
  ASSERT_THAT(report.failed, SizeIs(1));
  EXPECT_THAT(report.failed[0].reason, HasSubstr("is its disk mounted?"));
  EXPECT_EQ(library.stats().offline_files, 1);
  EXPECT_EQ(library.stats().missing_files, 0);

  std::filesystem::remove(photos());
  std::filesystem::rename(dir_ / "unplugged", photos());
  report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.unchanged, 1);
  EXPECT_EQ(library.stats().offline_files, 0);
  EXPECT_EQ(encoder_.encoded, 2);
}

TEST_F(LibraryTest, AnUnknownRootThatIsNotThereIsAnError) {
  Library library = open();
  std::string message;
  EXPECT_EQ(code_of([&] { index(library, {dir_ / "no such"}, encoder_); }, &message), ErrorCode::kNotFound);
  EXPECT_THAT(message, HasSubstr("no such"));
}

TEST_F(LibraryTest, NestedRepeatedAndFileRootsAreWalkedOnce) {
  write_picture(photos() / "sub" / "a.png", 1);
  write_picture(photos() / "b.png", 2);
  Library library = open();
  const IngestReport report =
      index(library, {photos() / "sub", photos(), photos(), photos() / "." / "sub/", photos() / "b.png"}, encoder_);
  EXPECT_EQ(report.files_seen, 2);
  EXPECT_EQ(report.encoded, 2);
  const IngestReport again = index(library, {photos()}, encoder_);
  EXPECT_EQ(again.unchanged, 2);
  EXPECT_EQ(again.missing, 0);
}

TEST_F(LibraryTest, NamesOfAnyBytesWork) {
  const std::string name = "caf\xe9 \xff'\"%20\n.png";
  write_picture(photos() / "d\xfcr" / "a.png", 1);
  std::filesystem::rename(photos() / "d\xfcr" / "a.png", photos() / "d\xfcr" / name);
  Library library = open();
  EXPECT_EQ(index(library, {photos()}, encoder_).encoded, 1);
  EXPECT_EQ(index(library, {photos()}, encoder_).unchanged, 1);
  const auto images = list_all(library);
  ASSERT_THAT(images, SizeIs(1));
  EXPECT_EQ(images[0].files[0].path, photos() / "d\xfcr" / name);
  ListFilter filter;
  filter.under = {photos() / "d\xfcr"};
  EXPECT_THAT(list_all(library, filter), SizeIs(1));
  EXPECT_EQ(library.remove(std::vector{photos() / "d\xfcr" / name}), 1);
}

TEST_F(LibraryTest, ALibraryInsideThePhotosIsNotIndexed) {
  write_picture(photos() / "a.png", 1);
  Library library = Library::open(photos() / "library", OpenMode::kCreate);
  write_picture(photos() / "library" / "thumbs" / "t.png", 2);
  EXPECT_EQ(index(library, {photos()}, encoder_).files_seen, 1);
}

TEST_F(LibraryTest, RemoveForgetsFilesAndFoldersOnly) {
  for (unsigned i = 0; i < 3; ++i) write_picture(photos() / "sub" / (std::to_string(i) + ".png"), i);
  write_picture(photos() / "subway.png", 8);
  write_picture(photos() / "keep.png", 9);
  std::filesystem::copy_file(photos() / "keep.png", photos() / "sub" / "copy.png");
  Library library = open();
  index(library, {photos()}, encoder_);
  EXPECT_EQ(library.remove(std::vector{photos() / "sub"}), 4);
  EXPECT_EQ(library.stats().files, 2);
  EXPECT_EQ(library.stats().images, 2);
  EXPECT_EQ(library.remove(std::vector{photos() / "keep.png", photos() / "nothing.png"}), 1);
  EXPECT_EQ(library.stats().images, 1);
  EXPECT_TRUE(std::filesystem::exists(photos() / "sub" / "1.png"));
  EXPECT_EQ(index(library, {photos()}, encoder_).encoded, 4);
}

TEST_F(LibraryTest, RelocateFollowsAMovedRootWithoutReading) {
  for (unsigned i = 0; i < 3; ++i) write_picture(photos() / "sub" / (std::to_string(i) + ".png"), i);
  write_picture(photos() / "top.png", 9);
  Library library = open();
  index(library, {photos()}, encoder_);
  std::filesystem::create_directories(dir_ / "new");
  std::filesystem::rename(photos(), dir_ / "new" / "place");
  EXPECT_EQ(library.relocate(photos(), dir_ / "new" / "place"), 4);
  const IngestReport report = index(library, {dir_ / "new" / "place"}, encoder_);
  EXPECT_EQ(report.unchanged, 4);
  EXPECT_EQ(report.missing, 0);
  EXPECT_THAT(problems_of(library, true), IsEmpty());
  // Into its own inside, and back.
  EXPECT_EQ(library.relocate(dir_ / "new/place", dir_ / "new/place/sub"), 4);
  EXPECT_TRUE(library.find_path(dir_ / "new/place/sub/sub/1.png"));
  EXPECT_TRUE(library.find_path(dir_ / "new/place/sub/top.png"));
  EXPECT_EQ(library.relocate(dir_ / "new/place/sub", dir_ / "new/place"), 4);
  EXPECT_EQ(library.relocate(dir_ / "new/place/top.png", dir_ / "new/place/other.png"), 1);
  EXPECT_TRUE(library.find_path(dir_ / "new/place/sub/1.png"));
  EXPECT_TRUE(library.find_path(dir_ / "new/place/other.png"));
  EXPECT_EQ(library.stats().files, 4);
}

TEST_F(LibraryTest, CompactFreesTheRowsOfForgottenPictures) {
  for (unsigned i = 0; i < 30; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library library = open();
  IngestOptions options;
  options.images_per_segment = 10;
  options.batch = 5;
  index(library, {photos()}, encoder_, options);
  EXPECT_EQ(library.stats().segments, 3);
  const auto kept = library.find_path(photos() / "17.png");
  const QueryPart before = library.tokens(*kept);
  for (int i = 0; i < 15; ++i) std::filesystem::remove(photos() / (std::to_string(i) + ".png"));
  index(library, {photos()}, encoder_);
  library.prune();
  EXPECT_EQ(library.stats().deleted_rows, 15);
  Library reader = open(OpenMode::kRead);
  EXPECT_EQ(reader.tokens(*kept).tokens, before.tokens);
  const std::int64_t bytes = library.stats().segment_bytes;
  const std::int64_t freed = library.compact();
  EXPECT_EQ(library.stats().segment_bytes, bytes - freed);
  EXPECT_GT(freed, 0);
  EXPECT_EQ(library.stats().deleted_rows, 0);
  EXPECT_EQ(library.stats().segments, 1);
  EXPECT_EQ(library.tokens(*kept).tokens, before.tokens);
  EXPECT_EQ(reader.tokens(*kept).tokens, before.tokens);  // though its view named the old segments
  EXPECT_THAT(problems_of(library, true), IsEmpty());
  EXPECT_EQ(library.compact(), 0);
  EXPECT_EQ(index(library, {photos()}, encoder_).encoded, 0);
}

TEST_F(LibraryTest, ListFilters) {
  write_picture(photos() / "a" / "1.png", 1);
  write_picture(photos() / "b" / "2.png", 2);
  write_text(photos() / "b" / "bad.jpg", "no picture");
  Library library = open();
  index(library, {photos()}, encoder_);
  ListFilter filter;
  filter.under = {photos() / "b"};
  EXPECT_THAT(list_all(library, filter), SizeIs(2));
  filter.failed_only = true;
  EXPECT_THAT(list_all(library, filter), SizeIs(1));
  filter.under = {photos() / "a"};
  EXPECT_THAT(list_all(library, filter), IsEmpty());
  int seen = 0;
  library.list({}, [&](const ImageRecord&) { return ++seen < 2; });
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace tessera
