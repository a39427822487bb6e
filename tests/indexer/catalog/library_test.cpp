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

TEST_F(LibraryTest, TheFirstSegmentsAreSmallWhereThatIsAsked) {
  for (unsigned i = 0; i < 30; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library library = open();
  IngestOptions options;
  options.images_per_segment = 16;
  options.first_segment = 2;
  options.batch = 2;
  index(library, {photos()}, encoder_, options);
  EXPECT_EQ(library.stats().segments, 4);  // 2, 4, 8, 16
  EXPECT_EQ(library.stats().images, 30);
}

TEST_F(LibraryTest, AnotherEncoderKeepsThePicturesAndReadsThemAnew) {
  for (unsigned i = 0; i < 5; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library library = open();
  index(library, {photos()}, encoder_);
  EXPECT_THAT(library.roots(), ElementsAre(photos()));
  const ImageId id = *library.find_path(photos() / "3.png");
  FakeEncoder other("ffeeddccbbaa99887766554433221100");
  EXPECT_THROW(library.index(std::vector{photos()}, {}, other), Error);
  EXPECT_EQ(library.change_encoder(testing::library_encoder(other)), 5);
  EXPECT_EQ(library.image(id).error_code, "model_mismatch");
  EXPECT_EQ(library.stats().segments, 0);
  IngestOptions options;
  options.retry_failed = true;
  const IngestReport report = library.index(std::vector{photos()}, options, other);
  EXPECT_EQ(report.encoded, 5);
  EXPECT_EQ(*library.find_path(photos() / "3.png"), id);
  EXPECT_EQ(library.image(id).error_code, "");
  EXPECT_EQ(library.encoder()->weights_hash, other.info().weights_hash);
  EXPECT_THAT(problems_of(library, true), IsEmpty());
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

TEST_F(LibraryTest, StoredTokensAreThoseOfTheEncoder) {
  write_picture(photos() / "a.png", 1);
  Library library = open();
  index(library, {photos()}, encoder_);
  const Image prepared = prepare_image(load_image(photos() / "a.png"), library_encoder(encoder_).resize);
  const EncodedBatch encoded = encoder_.encode(std::vector{prepared}, kStoredTokens);
  const QueryPart stored = library.tokens(*library.find_path(photos() / "a.png"));
  ASSERT_EQ(stored.token_count, kStoredTokens);
  for (int t = 0; t < kStoredTokens; ++t) {
    double dot = 0, norm = 0;
    for (int d = 0; d < kWidth; ++d) {
      const std::size_t at = static_cast<std::size_t>(t) * kWidth + static_cast<std::size_t>(d);
      dot += double(encoded.tokens[at]) * stored.tokens[at];
      norm += double(encoded.tokens[at]) * encoded.tokens[at];
    }
    EXPECT_GT(dot / std::sqrt(norm), 0.999) << t;
  }
  EXPECT_EQ(library.tokens(*library.find_path(photos() / "a.png"), 2).token_count, 2);
  EXPECT_EQ(code_of([&] { library.tokens(999); }), ErrorCode::kNotFound);
}

// 1001 x 667 is decoded at 3/8 and cropped: preparing the reduced picture by hand would take other pixels.
TEST_F(LibraryTest, TheEncoderGetsWhatAQueryWithTheSameFileGets) {
  const std::filesystem::path file = photos() / "big.jpg";
  Image picture{1001, 667, std::vector<std::uint8_t>(std::size_t{3} * 1001 * 667)};
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) picture.rgb[i] = static_cast<std::uint8_t>(i * i / 977);
  std::filesystem::create_directories(photos());
  write_image(file, picture);
  std::vector<Image> seen;
  encoder_.on_image = [&](const Image& image) { seen.push_back(image); };
  Library library = open();
  index(library, {photos()}, encoder_);
  ASSERT_EQ(seen.size(), 1u);
  const Image expected = decode_prepared(read_file(file), file.string(), library.encoder()->resize);
  EXPECT_EQ(seen[0].width, expected.width);
  EXPECT_EQ(seen[0].rgb, expected.rgb);
  DecodeOptions reduced;
  reduced.min_short_side = min_decode_short_side(1001, 667, library.encoder()->resize);
  EXPECT_NE(prepare_image(load_image(file, reduced), library.encoder()->resize).rgb, expected.rgb);
}

TEST_F(LibraryTest, StoppingKeepsWhatIsDoneAndConcludesNothing) {
  for (unsigned i = 0; i < 40; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library library = open();
  library.set_encoder(library_encoder(encoder_));
  std::stop_source stop;
  encoder_.on_image = [&](const Image&) {
    if (encoder_.encoded == 12) stop.request_stop();
  };
  IngestOptions options;
  options.batch = 4;
  const std::vector roots{photos()};
  const IngestReport report = library.index(roots, options, encoder_, {}, stop.get_token());
  EXPECT_TRUE(report.cancelled);
  EXPECT_EQ(report.encoded, 12);
  EXPECT_EQ(library.stats().images, 12);
  EXPECT_THAT(problems_of(library), IsEmpty());
  encoder_.on_image = nullptr;
  const IngestReport rest = index(library, {photos()}, encoder_);
  EXPECT_FALSE(rest.cancelled);
  EXPECT_EQ(rest.unchanged, 12);
  EXPECT_EQ(rest.encoded, 28);
}

// The first pictures of both encoders wait for each other: neither can do all the work.
TEST_F(LibraryTest, SeveralEncodersShareTheWork) {
  for (unsigned i = 0; i < 12; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library alone = Library::open(dir_ / "alone", OpenMode::kCreate);
  FakeEncoder only;
  index(alone, {photos()}, only);

  FakeEncoder first, second;
  std::mutex mutex;
  std::condition_variable met;
  int waiting = 0;
  for (FakeEncoder* encoder : {&first, &second}) {
    encoder->on_image = [&, encoder](const Image&) {
      if (encoder->encoded != 1) return;
      std::unique_lock lock(mutex);
      ++waiting;
      met.notify_all();
      EXPECT_TRUE(met.wait_for(lock, std::chrono::seconds(60), [&] { return waiting == 2; }));
    };
  }
  Library library = open();
  library.set_encoder(library_encoder(first));
  IngestOptions options;
  options.batch = 2;
  const std::vector roots{photos()};
  const std::vector<ImageEncoder*> encoders = {&first, &second};
  EXPECT_EQ(library.index(roots, options, encoders).encoded, 12);
  EXPECT_EQ(first.encoded + second.encoded, 12);
  EXPECT_GE(first.encoded, 2);
  EXPECT_GE(second.encoded, 2);
  const std::vector<ImageRecord> images = list_all(library), expected = list_all(alone);
  ASSERT_EQ(images.size(), expected.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(images[i].hash, expected[i].hash);
    EXPECT_EQ(library.tokens(images[i].id).tokens, alone.tokens(expected[i].id).tokens);
  }
  EXPECT_EQ(code_of([&] { library.index(roots, {}, std::span<ImageEncoder* const>()); }), ErrorCode::kInvalidArgument);
}

// What the other one had under way is kept.
TEST_F(LibraryTest, AnEncoderThatFailsEndsTheRun) {
  for (unsigned i = 0; i < 12; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  FakeEncoder good, bad;
  std::atomic<bool> begun{false};
  good.on_image = [&](const Image&) { begun = true; };
  bad.on_image = [&](const Image&) {
    while (!begun) std::this_thread::yield();
    throw Error(ErrorCode::kInternal, "the device is gone");
  };
  Library library = open();
  library.set_encoder(library_encoder(good));
  IngestOptions options;
  options.batch = 1;
  const std::vector roots{photos()};
  const std::vector<ImageEncoder*> encoders = {&bad, &good};
  std::string message;
  EXPECT_EQ(code_of([&] { library.index(roots, options, encoders); }, &message), ErrorCode::kInternal);
  EXPECT_EQ(message, "the device is gone");
  EXPECT_EQ(library.stats().images, good.encoded);
  EXPECT_THAT(problems_of(library), IsEmpty());
  good.on_image = nullptr;
  const std::int64_t before = good.encoded;
  EXPECT_EQ(index(library, {photos()}, good).encoded, 12 - before);
}

TEST_F(LibraryTest, ProgressEndsWithEverythingDone) {
  for (unsigned i = 0; i < 6; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  write_text(photos() / "bad.jpg", "no picture");
  Library library = open();
  library.set_encoder(library_encoder(encoder_));
  IngestProgress last;
  const std::vector roots{photos()};
  library.index(roots, {}, encoder_, [&](const IngestProgress& progress) { last = progress; });
  EXPECT_TRUE(last.walk_done);
  EXPECT_EQ(last.files_seen, 7);
  EXPECT_EQ(last.to_do, 7);
  EXPECT_EQ(last.done, 7);
  EXPECT_EQ(last.failed, 1);
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
