// Why a picture was found: scores as the search gives them, maps that point at what two pictures share, words.
#include <gtest/gtest.h>

#include <cmath>

#include "search_fixture.h"
#include "tessera/error.h"
#include "tessera/indexer/explain.h"

namespace tessera {
namespace {

std::optional<ErrorCode> code_thrown_by(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

// Two tokens: how bright each of 8 x 8 fields is, and the same for their right neighbours.
class FieldEncoder : public ImageEncoder {
 public:
  FieldEncoder() { info_.token_width = kFields * kFields + 1; }
  const EncoderInfo& info() const override { return info_; }
  EncodedBatch encode(std::span<const Image> images, int tokens) override {
    EncodedBatch batch;
    batch.batch = static_cast<int>(images.size());
    batch.width = info_.token_width;
    batch.token_count = tokens < 0 ? 2 : std::min(tokens, 2);
    for (const Image& image : images) {
      for (int t = 0; t < batch.token_count; ++t) {
        std::vector<float> sums(std::size_t(batch.width), 1.0F);
        for (int y = 0; y < image.height; ++y) {
          for (int x = 0; x < image.width; ++x) {
            const int field = y * kFields / image.height * kFields + (x * kFields / image.width + t) % kFields;
            sums[std::size_t(field)] += image.rgb[std::size_t(3) * std::size_t(y * image.width + x)];
          }
        }
        batch.tokens.insert(batch.tokens.end(), sums.begin(), sums.end());
      }
    }
    calls.push_back(batch.batch);
    if (on_call) on_call();
    return batch;
  }

  std::vector<int> calls;
  std::function<void()> on_call;

 private:
  static constexpr int kFields = 8;
  EncoderInfo info_;
};

// Black but for a bright square in one of 4 x 4 places.
Image bright_square(int column, int row, int width = 64, int height = 64) {
  Image image{width, height, std::vector<std::uint8_t>(std::size_t(3) * std::size_t(width * height))};
  for (int y = row * height / 4; y < (row + 1) * height / 4; ++y) {
    for (int x = column * width / 4; x < (column + 1) * width / 4; ++x) {
      std::fill_n(&image.rgb[std::size_t(3) * std::size_t(y * width + x)], 3, std::uint8_t{240});
    }
  }
  return image;
}

Image with_both(const Image& a, const Image& b) {
  Image both = a;
  for (std::size_t i = 0; i < both.rgb.size(); ++i) both.rgb[i] = std::max(a.rgb[i], b.rgb[i]);
  return both;
}

int largest(const TileMap& map) {
  return static_cast<int>(std::max_element(map.values.begin(), map.values.end()) - map.values.begin());
}

ExplainOptions four_by_four() {
  ExplainOptions options;
  options.grid = 4;
  options.margin = 0;
  options.batch = 5;
  options.stored_tokens = 2;
  return options;
}

TEST(MatchScore, IsThatOfTheSearch) {
  for (const RerankMethod method : {RerankMethod::kNone, RerankMethod::kAligned, RerankMethod::kMaxSim}) {
    for (const int budget : {0, 3}) {
      test::TestLibrary library(48, 8, {30, 20}, 7);
      const Searcher searcher(library.parts());
      SearchOptions options;
      options.rerank = method;
      options.tokens = budget;
      options.k = 10;
      const Query query = library.query();
      const SearchResult result = searcher.search(query, options);
      ASSERT_EQ(result.hits.size(), 10u);
      for (const SearchHit& hit : result.hits) {
        for (const SearchPart& part : library.parts()) {
          const auto at = std::find(part.ids.begin(), part.ids.end(), hit.id);
          if (at == part.ids.end()) continue;
          QueryPart image;
          image.tokens = part.segment->decode_tokens(static_cast<std::uint32_t>(at - part.ids.begin()), 0);
          image.token_count = static_cast<int>(image.tokens.size()) / query.width;
          const MatchScore match = match_score(query.parts.front(), image, query.width, options, 8);
          EXPECT_NEAR(match.coarse_score, hit.coarse_score, 2e-3);
          EXPECT_NEAR(match.rerank_score, hit.rerank_score, 2e-3) << rerank_method_name(method) << " " << budget;
          EXPECT_NEAR(match.score, hit.score, 2e-3);
        }
      }
    }
  }
}

TEST(ExplainMatch, PointsAtWhatBothShow) {
  FieldEncoder encoder;
  const Image shared = bright_square(1, 2);
  const Image query = with_both(shared, bright_square(3, 0));
  const Image result = with_both(shared, bright_square(0, 0));
  const MatchExplanation why = explain_match(encoder, query, result, four_by_four());
  ASSERT_EQ(why.query.columns, 4);
  ASSERT_EQ(why.query.rows, 4);
  ASSERT_EQ(why.result.values.size(), 16u);
  EXPECT_EQ(largest(why.query), 2 * 4 + 1);
  EXPECT_EQ(largest(why.result), 2 * 4 + 1);
  EXPECT_GT(why.result.values[9], 0.1F);
  EXPECT_LT(why.result.values[0], 0.0F);  // the score is higher without what only the result shows
  EXPECT_LT(why.query.values[3], 0.0F);
  EXPECT_NEAR(why.score.score, 0.7F * why.score.coarse_score + 0.3F * why.score.rerank_score, 1e-5);
}

TEST(ExplainMatch, TilesThatAreAlikeAreFoundElsewhere) {
  FieldEncoder encoder;
  // The same pattern in different tiles: a square whose upper left quarter is bright.
  const auto pattern = [](int column, int row) {
    Image image = bright_square(column, row);
    for (int y = row * 16; y < row * 16 + 16; ++y) {
      for (int x = column * 16; x < column * 16 + 16; ++x) {
        if (y % 16 >= 8 || x % 16 >= 8)
          std::fill_n(&image.rgb[std::size_t(3) * std::size_t(y * 64 + x)], 3, std::uint8_t{0});
      }
    }
    return image;
  };
  const MatchExplanation why = explain_match(encoder, pattern(3, 1), pattern(0, 2), four_by_four());
  ASSERT_EQ(why.matches.size(), 16u);
  EXPECT_EQ(why.matches[2 * 4 + 0].tile, 1 * 4 + 3);
  EXPECT_GT(why.matches[2 * 4 + 0].similarity, 0.99F);
}

TEST(ExplainMatch, TilesAreNearlySquareAndCoverThePicture) {
  FieldEncoder encoder;
  ExplainOptions options = four_by_four();
  options.grid = 6;
  const MatchExplanation why =
      explain_match(encoder, bright_square(0, 0, 96, 48), bright_square(0, 0, 16, 160), options);
  EXPECT_EQ(why.query.columns, 6);
  EXPECT_EQ(why.query.rows, 3);
  EXPECT_EQ(why.result.columns, 1);
  EXPECT_EQ(why.result.rows, 6);
  EXPECT_EQ(why.result.values.size(), 6u);
  EXPECT_EQ(why.matches.size(), 6u);
}

TEST(ExplainMatch, ProgressCountsEveryPictureOnce) {
  FieldEncoder encoder;
  std::vector<int> seen;
  int announced = 0;
  explain_match(encoder, bright_square(0, 0), bright_square(1, 1), four_by_four(), [&](int done, int total) {
    seen.push_back(done);
    announced = total;
  });
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), announced);
  EXPECT_EQ(announced, 2 + 4 * 16);
  EXPECT_LE(*std::max_element(encoder.calls.begin(), encoder.calls.end()), 5);
}

TEST(ExplainMatch, StopsWithinABatch) {
  FieldEncoder encoder;
  std::stop_source stop;
  encoder.on_call = [&] {
    if (encoder.calls.size() == 4) stop.request_stop();
  };
  EXPECT_EQ(code_thrown_by([&] {
              explain_match(encoder, bright_square(0, 0), bright_square(1, 1), four_by_four(), {}, stop.get_token());
            }),
            ErrorCode::kCancelled);
  EXPECT_EQ(encoder.calls.size(), 4u);
}

TEST(ExplainMatch, RefusesOptionsOutOfRange) {
  FieldEncoder encoder;
  const auto refused = [&](auto change) {
    ExplainOptions options = four_by_four();
    change(options);
    return code_thrown_by([&] { explain_match(encoder, bright_square(0, 0), bright_square(0, 0), options); }) ==
           ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](ExplainOptions& options) { options.grid = 1; }));
  EXPECT_TRUE(refused([](ExplainOptions& options) { options.grid = 17; }));
  EXPECT_TRUE(refused([](ExplainOptions& options) { options.batch = 0; }));
  EXPECT_TRUE(refused([](ExplainOptions& options) { options.margin = -1; }));
  EXPECT_TRUE(refused([](ExplainOptions& options) { options.stored_tokens = 0; }));
}

