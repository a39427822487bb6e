// Calibrated scores: the formula, its claim on known distributions, and what searches make of it.
#include "search/calibration.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <random>

#include "search/search_fixture.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::TestLibrary;
using Random = std::mt19937;
using Draw = std::function<double(Random&)>;

double exponential(Random& random) { return std::exponential_distribution<double>()(random); }
double laplace(Random& random) { return exponential(random) - exponential(random); }
double normal(Random& random) { return std::normal_distribution<double>()(random); }
double gamma_2(Random& random) { return exponential(random) + exponential(random); }
double uniform(Random& random) { return std::uniform_real_distribution<double>()(random); }
double logistic(Random& random) {
  const double p = uniform(random);
  return std::log(p / (1 - p));
}

// A cosine whose place on Fisher's scale is the draw, small enough that floats tell neighbours apart.
float score_of(double draw) { return static_cast<float>(std::tanh(0.1 + 0.05 * draw)); }

std::vector<float> scores_of(const Draw& draw, int count, Random& random) {
  std::vector<float> scores;
  for (int i = 0; i < count; ++i) scores.push_back(score_of(draw(random)));
  return scores;
}

constexpr std::array kLevels = {0.1, 0.01, 0.001};

// How often one more draw gets a share of at most each level; every repetition has a sample of its own.
std::array<double, 3> rates_below(const Draw& draw, int sample, int repetitions, unsigned seed) {
  Random random(seed);
  std::array<double, 3> rates{};
  for (int i = 0; i < repetitions; ++i) {
    const double share = Background(scores_of(draw, sample, random)).share(score_of(draw(random)));
    for (std::size_t l = 0; l < kLevels.size(); ++l) rates[l] += share <= kLevels[l] ? 1.0 / repetitions : 0;
  }
  return rates;
}

double four_deviations(double level, int repetitions) { return 4 * std::sqrt(level * (1 - level) / repetitions); }

TEST(Background, IsTheFormulaOfMedianAndUpperQuartile) {
  std::vector<float> scores;
  for (int i = 0; i < 512; ++i) scores.push_back(static_cast<float>(std::tanh(0.001 * i)));
  std::shuffle(scores.begin(), scores.end(), Random(1));
  const Background background(scores);  // median 0.255, upper quartile 0.383
  const auto at = [&](double t) { return background.share(std::tanh(t)); };
  EXPECT_NEAR(at(0.255), 0.5, 1e-5);
  // Of 512 exponential scores, quartile - median is 1/129 + ... + 1/256 = 0.691198 scales on average, with the relative
  // variance 0.0081285.
  EXPECT_NEAR(at(0.383), 0.250973, 1e-5);
  EXPECT_NEAR(at(1.535), 0.000600, 1e-6);  // ten steps of 0.128
  EXPECT_NEAR(at(0.191), 0.706418, 1e-5);  // half a step below
  EXPECT_EQ(at(-1), 1.0);
  EXPECT_LT(at(9), 1e-10);
  EXPECT_EQ(background.share(1.0), background.share(1.5));  // beyond what a cosine can be
}

TEST(Background, IsKnownLessWellFromFewScores) {
  Random random(2);
  const std::vector<float> many = scores_of(exponential, 512, random);
  const std::vector<float> alike(64, 0.0F);
  std::vector<float> same = many;
  std::sort(same.begin(), same.end());
  std::vector<float> thinned;
  for (std::size_t i = 7; i < same.size(); i += 8) thinned.push_back(same[i]);  // the same quantiles
  EXPECT_GT(Background(thinned).share(0.6), 3 * Background(many).share(0.6));
  EXPECT_NO_THROW(Background(alike).share(0.5));
  EXPECT_LT(Background(alike).share(0.5), 1e-10);
  EXPECT_EQ(Background(alike).share(0.0), 0.5);
}

// The claim itself, where the tail is what the model says.
TEST(Background, ExponentialTailsGetTheShareThatIsClaimed) {
  constexpr int kRepetitions = 20000;
  const std::vector<std::pair<const char*, Draw>> shapes = {{"exponential", exponential}, {"laplace", laplace}};
  for (const auto& [name, draw] : shapes) {
    for (const int sample : {64, 512}) {
      const std::array<double, 3> rates = rates_below(draw, sample, kRepetitions, 3);
      for (std::size_t l = 0; l < kLevels.size(); ++l) {
        EXPECT_NEAR(rates[l], kLevels[l], four_deviations(kLevels[l], kRepetitions)) << name << ", " << sample;
      }
    }
  }
}

