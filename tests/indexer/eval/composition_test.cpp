// Comp@K: gIoU by hand, the matching against all permutations, and tables against a direct reading of the formula.
#include "tessera/indexer/eval_composition.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace tessera::eval {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

// The best sum over every one-to-one assignment.
double brute_force(const std::vector<double>& weights, std::size_t rows, std::size_t columns) {
  const std::size_t most = std::max(rows, columns);
  std::vector<std::size_t> order(most);
  std::iota(order.begin(), order.end(), std::size_t{0});
  double best = 0;
  do {
    double sum = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      if (order[r] < columns) sum += weights[r * columns + order[r]];
    }
    best = std::max(best, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Matching, IsTheBestOfAllPermutations) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int trial = 0; trial < 400; ++trial) {
    const std::size_t rows = 1 + random() % 6;
    const std::size_t columns = 1 + random() % 6;
    std::vector<double> weights(rows * columns);
    // Zeros and equal weights, as pairs of different classes and equal boxes give them, in every third trial.
    for (double& weight : weights) {
      weight = trial % 3 == 0 ? double(random() % 3) / 2 : uniform(random);
    }
    EXPECT_NEAR(best_matching(weights, rows, columns), brute_force(weights, rows, columns), 1e-12)
        << rows << " x " << columns;
  }
}

TEST(Matching, ByHand) {
  // Taking the largest pair first (0.9) would leave 0.1: 1.0 against 0.8 + 0.8.
  EXPECT_DOUBLE_EQ(best_matching(std::vector<double>{0.9, 0.8, 0.8, 0.1}, 2, 2), 1.6);
  EXPECT_DOUBLE_EQ(best_matching(std::vector<double>{0.2, 0.7, 0.4}, 1, 3), 0.7);
  EXPECT_EQ(best_matching({}, 0, 3), 0);
  // A large diagonal, shifted.
  std::vector<double> weights(100 * 100, 0.25);
  for (std::size_t i = 0; i < 100; ++i) weights[i * 100 + (i + 37) % 100] = 1;
  EXPECT_DOUBLE_EQ(best_matching(weights, 100, 100), 100);
}

TEST(GeneralisedIou, ByHand) {
  const Box unit{0, 0, 0, 0.5, 0.5};
  EXPECT_DOUBLE_EQ(generalised_iou(unit, unit), 1);
  // Half overlap: shared 0.125, joined 0.375, around 0.375.
  EXPECT_DOUBLE_EQ(generalised_iou(unit, {0, 0.25, 0, 0.5, 0.5}), 1.0 / 3);
  // Diagonal neighbours: shared 0, joined 0.5, around 1.
  EXPECT_DOUBLE_EQ(generalised_iou(unit, {0, 0.5, 0.5, 0.5, 0.5}), -0.5);
  // One inside the other: no gap.
  EXPECT_DOUBLE_EQ(generalised_iou(unit, {0, 0.1, 0.1, 0.25, 0.25}), 0.25);
  // Far apart and small: near -1.
  EXPECT_LT(generalised_iou({0, 0, 0, 0.01, 0.01}, {0, 0.99, 0.99, 0.01, 0.01}), -0.99);
}

TEST(RawScores, MatchWithinClassesOnly) {
  // A dog in the same place, a cat moved to a diagonal neighbour (gIoU -0.5), a lamp that the result lacks.
  const std::vector<Box> query = {{1, 0, 0, 0.5, 0.5}, {0, 0, 0, 0.5, 0.5}, {2, 0, 0, 1, 1}};
  const std::vector<Box> result = {{0, 0.5, 0.5, 0.5, 0.5}, {1, 0, 0, 0.5, 0.5}};
  const RawScores scores = raw_scores(query, result);
  EXPECT_DOUBLE_EQ(scores.composition, 1 + 0.25);
  EXPECT_DOUBLE_EQ(scores.objects, 2);
  EXPECT_DOUBLE_EQ(raw_scores(query, {}).composition, 0);
}

std::vector<Box> random_boxes(std::mt19937& random, std::size_t most, int classes) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Box> boxes(random() % (most + 1));
  for (Box& box : boxes) {
    box.category = static_cast<int>(random() % static_cast<unsigned>(classes));
    box.x = 0.7 * uniform(random);
    box.y = 0.7 * uniform(random);
    box.width = 0.05 + 0.25 * uniform(random);
    box.height = 0.05 + 0.25 * uniform(random);
  }
  return boxes;
}

