// Token tables, the descriptors made of them, the cache, and sets with pictures that cannot be read.
#include <gmock/gmock.h>

#include <numeric>

#include "eval/eval_fixture.h"
#include "store/token_codec.h"
#include "tessera/indexer/eval_descriptors.h"
#include "tessera/indexer/eval_ranking.h"

namespace tessera::eval {
namespace {

using tessera::testing::FakeEncoder;
using tessera::testing::kWidth;
using tessera::testing::write_picture;
using test::error_of;
using test::TempDir;
using test::write_text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

float norm(std::span<const float> vector) { return std::sqrt(dot(vector, vector)); }

// Six pictures of two sizes, one that is no picture and one too small for a token.
class Features : public ::testing::Test {
 protected:
  void SetUp() override {
    for (unsigned i = 0; i < 6; ++i) {
      write_picture(folder_ / ("p" + std::to_string(i) + ".png"), i, i % 2 == 0 ? 64 : 96, 64);
    }
    write_text(folder_ / "broken.png", "no picture");
    write_picture(folder_ / "small.png", 9, 16, 16);
    set_ = read_folder(folder_.path());
    hash_ = data_hash(set_);
    options_.resize = {ResizeSpec::Mode::kNone, 0, 16};
    options_.batch = 2;
    tokens_.tokens = 3;
  }

  TokenTable extract() { return extract_tokens(set_, hash_, encoder_, tokens_, options_); }

