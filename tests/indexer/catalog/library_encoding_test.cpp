// Library: how indexing works with encoders: tokens, another model, several encoders, stopping and failing.
#include "library_fixture.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace tessera
