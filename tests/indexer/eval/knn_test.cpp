// Votes of neighbours and retrieval figures on cases that can be done by hand.
#include "tessera/indexer/eval_knn.h"

#include <gmock/gmock.h>

#include <array>

namespace tessera::eval {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(Knn, VotesAreWeightedByTheirScores) {
  // Two of label 1 at 0.80 against one of label 0 at 0.85: exp(0.05 / 0.07) = 2.04 beats 2 votes, at 0.84 it does not.
  const std::vector<int> gallery = {0, 1, 1};
  const std::vector<int> truth = {0};
  const auto accuracy = [&](float nearest, std::size_t k) {
    const std::vector<Ranking> rankings = {{{0, nearest}, {1, 0.80f}, {2, 0.80f}}};
    return knn_hits(rankings, truth, gallery, k).at(0);
  };
  EXPECT_EQ(accuracy(0.85f, 3), 1);
  EXPECT_EQ(accuracy(0.84f, 3), 0);
  EXPECT_EQ(accuracy(0.84f, 1), 1);
  EXPECT_EQ(accuracy(0.84f, 50), 0);  // more than there are
}

TEST(Knn, TiesGoToTheSmallerLabelAndAnEmptyRankingIsWrong) {
  const std::vector<Ranking> rankings = {{{0, 0.5f}, {1, 0.5f}}, {}};
  const std::vector<int> gallery = {3, 2};
  EXPECT_THAT(knn_hits(rankings, std::vector<int>{2, 2}, gallery, 2), ElementsAre(1, 0));
  EXPECT_THAT(knn_hits(rankings, std::vector<int>{3, 2}, gallery, 2), ElementsAre(0, 0));
  EXPECT_THAT(knn_hits({}, {}, gallery, 2), ElementsAre());
}

TEST(Knn, ASmallTemperatureDoesNotOverflow) {
  const std::vector<Ranking> rankings = {{{0, 1.0f}, {1, 0.9f}, {2, 0.9f}}};
  EXPECT_THAT(knn_hits(rankings, std::vector<int>{7}, std::vector<int>{7, 1, 1}, 3, 1e-4), ElementsAre(1));
}

TEST(Retrieval, FiguresByHand) {
  // Query 0, label 0: right at ranks 1 and 3 of 2 relevant. Query 1, label 1: right at rank 4 of 1 relevant.
  const std::vector<int> gallery = {0, 1, 0, 2, 2};
  const std::vector<Ranking> rankings = {{{0, 0.9f}, {1, 0.8f}, {2, 0.7f}, {3, 0.6f}, {4, 0.5f}},
                                         {{0, 0.9f}, {2, 0.8f}, {3, 0.7f}, {1, 0.6f}, {4, 0.5f}},
                                         {{0, 0.9f}, {1, 0.8f}, {2, 0.7f}, {3, 0.6f}, {4, 0.5f}}};
  const std::vector<int> truth = {0, 1, 9};
  const std::vector<std::size_t> relevant = {2, 1, 0};
  const std::array<int, 2> precision_at = {1, 5};
  const std::array<int, 3> recall_at = {1, 3, 10};
  const RetrievalFigures figures = retrieval_figures(rankings, truth, gallery, relevant, precision_at, recall_at);
  EXPECT_EQ(figures.without_match, 1u);
  EXPECT_THAT(figures.average_precision, ElementsAre(DoubleEq((1.0 + 2.0 / 3) / 2), DoubleEq(0.25)));
  EXPECT_THAT(figures.precision, ElementsAre(ElementsAre(1, 0), ElementsAre(0.4, 0.2)));
  // The last is beyond the end of the ranking.
  EXPECT_THAT(figures.recall, ElementsAre(ElementsAre(0.5, 0), ElementsAre(1, 0), ElementsAre(1, 1)));
}

TEST(Retrieval, PrecisionBeyondTheEndCountsAsWrong) {
  const std::vector<Ranking> rankings = {{{0, 0.9f}, {1, 0.8f}}};
  const std::array<int, 1> at = {10};
  const std::vector<std::size_t> relevant = {2};
  const RetrievalFigures figures =
      retrieval_figures(rankings, std::vector<int>{0}, std::vector<int>{0, 0}, relevant, at, at);
  EXPECT_THAT(figures.precision, ElementsAre(ElementsAre(0.2)));
  EXPECT_THAT(figures.recall, ElementsAre(ElementsAre(1)));
}

}  // namespace
}  // namespace tessera::eval