  TempDir folder_;
  EvalSet set_;
  std::string hash_;
  FakeEncoder encoder_;
  TokenOptions tokens_;
  BatchOptions options_;
};

TEST_F(Features, TokensAreUnitVectorsInOrderOfThePictures) {
  const TokenTable table = extract();
  EXPECT_THAT(table.pictures, ElementsAre(1, 2, 3, 4, 5, 6));  // 0 is broken.png, 7 small.png
  EXPECT_THAT(table.counts, ::testing::Each(3));
  ASSERT_EQ(table.failures.size(), 2u);
  EXPECT_THAT(failure_text(set_, table.failures[0]), HasSubstr((folder_ / "broken.png").string()));
  EXPECT_THAT(failure_text(set_, table.failures[1]),
              HasSubstr("small.png: at 16 x 16 pixels it is too small for a token"));
  for (std::size_t r = 0; r < table.rows(); ++r) {
    for (int t = 0; t < table.tokens; ++t) EXPECT_NEAR(norm(table.token(r, t)), 1, 1e-5);
    // The same as encoding the picture alone.
    const Image image = load_image(set_.path(table.pictures[r]));
    const EncodedBatch alone = encoder_.encode(std::span(&image, 1), 3);
    const std::span<const float> token = std::span(alone.tokens).subspan(2 * kWidth, kWidth);
    EXPECT_NEAR(dot(token, table.token(r, 2)), norm(token), 1e-5);
  }
}

TEST_F(Features, APictureWithFewerTokensLeavesRoom) {
  tokens_.tokens = 5;  // the 64 x 64 ones have 4, the others 6
  const TokenTable table = extract();
  EXPECT_THAT(table.counts, ElementsAre(4, 5, 4, 5, 4, 5));
  EXPECT_EQ(norm(table.token(0, 4)), 0);
  const VectorTable joined = describe(table, parse_descriptor("tokens:5"), 2);
  EXPECT_EQ(joined.width, 5 * kWidth);
  for (std::size_t r = 0; r < joined.rows(); ++r) EXPECT_NEAR(norm(joined.row(r)), 1, 1e-5);
}

TEST_F(Features, JoinedTokensCompareAsTheirWeightedCosines) {
  const TokenTable table = extract();
  const VectorTable joined = describe(table, parse_descriptor("tokens:2"), 2);
  EXPECT_EQ(joined.name, "tokens:2");
  const double expected = (1.0 * double(dot(table.token(0, 0), table.token(3, 0))) +
                           4.0 / 9 * double(dot(table.token(0, 1), table.token(3, 1)))) /
                          (1 + 4.0 / 9);
  EXPECT_NEAR(dot(joined.row(0), joined.row(3)), expected, 1e-5);
  const VectorTable first = describe(table, parse_descriptor("token0"), 2);
  EXPECT_NEAR(dot(first.row(1), table.token(1, 0)), 1, 1e-5);
  error_of([&] { describe(table, parse_descriptor("tokens:4"), 2); }, ErrorCode::kInvalidArgument);
  error_of([&] { describe(table, parse_descriptor("summary"), 2); }, ErrorCode::kInvalidArgument);
}

TEST_F(Features, TheCacheGivesTheSameTable) {
  tokens_.cache = folder_ / "cache/tokens";
  const TokenTable first = extract();
  const auto encoded = encoder_.encoded;
  const TokenTable second = extract();
  EXPECT_EQ(encoder_.encoded, encoded);
  EXPECT_EQ(second.values, first.values);
  EXPECT_EQ(second.pictures, first.pictures);
  EXPECT_EQ(second.counts, first.counts);
  ASSERT_EQ(second.failures.size(), 2u);
  EXPECT_EQ(second.failures[0].reason, first.failures[0].reason);
  EXPECT_EQ(second.failures[1].picture, first.failures[1].picture);

  tokens_.tokens = 2;  // another table
  extract();
  EXPECT_GT(encoder_.encoded, encoded);
}

TEST_F(Features, ADamagedCacheIsMadeAgain) {
  tokens_.cache = folder_ / "cache";
  const TokenTable first = extract();
  for (const auto& entry : std::filesystem::directory_iterator(tokens_.cache)) {
    std::filesystem::resize_file(entry.path(), 100);
  }
  EXPECT_EQ(extract().values, first.values);
  const auto encoded = encoder_.encoded;
  extract();
  EXPECT_EQ(encoder_.encoded, encoded);
}

TEST_F(Features, StoredTokensAreThoseOfTheCodec) {
  TokenTable table = extract();
  const TokenTable before = table;
  store_as_library(table);
  EXPECT_NE(table.values, before.values);
  std::vector<std::byte> record(token_record_bytes(kWidth));
  std::vector<float> expected(kWidth);
  write_token_record(before.token(4, 1), record.data());
  decode_token_record(record.data(), expected);
  EXPECT_THAT(table.token(4, 1), ::testing::ElementsAreArray(expected));
}

TEST_F(Features, DescriptorsShareThePicturesThatAllCouldBeMadeOf) {
  FeatureRequest request;
  request.descriptors = {parse_descriptor("colorhist"), parse_descriptor("token0"), parse_descriptor("phash")};
  request.token_sets = true;
  request.tokens = tokens_;
  request.encoder = &encoder_;
  const FeatureSet all = extract_features(set_, hash_, request, options_);
  EXPECT_THAT(all.pictures, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(all.tokens.pictures, all.pictures);
  ASSERT_EQ(all.vectors.size(), 3u);
  EXPECT_EQ(all.vectors[0].name, "colorhist");
  EXPECT_EQ(all.vectors[1].name, "token0");
  for (const VectorTable& table : all.vectors) EXPECT_EQ(table.rows(), 6u);
  EXPECT_EQ(all.failures.size(), 2u);

  // Without a model small.png takes part.
  request.descriptors.erase(request.descriptors.begin() + 1);
  request.token_sets = false;
  request.encoder = nullptr;
  const FeatureSet pixels = extract_features(set_, hash_, request, options_);
  EXPECT_THAT(pixels.pictures, ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(pixels.failures.size(), 1u);
  request.token_sets = true;
  error_of([&] { extract_features(set_, hash_, request, options_); }, ErrorCode::kInvalidArgument);
}

TEST(Descriptors, HaveNames) {
  for (const char* name : {"token0", "tokens:12", "summary", "phash", "dhash", "colorhist", "hog", "gist", "random"}) {
    EXPECT_EQ(descriptor_name(parse_descriptor(name)), name);
  }
  for (const char* name : {"", "token", "tokens:", "tokens:0", "tokens:-1", "tokens:2x", "sift"}) {
    error_of([&] { parse_descriptor(name); }, ErrorCode::kInvalidArgument);
  }
  EXPECT_TRUE(is_baseline(parse_descriptor("hog")));
  EXPECT_TRUE(needs_model(parse_descriptor("random")));
}

}  // namespace
}  // namespace tessera::eval
