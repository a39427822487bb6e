// Outliers and affinity to a collection against plain arithmetic over all pairs.
#include "tessera/indexer/outliers.h"

#include <gtest/gtest.h>

#include <numeric>

#include "analyse/analyse_fixture.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::plain_similarity;
using test::themed_vectors;

double plain_mean(const VectorSet& set, std::size_t row, const std::vector<std::size_t>& others, int k) {
  std::vector<double> similarities;
  for (const std::size_t other : others) {
    if (other != row) similarities.push_back(plain_similarity(set, row, other));
  }
  std::sort(similarities.rbegin(), similarities.rend());
  k = std::min(k, static_cast<int>(similarities.size()));
  return std::accumulate(similarities.begin(), similarities.begin() + k, 0.0) / k;
}

std::vector<std::size_t> all_rows(const VectorSet& set) {
  std::vector<std::size_t> rows(set.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

TEST(Outliers, AreTheRowsWithTheLeastMeanOverAllPairs) {
  const VectorSet set = themed_vectors(1'400, 24, 40, 0.9f, 21);  // more rows than the sample that bounds them
  for (const int k : {1, 5}) {
    std::vector<std::pair<double, std::size_t>> plain;
    for (const std::size_t row : all_rows(set)) plain.emplace_back(plain_mean(set, row, all_rows(set), k), row);
    std::sort(plain.begin(), plain.end());
    const auto found = find_outliers(set, {.count = 100, .neighbours = k, .threads = 2, .stop = {}});
    ASSERT_EQ(found.size(), 100U);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i].similarity, plain[i].first, 1e-6);
      EXPECT_NEAR(plain_mean(set, found[i].row, all_rows(set), k), plain[i].first, 1e-6) << i;
    }
  }
}

TEST(Outliers, OddPicturesStandOutByChanceToo) {
  VectorSet set = themed_vectors(600, 64, 5, 0.3f, 2);
  const VectorSet odd = themed_vectors(3, 64, 3, 0.0f, 77);
  for (std::size_t row = 0; row < odd.size(); ++row) {
    std::vector<float> vector(odd.row(row), odd.row(row) + odd.width());
    set.add(vector);
  }
  const auto found = find_outliers(set, {.count = 10, .stop = {}});
  std::vector<std::size_t> first;
  for (std::size_t i = 0; i < 3; ++i) {
    first.push_back(found[i].row);
    EXPECT_LT(found[i].by_chance, 0.1);
  }
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, (std::vector<std::size_t>{600, 601, 602}));
  EXPECT_GT(found[3].by_chance, found[2].by_chance);
  EXPECT_GT(found[9].by_chance, 1);
}

TEST(Outliers, SmallSetsAndBadOptions) {
  const VectorSet small = themed_vectors(4, 8, 2, 1.0f, 1);
  const auto found = find_outliers(small, {.stop = {}});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_TRUE(std::isnan(found[0].by_chance));
  EXPECT_NEAR(found[0].similarity, plain_mean(small, found[0].row, all_rows(small), 3), 1e-6);
  EXPECT_TRUE(find_outliers(themed_vectors(1, 8, 1, 1.0f, 1)).empty());
  EXPECT_TRUE(find_outliers(VectorSet(8)).empty());
  EXPECT_THROW(find_outliers(small, {.neighbours = 0, .stop = {}}), Error);
  EXPECT_THROW(find_outliers(small, {.neighbours = 65, .stop = {}}), Error);
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(find_outliers(small, {.stop = source.get_token()}), Error);
}

TEST(Affinity, IsTheMeanOverTheNearestMembers) {
  const VectorSet set = themed_vectors(500, 24, 10, 0.8f, 31);
  const std::vector<std::size_t> members = {400, 3, 77, 78, 150, 3, 9};
  const auto found = find_more_like(set, members, {.count = 493, .neighbours = 3, .threads = 2, .stop = {}});
  ASSERT_EQ(found.size(), 493U);
  std::vector<std::size_t> distinct = {3, 9, 77, 78, 150, 400};
  std::vector<double> own;
  for (const std::size_t row : distinct) own.push_back(plain_mean(set, row, distinct, 3));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double plain = plain_mean(set, found[i].row, distinct, 3);
    EXPECT_NEAR(found[i].similarity, plain, 1e-6);
    if (i > 0) {
      EXPECT_LE(found[i].similarity, found[i - 1].similarity);
    }
    EXPECT_EQ(std::count(distinct.begin(), distinct.end(), found[i].row), 0);
    const auto below = std::count_if(own.begin(), own.end(), [&](double value) { return value <= plain + 1e-9; });
    EXPECT_NEAR(found[i].fits, double(below) / 6, 1e-9);
  }
}

TEST(Affinity, ACollectionOfTwoThemesFindsBothAndNothingBetween) {
  std::vector<int> theme_of;
  const VectorSet set = themed_vectors(900, 48, 9, 0.35f, 13, &theme_of);
  std::vector<std::size_t> members;
  std::size_t wanted = 0;
  for (std::size_t row = 0; row < set.size(); ++row) {
    if (theme_of[row] != 2 && theme_of[row] != 5) continue;
    if (members.size() < 20)
      members.push_back(row);
    else
      ++wanted;
  }
  const auto found = find_more_like(set, members, {.count = wanted, .stop = {}});
  ASSERT_EQ(found.size(), wanted);
  for (const Affinity& each : found) {
    EXPECT_TRUE(theme_of[each.row] == 2 || theme_of[each.row] == 5) << each.row;
  }
}

TEST(Affinity, SmallCollectionsAndBadOptions) {
  const VectorSet set = themed_vectors(60, 16, 4, 0.5f, 6);
  const std::vector<std::size_t> one = {7};
  const auto found = find_more_like(set, one, {.count = 5, .stop = {}});
  ASSERT_EQ(found.size(), 5U);
  EXPECT_TRUE(std::isnan(found[0].fits));
  EXPECT_FALSE(std::isnan(found[0].by_chance));
  EXPECT_NEAR(found[0].similarity, set.similarity(found[0].row, 7), 1e-6);
  EXPECT_TRUE(find_more_like(set, all_rows(set)).empty());
  EXPECT_THROW(find_more_like(set, std::vector<std::size_t>{}), Error);
  EXPECT_THROW(find_more_like(set, std::vector<std::size_t>{60}), Error);
}

}  // namespace
}  // namespace tessera