SearchHit hit_of(float coarse, float rerank, double by_chance = std::nan("")) {
  SearchHit hit;
  hit.coarse_score = coarse;
  hit.rerank_score = rerank;
  hit.by_chance = by_chance;
  return hit;
}

TEST(MatchSentence, SaysWhatTheScoresMean) {
  const SearchOptions aligned;
  EXPECT_EQ(match_sentence(hit_of(0.83F, 0.41F, 0.005), aligned, 200),
            "Very similar as a whole (0.83), details and layout agree less (0.41). "
            "One in 40,000 unrelated pictures scores this high.");
  EXPECT_EQ(match_sentence(hit_of(0.99F, 0.98F, 1e-12), aligned, 1000),
            "Nearly the same picture (0.99), details and layout agree as well (0.98). "
            "No unrelated picture is expected to score this high.");
  EXPECT_EQ(match_sentence(hit_of(0.4F, 0.25F, 0.5), aligned, 1234),
            "Somewhat similar as a whole (0.40), details and layout agree somewhat less (0.25). "
            "One in 2,500 unrelated pictures scores this high.");
  EXPECT_EQ(match_sentence(hit_of(0.7F, 0.1F, 80), aligned, 160),
            "Hardly similar as a whole (0.70), details and layout differ (0.10). "
            "A typical unrelated picture scores about as high.");
}

TEST(MatchSentence, LeavesOutWhatIsNotKnown) {
  SearchOptions none;
  none.rerank = RerankMethod::kNone;
  EXPECT_EQ(match_sentence(hit_of(0.83F, 0.83F), none, 30), "Very similar as a whole (0.83).");
  EXPECT_EQ(match_sentence(hit_of(0.65F, 0.65F), none, 30), "Similar as a whole (0.65).");
  EXPECT_EQ(match_sentence(hit_of(-0.1F, 0.0F), none, 30), "Hardly similar as a whole (-0.10).");
  EXPECT_EQ(match_sentence(hit_of(0.5F, 0.5F, 0.05), none, 60),
            "Similar as a whole (0.50). One in 1,200 unrelated pictures scores this high.");
}

}  // namespace
}  // namespace tessera
