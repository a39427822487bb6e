// Linear probes of labels: the classifier, the split, chance on shuffled labels.
#include "tessera/indexer/eval_probe.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "eval/eval_fixture.h"
#include "eval/lbfgs.h"

namespace tessera::eval {
namespace {

using test::error_of;
using ::testing::ElementsAre;

// Noise around the corners of a simplex; feature values have very different sizes and an offset.
ProbeRows clouds(std::size_t rows, int classes, double spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0, spread);
  ProbeRows result{classes + 2, {}, {}};
  for (std::size_t r = 0; r < rows; ++r) {
    const int label = static_cast<int>(r) % classes;
    for (int d = 0; d < result.width; ++d) {
      const double scale = d == 0 ? 1000 : 0.01;
      result.values.push_back(static_cast<float>(scale * ((d == label ? 1.0 : 0.0) + noise(random) + 5)));
    }
    result.classes.push_back(label);
  }
  return result;
}

double accuracy(const LinearClassifier& classifier, const ProbeRows& rows) {
  const auto width = static_cast<std::size_t>(rows.width);
  std::size_t right = 0;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    right += classifier.predict(std::span(rows.values).subspan(r * width, width)) == rows.classes[r] ? 1 : 0;
  }
  return double(right) / double(rows.rows());
}

TEST(Minimise, FindsTheMinimumOfAQuadratic) {
  // x0^2 + 100 (x1 - 3)^2 + x0 x1
  int calls = 0;
  const Objective objective = [&](std::span<const double> x, std::span<double> gradient) {
    ++calls;
    gradient[0] = 2 * x[0] + x[1];
    gradient[1] = 200 * (x[1] - 3) + x[0];
    return x[0] * x[0] + 100 * (x[1] - 3) * (x[1] - 3) + x[0] * x[1];
  };
  const std::vector<double> found = minimise(objective, {10, -10}, 100, 1e-9);
  EXPECT_NEAR(found[1], 1200.0 / 399, 1e-8);
  EXPECT_NEAR(found[0], -600.0 / 399, 1e-8);
  EXPECT_LT(calls, 40);
}

TEST(LinearClassifier, SeparatesWhatCanBeSeparated) {
  const LinearClassifier classifier(clouds(300, 3, 0.1, 1), 3, {});
  EXPECT_EQ(accuracy(classifier, clouds(300, 3, 0.1, 2)), 1.0);
}

TEST(LinearClassifier, IsAsGoodAsTheKnownBestRule) {
  // For equal clouds around the corners the best rule takes the largest standardised coordinate.
  const ProbeRows test = clouds(3000, 3, 0.6, 4);
  std::size_t right = 0;
  for (std::size_t r = 0; r < test.rows(); ++r) {
    const float* row = test.values.data() + r * 5;
    const std::array<double, 3> scaled = {double(row[0]) / 1000, double(row[1]) / 0.01, double(row[2]) / 0.01};
    right += std::max_element(scaled.begin(), scaled.end()) - scaled.begin() == test.classes[r] ? 1 : 0;
  }
  const LinearClassifier classifier(clouds(3000, 3, 0.6, 3), 3, {});
  EXPECT_NEAR(accuracy(classifier, test), double(right) / 3000, 0.01);
}

TEST(LinearClassifier, LearnsNothingFromShuffledClasses) {
  ProbeRows rows = clouds(2000, 4, 0.1, 5);
  std::shuffle(rows.classes.begin(), rows.classes.end(), std::mt19937(6));
  const LinearClassifier classifier(rows, 4, {});
  EXPECT_NEAR(accuracy(classifier, clouds(2000, 4, 0.1, 7)), 0.25, 0.13);
  ProbeRows noise = clouds(2000, 4, 0.1, 8);
  std::shuffle(noise.classes.begin(), noise.classes.end(), std::mt19937(9));
  EXPECT_NEAR(accuracy(classifier, noise), 0.25, 0.04);
}

TEST(LinearClassifier, FollowsTheFrequencyWhereVectorsSayNothing) {
  ProbeRows rows{1, std::vector<float>(10, 7.0f), {0, 0, 2, 2, 2, 2, 2, 1, 1, 0}};
  const LinearClassifier classifier(rows, 4, {});
  EXPECT_EQ(classifier.predict(std::vector<float>{7.0f}), 2);
  EXPECT_EQ(classifier.predict(std::vector<float>{9.0f}), 2);
}

TEST(LinearClassifier, GivesTheSameWithAnyNumberOfThreads) {
  const ProbeRows test = clouds(500, 4, 1.5, 11);
  std::set<std::vector<int>> answers;
  for (const int threads : {1, 2, 5}) {
    ProbeOptions options;
    options.threads = threads;
    const LinearClassifier classifier(clouds(700, 4, 1.5, 10), 4, options);
    std::vector<int> all;
    for (std::size_t r = 0; r < test.rows(); ++r) {
      all.push_back(classifier.predict(std::span(test.values).subspan(r * 6, 6)));
    }
    answers.insert(all);
  }
  EXPECT_EQ(answers.size(), 1U);
}

