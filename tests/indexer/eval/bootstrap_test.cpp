// Bootstrap intervals: seeded, around the mean, as wide as theory says.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "eval/random.h"
#include "tessera/indexer/eval_report.h"

namespace tessera::eval {
namespace {

TEST(Bootstrap, IsSeeded) {
  const std::vector<double> values = {0, 1, 1, 0, 1, 0, 0, 0, 1, 1};
  const Interval a = bootstrap_mean(values, 5);
  const Interval b = bootstrap_mean(values, 5);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_EQ(a.mean, 0.5);
}

TEST(Bootstrap, IsAsWideAsTheNormalInterval) {
  Random random(3);
  std::vector<double> values;
  double sum = 0, squares = 0;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(2 + random.normal());
    sum += values.back();
    squares += values.back() * values.back();
  }
  const double mean = sum / 1000;
  const double error = std::sqrt((squares / 1000 - mean * mean) / 1000);
  const Interval interval = bootstrap_mean(values, 1);
  EXPECT_NEAR(interval.mean, mean, 1e-12);
  EXPECT_NEAR(interval.low, mean - 1.96 * error, 0.15 * error);
  EXPECT_NEAR(interval.high, mean + 1.96 * error, 0.15 * error);
}

TEST(Bootstrap, OfOneValueOrNone) {
  const Interval one = bootstrap_mean(std::vector<double>{0.25}, 1);
  EXPECT_EQ(one.low, 0.25);
  EXPECT_EQ(one.high, 0.25);
  EXPECT_EQ(bootstrap_mean({}, 1).mean, 0);
}

TEST(Random, IsUniformAndNormal) {
  Random random(1);
  double sum = 0, normal = 0, squares = 0;
  std::vector<int> counts(10);
  for (int i = 0; i < 20000; ++i) {
    sum += random.uniform();
    ++counts[random.below(10)];
    const double value = random.normal();
    normal += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 20000, 0.5, 0.01);
  EXPECT_NEAR(normal / 20000, 0, 0.03);
  EXPECT_NEAR(squares / 20000, 1, 0.04);
  for (const int count : counts) EXPECT_NEAR(count, 2000, 200);
}

TEST(Random, SamplesAreDistinctAndAscending) {
  const std::vector<std::size_t> drawn = sample(100, 30, 4);
  EXPECT_EQ(drawn.size(), 30u);
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
  EXPECT_EQ(std::set<std::size_t>(drawn.begin(), drawn.end()).size(), 30u);
  EXPECT_EQ(drawn, sample(100, 30, 4));
  EXPECT_NE(drawn, sample(100, 30, 5));
  EXPECT_EQ(sample(3, 0, 1).size(), 3u);
  EXPECT_EQ(sample(3, 9, 1).size(), 3u);
}

}  // namespace
}  // namespace tessera::eval