TEST(RawScores, EqualTheMatchingOfTheWholeMatrix) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    const std::vector<Box> a = random_boxes(random, 6, 3);
    const std::vector<Box> b = random_boxes(random, 6, 3);
    std::vector<double> layout, objects;
    for (const Box& i : a) {
      for (const Box& j : b) {
        layout.push_back(i.category == j.category ? (generalised_iou(i, j) + 1) / 2 : 0);
        objects.push_back(i.category == j.category ? 1 : 0);
      }
    }
    const RawScores scores = raw_scores(a, b);
    EXPECT_NEAR(scores.composition, brute_force(layout, a.size(), b.size()), 1e-12);
    EXPECT_NEAR(scores.objects, brute_force(objects, a.size(), b.size()), 1e-12);
    EXPECT_NEAR(scores.composition, raw_scores(b, a).composition, 1e-12);
  }
}

EvalSet random_set(std::size_t pictures, unsigned seed) {
  std::mt19937 random(seed);
  EvalSet set;
  set.categories = {"a", "b", "c"};
  for (std::size_t i = 0; i < pictures; ++i) {
    set.pictures.push_back({std::to_string(i), -1, random_boxes(random, 5, 3)});
  }
  set.pictures[3].boxes.clear();
  return set;
}

TEST(CompositionTable, IsRawOverTheBestOfTheDatabase) {
  const EvalSet set = random_set(20, 1);
  std::vector<std::size_t> all(20);
  std::iota(all.begin(), all.end(), std::size_t{0});
  const std::vector<std::size_t> queries = {0, 3, 17};
  const CompositionTable table(set, queries, set, all, true, 2);
  ASSERT_EQ(table.queries(), 3u);
  ASSERT_EQ(table.database(), 20u);
  EXPECT_FALSE(table.has_match(1));  // picture 3 has no boxes
  for (const std::size_t q : {std::size_t{0}, std::size_t{2}}) {
    EXPECT_TRUE(table.has_match(q));
    double best = 0, most = 0;
    for (const std::size_t d : all) {
      if (d == queries[q]) continue;
      const RawScores scores = raw_scores(set.pictures[queries[q]].boxes, set.pictures[d].boxes);
      best = std::max(best, scores.composition);
      most = std::max(most, scores.objects);
    }
    for (const std::size_t d : all) {
      const RawScores scores = raw_scores(set.pictures[queries[q]].boxes, set.pictures[d].boxes);
      const bool itself = d == queries[q];
      EXPECT_NEAR(table.composition(q, d), itself ? 0 : scores.composition / best, 1e-6);
      EXPECT_NEAR(table.recall(q, d), itself ? 0 : scores.objects / most, 1e-6);
    }
  }
}

TEST(CompositionTable, BestOfTheFirstResults) {
  // Query: one box. Database: the same box (Comp 1), a diagonal neighbour (0.25), another class (0).
  const Box box{0, 0, 0, 0.5, 0.5};
  EvalSet set;
  set.categories = {"a", "b"};
  set.pictures = {{"q", -1, {box}},
                  {"r0", -1, {{1, 0, 0, 1, 1}}},
                  {"r1", -1, {{0, 0.5, 0.5, 0.5, 0.5}}},
                  {"r2", -1, {box, {1, 0, 0, 1, 1}}},
                  {"none", -1, {}}};
  const std::vector<std::size_t> queries = {0, 4};
  const std::vector<std::size_t> database = {1, 2, 3};
  const CompositionTable table(set, queries, set, database, true);
  const std::vector<Ranking> rankings = {{{0, 0.9f}, {1, 0.8f}, {2, 0.7f}}, {{0, 0.9f}, {1, 0.8f}, {2, 0.7f}}};
  const auto near = [](double value) { return DoubleNear(value, 1e-6); };
  // The second query has no match and takes no part.
  EXPECT_THAT(composition_at(table, rankings, 1).composition, ElementsAre(near(0)));
  EXPECT_THAT(composition_at(table, rankings, 2).composition, ElementsAre(near(0.25)));
  EXPECT_THAT(composition_at(table, rankings, 2).recall, ElementsAre(near(1)));
  EXPECT_THAT(composition_at(table, rankings, 5).composition, ElementsAre(near(1)));

  const auto best_of_two = oracle_rankings(table, rankings, 2);
  EXPECT_THAT(composition_at(table, best_of_two, 1).composition, ElementsAre(near(0.25)));
  const auto best_of_all = oracle_rankings(table, rankings, 0);
  EXPECT_THAT(composition_at(table, best_of_all, 1).composition, ElementsAre(near(1)));
  EXPECT_EQ(best_of_all[0][0].row, 2u);
}

}  // namespace
}  // namespace tessera::eval
