// Diverse picks against plain greedy choice.
#include "tessera/indexer/diversity.h"

#include <gtest/gtest.h>

#include <set>

#include "analyse/analyse_fixture.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::plain_dot;
using test::themed_vectors;

std::vector<std::size_t> rows_of(const std::vector<DiversePicked>& picked) {
  std::vector<std::size_t> rows;
  for (const DiversePicked& each : picked) rows.push_back(each.row);
  return rows;
}

// The plain rules, every pair compared anew.
std::size_t plain_next(const VectorSet& set, const std::vector<std::size_t>& taken, DiversityMethod method) {
  std::size_t best = set.size();
  std::int64_t best_value = 0;
  for (std::size_t row = 0; row < set.size(); ++row) {
    if (std::count(taken.begin(), taken.end(), row) > 0) continue;
    std::int64_t value = 0;
    if (method == DiversityMethod::kFarthestPoint) {
      std::int64_t nearest = INT64_MIN;
      for (const std::size_t other : taken) nearest = std::max(nearest, plain_dot(set, row, other));
      value = -nearest;
    } else {
      for (std::size_t client = 0; client < set.size(); ++client) {
        std::int64_t served = -2 * std::int64_t(VectorSet::kOne) * VectorSet::kOne;
        for (const std::size_t other : taken) served = std::max(served, plain_dot(set, client, other));
        value += std::max(served, plain_dot(set, client, row));
      }
    }
    if (best == set.size() || value > best_value) {
      best = row;
      best_value = value;
    }
  }
  return best;
}

TEST(Diversity, FollowsThePlainRulesFromFixedPictures) {
  const VectorSet set = themed_vectors(80, 24, 7, 0.8f, 11);
  for (const DiversityMethod method : {DiversityMethod::kFarthestPoint, DiversityMethod::kFacilityLocation}) {
    DiverseOptions options{.count = 12, .method = method, .fixed = {17, 3, 17}, .clients = 0, .threads = 2, .stop = {}};
    std::vector<std::size_t> taken = {17, 3};
    for (const DiversePicked& picked : pick_diverse(set, options)) {
      EXPECT_EQ(picked.row, plain_next(set, taken, method)) << diversity_method_name(method) << taken.size();
      double nearest = -1;
      for (const std::size_t other : taken) nearest = std::max(nearest, test::plain_similarity(set, picked.row, other));
      EXPECT_NEAR(picked.nearest, nearest, 1e-6);
      taken.push_back(picked.row);
    }
    EXPECT_EQ(taken.size(), 14U);
  }
}

TEST(Diversity, WithoutFixedPicturesFarthestStartsWithTheMostTypical) {
  VectorSet set(3);
  for (const std::vector<float>& v : {std::vector<float>{1, 0, 0}, {1, 1, 0}, {0, 1, 0}, {0, 0, 1}}) set.add(v);
  const auto picked =
      pick_diverse(set, {.count = 2, .method = DiversityMethod::kFarthestPoint, .fixed = {}, .stop = {}});
  ASSERT_EQ(picked.size(), 2U);
  EXPECT_EQ(picked[0].row, 1U);  // nearest to the mean (2, 2, 1)
  EXPECT_EQ(picked[0].nearest, -1.0f);
  EXPECT_EQ(picked[1].row, 3U);  // at a right angle to it
  EXPECT_NEAR(picked[1].nearest, 0, 1e-4);
}

TEST(Diversity, OnePictureOfEachThemeAndFacilityLocationLeavesTheOddOneOut) {
  std::vector<int> theme_of;
  const VectorSet themed = themed_vectors(300, 32, 6, 0.2f, 4, &theme_of);
  for (const DiversityMethod method : {DiversityMethod::kFarthestPoint, DiversityMethod::kFacilityLocation}) {
    std::set<int> themes;
    for (const std::size_t row :
         rows_of(pick_diverse(themed, {.count = 6, .method = method, .fixed = {}, .stop = {}}))) {
      themes.insert(theme_of[row]);
    }
    EXPECT_EQ(themes.size(), 6U) << diversity_method_name(method);
  }
  VectorSet with_odd = themed;
  std::vector<float> odd(32, 0.0f);
  odd[0] = -1;
  with_odd.add(odd);
  const auto farthest = rows_of(pick_diverse(with_odd, {.count = 7, .fixed = {}, .stop = {}}));
  EXPECT_EQ(std::count(farthest.begin(), farthest.end(), 300U), 1);
  const auto facility = rows_of(
      pick_diverse(with_odd, {.count = 6, .method = DiversityMethod::kFacilityLocation, .fixed = {}, .stop = {}}));
  EXPECT_EQ(std::count(facility.begin(), facility.end(), 300U), 0);
}

TEST(Diversity, IsTheSameWithAnyNumberOfThreadsAndEndsWithTheSet) {
  const VectorSet set = themed_vectors(1'500, 20, 9, 1.0f, 8);
  for (const DiversityMethod method : {DiversityMethod::kFarthestPoint, DiversityMethod::kFacilityLocation}) {
    DiverseOptions options{.count = 40, .method = method, .fixed = {}, .clients = 700, .threads = 1, .stop = {}};
    const auto one = rows_of(pick_diverse(set, options));
    options.threads = 4;
    EXPECT_EQ(rows_of(pick_diverse(set, options)), one);
    options.count = 5'000;
    const auto all = rows_of(pick_diverse(set, options));
    EXPECT_EQ(std::set<std::size_t>(all.begin(), all.end()).size(), set.size());
  }
  EXPECT_TRUE(pick_diverse(VectorSet(4), {.fixed = {}, .stop = {}}).empty());
  EXPECT_THROW(pick_diverse(set, {.fixed = {1'500}, .stop = {}}), Error);
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(pick_diverse(set, {.fixed = {}, .stop = source.get_token()}), Error);
}

TEST(Diversity, NamesOfMethods) {
  EXPECT_EQ(parse_diversity_method("facility"), DiversityMethod::kFacilityLocation);
  EXPECT_EQ(parse_diversity_method("farthest"), DiversityMethod::kFarthestPoint);
  EXPECT_THROW(parse_diversity_method("random"), Error);
}

}  // namespace
}  // namespace tessera