TEST(Background, LighterTailsGetLessThanIsClaimed) {
  constexpr int kRepetitions = 10000;
  const std::vector<std::pair<const char*, Draw>> shapes = {
      {"normal", normal}, {"gamma of shape 2", gamma_2}, {"uniform", uniform}, {"logistic", logistic}};
  for (const auto& [name, draw] : shapes) {
    for (const int sample : {50, 512}) {
      const std::array<double, 3> rates = rates_below(draw, sample, kRepetitions, 5);
      for (std::size_t l = 0; l < kLevels.size(); ++l) {
        EXPECT_LE(rates[l], kLevels[l] + four_deviations(kLevels[l], kRepetitions)) << name << ", " << sample;
      }
    }
  }
}

TEST(CutLength, IsTheLongestBeginningThatKeepsThePromise) {
  const std::vector<double> by_chance = {0.01, 0.15, 0.32, 0.38, 0.7, 2};
  EXPECT_EQ(cut_length(by_chance, 0.9), 4U);  // 0.38 <= 0.1 * 4, though 0.32 > 0.1 * 3
  EXPECT_EQ(cut_length(by_chance, 0.85), 5U);
  EXPECT_EQ(cut_length(by_chance, 0.95), 1U);
  EXPECT_EQ(cut_length(by_chance, 0.999), 0U);
  EXPECT_EQ(cut_length({}, 0.5), 0U);
}

// Among unrelated pictures and some related ones, the part of each list that is there by chance is on average what the
// cut promises, and the related ones are found.
TEST(CutLength, KeepsTheFalseSharePromised) {
  constexpr int kUnrelated = 2000;
  constexpr int kRelated = 25;
  constexpr int kLists = 400;
  for (const double precision : {0.9, 0.6}) {
    Random random(6);
    double false_share = 0, squares = 0, found = 0;
    for (int list = 0; list < kLists; ++list) {
      std::vector<std::pair<float, bool>> all;  // score, related
      for (int i = 0; i < kUnrelated; ++i) all.emplace_back(score_of(exponential(random)), false);
      for (int i = 0; i < kRelated; ++i) all.emplace_back(score_of(18 + 3 * normal(random)), true);
      std::shuffle(all.begin(), all.end(), random);
      std::vector<float> sample;
      for (int i = 0; i < kBackgroundSample; ++i) sample.push_back(all[std::size_t(i)].first);
      const Background background(sample);
      std::sort(all.begin(), all.end(), std::greater<>());
      std::vector<double> by_chance;
      for (int i = 0; i < 200; ++i)
        by_chance.push_back(double(all.size()) * background.share(all[std::size_t(i)].first));
      const std::size_t kept = cut_length(by_chance, precision);
      int related = 0;
      for (std::size_t i = 0; i < kept; ++i) related += all[i].second ? 1 : 0;
      const double wrong = kept == 0 ? 0 : 1 - double(related) / double(kept);
      false_share += wrong / kLists;
      squares += wrong * wrong / kLists;
      found += double(related) / kRelated / kLists;
    }
    const double deviation = std::sqrt((squares - false_share * false_share) / kLists);
    EXPECT_LE(false_share, 1 - precision + 4 * deviation) << precision;
    EXPECT_GE(found, 0.9) << precision;
  }
}

class CalibratedSearch : public ::testing::Test {
 protected:
  SearchOptions everything(RerankMethod method) const {
    SearchOptions options;
    options.rerank = method;
    options.k = 1000;
    options.candidates = 1000;
    options.calibrate = true;
    return options;
  }
};

TEST_F(CalibratedSearch, ComparesWithThePicturesThatAreSearched) {
  TestLibrary library(64, 8, {150, 0, 170}, 21);
  library.delete_rows(0.2);
  const Searcher searcher(library.parts());
  std::vector<ImageId> allowed;
  for (ImageId id = 1; id <= 320; id += 2) allowed.push_back(id);
  for (const RerankMethod method : {RerankMethod::kNone, RerankMethod::kAligned, RerankMethod::kMaxSim}) {
    for (const bool filtered : {false, true}) {
      SearchOptions options = everything(method);
      options.exclude = {4, 5, 6, 7};
      options.tokens = 5;
      const Query query = library.query();
      const auto only = filtered ? std::optional(std::span<const ImageId>(allowed)) : std::nullopt;
      const SearchResult result = searcher.search(query, options, only);
      ASSERT_EQ(std::int64_t(result.hits.size()), result.searched);
      EXPECT_EQ(result.background, result.searched);  // fewer than a sample holds
      std::vector<float> scores;
      for (const SearchHit& hit : result.hits) scores.push_back(hit.score);
      const Background background(scores);
      for (const SearchHit& hit : result.hits) {
        EXPECT_DOUBLE_EQ(hit.by_chance, double(result.searched) * background.share(hit.score));
      }
    }
  }
}

