// Rerank scores against the documented formulas, and what int8 does to them compared with float32 tokens.
#include "search/rerank.h"

#include <gtest/gtest.h>

#include "search/search_fixture.h"

namespace tessera {
namespace {

using test::ImageMaker;
using test::TemporaryFolder;
using test::TestImage;

class Rerank : public testing::TestWithParam<std::tuple<SimdLevel, RerankMethod, int>> {
 protected:
  void SetUp() override {
    if (!simd_level_supported(std::get<0>(GetParam()))) GTEST_SKIP() << "not in this CPU";
  }
};
INSTANTIATE_TEST_SUITE_P(All, Rerank,
                         testing::Combine(testing::Values(SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512),
                                          testing::Values(RerankMethod::kAligned, RerankMethod::kMaxSim),
                                          testing::Values(3, 37, 384, 768, 2560)));

struct Candidates {
  std::shared_ptr<const Segment> segment;
  RowMask mask;
  std::vector<ImageId> ids;
  std::vector<ScanHit> hits;
  std::vector<ScanSource> sources;
};

Candidates make_candidates(const TemporaryFolder& folder, const SegmentSpec& spec, std::span<const TestImage> images) {
  Candidates made;
  made.segment = test::write_segment(folder / "1.seg", spec, images);
  made.mask = make_row_mask(made.segment->rows(), true);
  for (std::uint32_t row = 0; row < made.segment->rows(); ++row) {
    made.ids.push_back(row + 1);
    made.hits.push_back({row + 1, 0, row, 0.25f});
  }
  return made;
}

TEST_P(Rerank, FollowsTheFormula) {
  const auto [level, method, width] = GetParam();
  TemporaryFolder folder;
  ImageMaker maker(width, 16, 9);
  const Candidates made = make_candidates(folder, test::test_spec(width, 16), test::make_images(maker, 40));
  const std::vector<ScanSource> sources{{made.segment.get(), made.ids, &made.mask}};
  for (const int query_tokens : {1, 7, 16, 20}) {
    const TestImage example = maker.image(query_tokens);
    const Query query{{{example.tokens, example.count, 1.0f}}, width};
    for (const int budget : {0, 1, 4, 16, 99}) {
      const std::vector<float> scores =
          rerank_scores(sources, combine_query(query), made.hits, {method, budget, 2, level});
      const std::vector<float> portable =
          rerank_scores(sources, combine_query(query), made.hits, {method, budget, 1, SimdLevel::kPortable});
      EXPECT_EQ(scores, portable);
      for (std::uint32_t row = 0; row < made.segment->rows(); ++row) {
        EXPECT_NEAR(scores[row], test::oracle_rerank(method, *made.segment, row, test::unit_tokens(query), budget),
                    2e-4)
            << "row " << row << " budget " << budget << " query tokens " << query_tokens;
      }
    }
  }
}

TEST(RerankCodec, Int8KeepsScoresAndRankingOfFloatTokens) {
  TemporaryFolder folder;
  test::TestLibrary library(768, 16, {400}, 3);
  std::vector<TestImage> images;
  for (int i = 0; i < 200; ++i) images.push_back(library.themed());
  const Candidates made = make_candidates(folder, test::test_spec(768, 16), images);
  const std::vector<ScanSource> sources{{made.segment.get(), made.ids, &made.mask}};
  const Query query = library.query();
  const auto tokens = test::unit_tokens(query);
  const std::vector<float> scores =
      rerank_scores(sources, combine_query(query), made.hits, {RerankMethod::kAligned, 0, 2});
  double worst = 0;
  std::vector<std::pair<double, std::uint32_t>> exact, coded;
  for (std::uint32_t row = 0; row < 200; ++row) {
    double sum = 0, weights = 0;
    for (int t = 0; t < std::min(int(tokens.size()), images[row].count); ++t) {
      const auto stored = test::normalised(std::span(images[row].tokens).subspan(std::size_t(t) * 768, 768));
      sum += test::weight(t, 16) * test::dot(tokens[std::size_t(t)], stored);
      weights += test::weight(t, 16);
    }
    worst = std::max(worst, std::fabs(sum / weights - scores[row]));
    exact.emplace_back(-sum / weights, row);
    coded.emplace_back(-scores[row], row);
  }
  std::sort(exact.begin(), exact.end());
  std::sort(coded.begin(), coded.end());
  int common = 0;
  for (int i = 0; i < 20; ++i) {
    common += static_cast<int>(std::count_if(coded.begin(), coded.begin() + 20,
                                             [&](const auto& c) { return c.second == exact[std::size_t(i)].second; }));
  }
  EXPECT_LT(worst, 1.5e-3);
  EXPECT_GE(common, 18);
}

TEST(RerankNone, KeepsTheCoarseScore) {
  TemporaryFolder folder;
  ImageMaker maker(8, 4, 1);
  const Candidates made = make_candidates(folder, test::test_spec(8, 4), test::make_images(maker, 5));
  const std::vector<ScanSource> sources{{made.segment.get(), made.ids, &made.mask}};
  const TestImage example = maker.image(2);
  const CombinedQuery query = combine_query({{{example.tokens, 2, 1.0f}}, 8});
  EXPECT_EQ(rerank_scores(sources, query, made.hits, {RerankMethod::kNone}), std::vector<float>(5, 0.25f));
  EXPECT_TRUE(rerank_scores(sources, query, {}, {RerankMethod::kMaxSim}).empty());
}

TEST(RerankSelf, AnImageScoresOneAgainstItself) {
  TemporaryFolder folder;
  ImageMaker maker(768, 16, 1);
  const std::vector<TestImage> images = test::make_images(maker, 5);
  const Candidates made = make_candidates(folder, test::test_spec(768, 16), images);
  const std::vector<ScanSource> sources{{made.segment.get(), made.ids, &made.mask}};
  for (const RerankMethod method : {RerankMethod::kAligned, RerankMethod::kMaxSim}) {
    const CombinedQuery query = combine_query({{{images[2].tokens, images[2].count, 1.0f}}, 768});
    EXPECT_GT(rerank_scores(sources, query, made.hits, {method})[2], 0.9998f);
  }
}

}  // namespace
}  // namespace tessera
