// What goes into a segment comes out of it.
#include "store/segment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "store/segment_fixture.h"
#include "store/segment_writer.h"
#include "tessera/error.h"
#include "test_paths.h"

namespace tessera {
namespace {

using test::ImageMaker;
using test::TemporaryFolder;
using test::TestImage;

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += double(a[i]) * b[i];
    aa += double(a[i]) * a[i];
    bb += double(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

class SegmentOfWidth : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Widths, SegmentOfWidth, testing::Values(1, 7, 64, 384, 768, 2560));

TEST_P(SegmentOfWidth, RoundTrip) {
  const int width = GetParam();
  TemporaryFolder folder;
  ImageMaker maker(width, 16, 1);
  const std::vector<TestImage> images = test::make_images(maker, 70);
  const SegmentSpec spec = test::test_spec(width, 16);
  const auto segment = test::write_segment(folder / "1.seg", spec, images);
  ASSERT_EQ(segment->rows(), images.size());
  EXPECT_EQ(segment->spec(), spec);
  EXPECT_EQ(segment->file_bytes(), std::filesystem::file_size(folder / "1.seg"));
  EXPECT_NO_THROW(segment->verify());
  for (std::uint32_t row = 0; row < segment->rows(); ++row) {
    const TestImage& image = images[row];
    EXPECT_EQ(segment->content(row), image.content);
    ASSERT_EQ(segment->token_count(row), image.count);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(segment->coarse_codes(row)) % 64, 0u);
    const std::vector<float> tokens = segment->decode_tokens(row);
    ASSERT_EQ(tokens.size(), image.tokens.size());
    for (int t = 0; t < image.count; ++t) {
      const std::size_t at = std::size_t(t) * std::size_t(width);
      EXPECT_GT(cosine(std::span(tokens).subspan(at, std::size_t(width)),
                       std::span(image.tokens).subspan(at, std::size_t(width))),
                t == 0 ? 0.999999 : 0.9998);
    }
    EXPECT_EQ(segment->decode_tokens(row, 1), std::vector<float>(tokens.begin(), tokens.begin() + width));
    EXPECT_EQ(segment->decode_tokens(row, 99), tokens);
  }
}

TEST(Segment, StoresAtMostTheSpecifiedTokens) {
  TemporaryFolder folder;
  ImageMaker maker(8, 9, 2);
  const std::vector<TestImage> images{maker.image(9), maker.image(2)};
  const auto segment = test::write_segment(folder / "1.seg", test::test_spec(8, 4), images);
  EXPECT_EQ(segment->token_count(0), 4);
  EXPECT_EQ(segment->token_count(1), 2);
}

TEST(Segment, MayBeEmpty) {
  TemporaryFolder folder;
  const auto segment = test::write_segment(folder / "1.seg", test::test_spec(8, 4), {});
  EXPECT_EQ(segment->rows(), 0u);
  EXPECT_NO_THROW(segment->verify());
}

TEST(Segment, CopiedRowsAreTheSameBytes) {
  TemporaryFolder folder;
  ImageMaker maker(100, 5, 3);
  const std::vector<TestImage> images = test::make_images(maker, 20);
  const SegmentSpec spec = test::test_spec(100, 5);
  const auto first = test::write_segment(folder / "1.seg", spec, images);
  SegmentWriter writer(folder / "2.seg", spec);
  for (std::uint32_t row = 0; row < first->rows(); ++row) EXPECT_EQ(writer.add(*first, row), row);
  const SegmentSummary summary = writer.finish();
  EXPECT_EQ(summary.checksum, first->checksum());
  const auto second = Segment::open(folder / "2.seg");
  EXPECT_EQ(second->checksum(), first->checksum());
  EXPECT_EQ(second->decode_tokens(7), first->decode_tokens(7));

  SegmentWriter other(folder / "3.seg", test::test_spec(100, 6));
  EXPECT_THROW(other.add(*first, 0), Error);
}

TEST(Segment, CodesMadeElsewhereAreTheSameBytes) {
  TemporaryFolder folder;
  const SegmentSpec spec = test::test_spec(100, 5);
  ImageMaker maker(100, 7, 4);
  SegmentWriter from_floats(folder / "1.seg", spec), from_codes(folder / "2.seg", spec);
  for (const int count : {1, 4, 5, 7}) {
    const TestImage image = maker.image(count);
    const CodedBatch coded = code_tokens(image.tokens, 1, count, 100);
    EXPECT_EQ(from_floats.add(image.content, image.tokens, count), from_codes.add(image.content, coded.image(0)));
  }
  EXPECT_EQ(from_floats.finish().checksum, from_codes.finish().checksum);
}

TEST(Segment, ManyRowsCrossTheFlushOfTokens) {
  TemporaryFolder folder;
  ImageMaker maker(768, 16, 4);
  std::vector<TestImage> images(200, maker.image(16));
  images.back() = maker.image(3);
  const auto segment = test::write_segment(folder / "1.seg", test::test_spec(768, 16), images);
  ASSERT_GT(segment->file_bytes(), 2u << 20);
  EXPECT_NO_THROW(segment->verify());
  EXPECT_EQ(segment->decode_tokens(0), segment->decode_tokens(198));
  EXPECT_EQ(segment->decode_tokens(199).size(), 3u * 768);
}

TEST(SegmentWriter, RefusesRowsWithoutMeaningAndStaysUsable) {
  TemporaryFolder folder;
  ImageMaker maker(8, 4, 5);
  SegmentWriter writer(folder / "1.seg", test::test_spec(8, 4));
  const TestImage good = maker.image(2);
  EXPECT_THROW(writer.add(good.content, good.tokens, 0), Error);
  EXPECT_THROW(writer.add(good.content, good.tokens, 3), Error);
  EXPECT_THROW(writer.add(good.content, std::vector<float>(8, 0.0f), 1), Error);
  std::vector<float> bad = good.tokens;
  bad[12] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(writer.add(good.content, bad, 2), Error);
  EXPECT_THROW(writer.add(good.content, code_tokens(bad, 1, 2, 8).image(0)), Error);
  EXPECT_THROW(writer.add(good.content, code_tokens(std::vector<float>(16), 2, 1, 8).image(1)), Error);
  EXPECT_THROW(writer.add(good.content, code_tokens(good.tokens, 1, 2, 7).image(0)), Error);
  EXPECT_EQ(writer.rows(), 0u);
  EXPECT_EQ(writer.add(good.content, good.tokens, 2), 0u);
  writer.finish();
  EXPECT_NO_THROW(Segment::open(folder / "1.seg")->verify());
}

TEST(SegmentWriter, RefusesAnImpossibleSpec) {
  TemporaryFolder folder;
  for (const SegmentSpec& spec :
       {test::test_spec(0, 4), test::test_spec(kMaxTokenWidth + 1, 4), test::test_spec(8, 0),
        test::test_spec(8, kMaxStoredTokens + 1), SegmentSpec{std::string(64, 'a'), "square:256", 8, 4}}) {
    EXPECT_THROW(SegmentWriter(folder / "1.seg", spec), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SegmentWriter, LeavesNothingWhenAbandonedAndReplacesStaleTemporaries) {
  TemporaryFolder folder;
  ImageMaker maker(8, 4, 6);
  {
    SegmentWriter writer(folder / "1.seg", test::test_spec(8, 4));
    const TestImage image = maker.image();
    writer.add(image.content, image.tokens, image.count);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  std::ofstream(folder / "1.seg.tmp") << std::string(100000, 'x');
  const auto segment = test::write_segment(folder / "1.seg", test::test_spec(8, 4), {});
  EXPECT_NO_THROW(segment->verify());
  EXPECT_FALSE(std::filesystem::exists(folder / "1.seg.tmp"));
}

// The images of tests/data/segments/version_1.seg: row r has r + 1 tokens of width 20.
std::vector<TestImage> sample_images() {
  std::vector<TestImage> images;
  for (int row = 0; row < 3; ++row) {
    TestImage image;
    image.count = row + 1;
    for (int i = 0; i < image.count * 20; ++i) image.tokens.push_back(float((i * 7 + row * 3) % 11 - 5));
    image.content.digest.fill(static_cast<std::uint8_t>(row + 1));
    image.content.bytes = std::uint64_t(1000 + row);
    images.push_back(image);
  }
  return images;
}

TEST(Segment, ReadsTheSampleOfVersion1) {
  const auto segment = Segment::open(test::data_dir() / "segments" / "version_1.seg");
  EXPECT_NO_THROW(segment->verify());
  EXPECT_EQ(segment->spec(), test::test_spec(20, 4));
  const std::vector<TestImage> images = sample_images();
  ASSERT_EQ(segment->rows(), images.size());
  for (std::uint32_t row = 0; row < segment->rows(); ++row) {
    EXPECT_EQ(segment->content(row), images[row].content);
    const std::vector<float> tokens = segment->decode_tokens(row);
    ASSERT_EQ(tokens.size(), images[row].tokens.size());
    for (std::size_t at = 0; at < tokens.size(); at += 20) {
      EXPECT_GT(cosine(std::span(tokens).subspan(at, 20), std::span(images[row].tokens).subspan(at, 20)), 0.9998);
    }
  }
  TemporaryFolder folder;
  EXPECT_EQ(test::write_segment(folder / "1.seg", test::test_spec(20, 4), images)->checksum(), segment->checksum());
}

TEST(Segment, OpenSaysWhatIsWrong) {
  TemporaryFolder folder;
  try {
    Segment::open(folder / "none.seg");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_NE(std::string(error.what()).find("none.seg"), std::string::npos);
  }
  EXPECT_THROW(Segment::open(folder.path()), Error);
}

}  // namespace
}  // namespace tessera