TEST(LinearClassifier, RefusesRowsThatMakeNoSense) {
  error_of([] { LinearClassifier({2, {}, {}}, 2, {}); }, ErrorCode::kInvalidArgument);
  error_of([] { LinearClassifier({2, {1, 2, 3}, {0, 1}}, 2, {}); }, ErrorCode::kInvalidArgument);
  error_of([] { LinearClassifier({1, {1, 2}, {0, 2}}, 2, {}); }, ErrorCode::kInvalidArgument);
  error_of([] { LinearClassifier({1, {1, std::nanf("")}, {0, 1}}, 2, {}); }, ErrorCode::kInvalidArgument);
  const LinearClassifier classifier({1, {1, 2}, {0, 1}}, 2, {});
  error_of([&] { classifier.predict(std::vector<float>{1, 2}); }, ErrorCode::kInvalidArgument);
}

TEST(ProbeSplit, TakesTheShareOfEveryStratumOnceAndIsSeeded) {
  std::vector<int> strata(40, 0);
  std::fill(strata.begin() + 20, strata.begin() + 30, 1);
  std::fill(strata.begin() + 30, strata.end(), 2);
  const std::vector<std::string> alone(40);
  const ProbeSplit split = probe_split(strata, alone, 0.7, 1);
  std::vector<int> trained(3);
  for (const std::size_t i : split.training) ++trained[static_cast<std::size_t>(strata[i])];
  EXPECT_THAT(trained, ElementsAre(14, 7, 7));
  std::vector<std::size_t> all = split.training;
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  std::vector<std::size_t> expected(40);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  EXPECT_EQ(all, expected);
  EXPECT_EQ(probe_split(strata, alone, 0.7, 1).training, split.training);
  EXPECT_NE(probe_split(strata, alone, 0.7, 2).training, split.training);
}

TEST(ProbeSplit, KeepsGroupsTogetherAndLeavesSomethingOnEitherSide) {
  const std::vector<int> strata(12, 0);
  std::vector<std::string> groups;
  for (int i = 0; i < 12; ++i) groups.push_back("g" + std::to_string(i % 4));
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const ProbeSplit split = probe_split(strata, groups, 0.5, seed);
    EXPECT_EQ(split.training.size(), 6U);
    std::set<std::string> trained, tested;
    for (const std::size_t i : split.training) trained.insert(groups[i]);
    for (const std::size_t i : split.test) tested.insert(groups[i]);
    for (const std::string& group : trained) EXPECT_FALSE(tested.contains(group));
  }
  const ProbeSplit few = probe_split(std::vector<int>{0, 0}, std::vector<std::string>(2), 0.99, 1);
  EXPECT_EQ(few.test.size(), 1U);
  EXPECT_EQ(probe_split(std::vector<int>{0}, std::vector<std::string>(1), 0.1, 1).training.size(), 1U);
}

// Pictures whose first descriptor says the label and whose second is noise.
struct Labelled {
  EvalSet set;
  FeatureSet features;

  explicit Labelled(unsigned seed) {
    const ProbeRows rows = clouds(120, 3, 0.1, seed);
    std::mt19937 random(seed);
    std::normal_distribution<float> noise;
    set.labels = {"a", "b", "c"};
    features.vectors = {{"told", rows.width, rows.values}, {"noise", 4, {}}};
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      set.pictures.push_back({"p" + std::to_string(i), rows.classes[i], {}});
      features.pictures.push_back(i);
      for (int d = 0; d < 4; ++d) features.vectors[1].values.push_back(noise(random));
    }
  }
};

TEST(ProbeLabels, MeasuresEachDescriptorBesideTheMostFrequentLabel) {
  const Labelled made(1);
  ProbeSplit split;
  for (std::size_t i = 0; i < 120; ++i) (i % 2 == 0 ? split.training : split.test).push_back(i);
  const Measured measured = probe_labels({{made.set, made.features}, std::nullopt}, split, {});
  ASSERT_EQ(measured.rows.size(), 3U);
  EXPECT_EQ(measured.rows[0].name, "told");
  EXPECT_EQ(measured.rows[2].name, "majority");
  EXPECT_EQ(measured.queries, 60U);
  EXPECT_EQ(measured.rows[0].figures[0].mean, 100);
  EXPECT_NEAR(measured.rows[1].figures[0].mean, 33, 20);
  EXPECT_NEAR(measured.rows[2].figures[0].mean, 100.0 / 3, 1e-9);
}

TEST(ProbeLabels, TrainsOnAGallery) {
  const Labelled test(1), training(2);
  const Measured measured =
      probe_labels({{test.set, test.features}, Side{training.set, training.features}}, ProbeSplit{}, {});
  EXPECT_EQ(measured.queries, 120U);
  EXPECT_EQ(measured.rows[0].figures[0].mean, 100);
}

TEST(ProbeLabels, RefusesSidesWithoutAnAnswer) {
  Labelled made(1);
  const Sides sides{{made.set, made.features}, std::nullopt};
  error_of([&] { probe_labels(sides, {{0, 1, 2}, {}}, {}); }, ErrorCode::kUnsupported);
  error_of([&] { probe_labels(sides, {{}, {0, 1, 2}}, {}); }, ErrorCode::kUnsupported);
  error_of([&] { probe_labels(sides, {{0, 3, 6}, {1, 2}}, {}); }, ErrorCode::kUnsupported);  // one label
}

}  // namespace
}  // namespace tessera::eval
