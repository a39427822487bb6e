// Recall of a library's stages: against searches asked one by one, with every picture as candidate, and what is
// refused.
#include "tessera/indexer/eval_recall.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "eval/eval_fixture.h"

namespace tessera::eval {
namespace {

using tessera::testing::FakeEncoder;
using test::error_of;
using test::TempDir;
using ::testing::Each;

constexpr int kPictures = 40;

class Recall : public ::testing::Test {
 protected:
  void SetUp() override {
    for (unsigned i = 0; i < kPictures; ++i) {
      tessera::testing::write_picture(folder_ / ("photos/p" + std::to_string(i) + ".png"), i);
    }
    FakeEncoder encoder;
    tessera::testing::index(library_, {folder_ / "photos"}, encoder);
    options_.rerank = RerankMethod::kMaxSim;
    options_.rerank_weight = 1;
    options_.queries = kPictures;
    options_.at = {1, 5};
    options_.candidates = {5, 10, 20, kPictures};
  }

  std::vector<ImageId> found(ImageId id, RerankMethod rerank, int k) const {
    SearchOptions search;
    search.k = k;
    search.candidates = kPictures;
    search.rerank = rerank;
    search.rerank_weight = options_.rerank_weight;
    search.exclude = {id};
    Query query{{library_.tokens(id)}, tessera::testing::kWidth};
    std::vector<ImageId> ids;
    for (const SearchHit& hit : library_.search(query, search).hits) ids.push_back(hit.id);
    return ids;
  }

  TempDir folder_;
  Library library_ = Library::open(folder_ / "lib", OpenMode::kCreate);
  RecallOptions options_;
};

TEST_F(Recall, IsTheShareThatSearchesAskedOneByOneAgreeOn) {
  const RecallFigures figures = measure_recall(library_, options_);
  EXPECT_EQ(figures.queries, std::size_t{kPictures});
  EXPECT_EQ(figures.images, kPictures);
  EXPECT_EQ(figures.coarse_used, CoarseMethod::kExact);
  ASSERT_EQ(figures.rows.size(), 5U);
  double expected = 0;
  double measured = 0;
  for (ImageId id = 1; id <= kPictures; ++id) {
    const std::vector<ImageId> truth = found(id, RerankMethod::kMaxSim, 5);
    for (const ImageId hit : found(id, RerankMethod::kNone, 5)) expected += std::count(truth.begin(), truth.end(), hit);
  }
  for (const double share : figures.rows[0].recall[1]) measured += 5 * share;
  EXPECT_NEAR(measured, expected, 1e-9);
  EXPECT_LT(measured, 5 * kPictures);  // the stages do differ
}

TEST_F(Recall, GrowsWithTheCandidatesUpToAllOfThem) {
  const RecallFigures figures = measure_recall(library_, options_);
  for (std::size_t r = 2; r < figures.rows.size(); ++r) {
    for (std::size_t k = 0; k < options_.at.size(); ++k) {
      for (std::size_t q = 0; q < figures.queries; ++q) {
        EXPECT_GE(figures.rows[r].recall[k][q], figures.rows[r - 1].recall[k][q]) << r << " " << k << " " << q;
      }
    }
  }
  EXPECT_EQ(figures.rows.back().candidates, kPictures);
  EXPECT_THAT(figures.rows.back().recall[0], Each(1.0));
  EXPECT_THAT(figures.rows.back().recall[1], Each(1.0));
  for (const RecallRow& row : figures.rows) EXPECT_EQ(row.milliseconds.size(), figures.queries);
  EXPECT_EQ(figures.exhaustive_ms.size(), figures.queries);
  EXPECT_THAT(figures.exhaustive_ms, Each(::testing::Gt(0.0)));
}

TEST_F(Recall, ARerankWithoutWeightAgreesWithTheFirstStage) {
  options_.rerank_weight = 0;
  const RecallFigures figures = measure_recall(library_, options_);
  for (const RecallRow& row : figures.rows) EXPECT_THAT(row.recall[1], Each(1.0));
}

TEST_F(Recall, AsksASeededSample) {
  options_.queries = 7;
  const RecallFigures once = measure_recall(library_, options_);
  const RecallFigures again = measure_recall(library_, options_);
  EXPECT_EQ(once.queries, 7U);
  for (std::size_t r = 0; r < once.rows.size(); ++r) EXPECT_EQ(once.rows[r].recall, again.rows[r].recall);
}

TEST_F(Recall, RefusesWhatItCannotMeasure) {
  RecallOptions none = options_;
  none.at = {};
  error_of([&] { measure_recall(library_, none); }, ErrorCode::kInvalidArgument);
  none.at = {1, 0};
  error_of([&] { measure_recall(library_, none); }, ErrorCode::kInvalidArgument);
  std::stop_source stopped;
  stopped.request_stop();
  options_.stop = stopped.get_token();
  error_of([&] { measure_recall(library_, options_); }, ErrorCode::kCancelled);
  const Library empty = Library::open(folder_ / "empty", OpenMode::kCreate);
  error_of([&] { measure_recall(empty, options_); }, ErrorCode::kInvalidArgument);
}

TEST(Percentile, IsTheNearestRank) {
  EXPECT_EQ(percentile({}, 0.5), 0);
  EXPECT_EQ(percentile({3}, 0.99), 3);
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(percentile(values, 0.5), 3);
  EXPECT_EQ(percentile(values, 0.2), 1);
  EXPECT_EQ(percentile(values, 0.21), 2);
  EXPECT_EQ(percentile(values, 0.99), 5);
  EXPECT_EQ(percentile(values, 0), 1);
}

}  // namespace
}  // namespace tessera::eval