TEST_F(CalibratedSearch, SamplesALargeLibraryEvenly) {
  TestLibrary library(16, 2, {700, 900, 500}, 22);
  library.delete_rows(0.1);
  const Searcher searcher(library.parts());
  SearchOptions options = everything(RerankMethod::kAligned);
  options.k = options.candidates = 3000;
  const SearchResult result = searcher.search(library.query(), options);
  ASSERT_GT(result.searched, 3 * kBackgroundSample);
  EXPECT_EQ(result.background, kBackgroundSample);
  std::map<ImageId, float> score;
  for (const SearchHit& hit : result.hits) score[hit.id] = hit.score;
  std::vector<float> in_order;
  for (const SearchPart& part : library.parts()) {
    for (const ImageId id : part.ids) {
      if (id > 0) in_order.push_back(score.at(id));
    }
  }
  std::vector<float> sample;
  for (std::size_t i = 0; i < kBackgroundSample; ++i) {
    sample.push_back(in_order[(2 * i + 1) * in_order.size() / (2 * kBackgroundSample)]);
  }
  const Background background(sample);
  for (const SearchHit& hit : result.hits) {
    EXPECT_DOUBLE_EQ(hit.by_chance, double(result.searched) * background.share(hit.score));
  }
}

TEST_F(CalibratedSearch, TheCutIsABeginningOfTheList) {
  TestLibrary library(64, 8, {400}, 23);
  const Searcher searcher(library.parts());
  SearchOptions options = everything(RerankMethod::kAligned);
  const Query query = library.query();
  const SearchResult whole = searcher.search(query, options);
  std::vector<double> by_chance;
  for (const SearchHit& hit : whole.hits) by_chance.push_back(hit.by_chance);
  options.calibrate = false;
  for (const double precision : {0.05, 0.3, 0.9}) {
    options.precision = precision;
    const SearchResult cut = searcher.search(query, options);
    ASSERT_EQ(cut.hits.size(), cut_length(by_chance, precision)) << precision;
    EXPECT_TRUE(cut.cut);
    for (std::size_t i = 0; i < cut.hits.size(); ++i) {
      EXPECT_EQ(cut.hits[i].id, whole.hits[i].id);
      EXPECT_DOUBLE_EQ(cut.hits[i].by_chance, whole.hits[i].by_chance);
    }
  }
  options.precision = 0.05;
  options.k = 1;  // ends the list before the cut does
  ASSERT_LE(by_chance.front(), 0.95);
  const SearchResult best = searcher.search(query, options);
  EXPECT_EQ(best.hits.size(), 1U);
  EXPECT_FALSE(best.cut);
}

TEST_F(CalibratedSearch, SaysNothingUnaskedOrOfFewPictures) {
  TestLibrary library(16, 2, {kLeastBackground}, 24);
  const Searcher searcher(library.parts());
  SearchOptions options = everything(RerankMethod::kAligned);
  const Query query = library.query();
  EXPECT_FALSE(std::isnan(searcher.search(query, options).hits.front().by_chance));
  options.calibrate = false;
  const SearchResult unasked = searcher.search(query, options);
  EXPECT_TRUE(std::isnan(unasked.hits.front().by_chance));
  EXPECT_EQ(unasked.background, 0);
  EXPECT_EQ(unasked.calibrate_ms, 0);

  options.calibrate = true;
  options.exclude = {1};
  const SearchResult few = searcher.search(query, options);
  EXPECT_EQ(few.searched, kLeastBackground - 1);
  EXPECT_TRUE(std::isnan(few.hits.front().by_chance));
  for (const double precision : {0.9, 1.0, -0.1}) {
    options.precision = precision;
    EXPECT_THROW(searcher.search(query, options), Error) << precision;
  }
}

}  // namespace
}  // namespace tessera
