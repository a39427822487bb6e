// All pairs above a similarity against a comparison of every pair, below and above the size from which bounds are used.
#include "tessera/indexer/similar_pairs.h"

#include <gtest/gtest.h>

#include <set>

#include "analyse/analyse_fixture.h"
#include "analyse/prefix_bound.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::themed_vectors;

std::vector<SimilarPair> plain_pairs(const VectorSet& set, double least) {
  std::vector<SimilarPair> pairs;
  std::vector<Dot> dots(set.size());
  for (std::size_t a = 0; a < set.size(); ++a) {
    dot_kernels().dot_rows(set.row(a), set.row(0), set.stride(), set.size(), dots.data());
    for (std::size_t b = a + 1; b < set.size(); ++b) {
      if (double(dots[b]) / kDotOne >= least) pairs.push_back({a, b, similarity_of(dots[b])});
    }
  }
  return pairs;
}

void expect_same(const std::vector<SimilarPair>& found, const std::vector<SimilarPair>& plain) {
  ASSERT_EQ(found.size(), plain.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].a, plain[i].a) << i;
    ASSERT_EQ(found[i].b, plain[i].b) << i;
    ASSERT_EQ(found[i].similarity, plain[i].similarity) << i;
  }
}

TEST(SimilarPairs, AreAllPairsOfSmallSets) {
  for (const std::size_t rows : {2U, 7U, 63U, 64U, 65U, 333U}) {
    const VectorSet set = themed_vectors(rows, 40, 4, 0.9f, static_cast<unsigned>(rows));
    for (const double least : {-1.0, 0.0, 0.5, 0.9}) {
      expect_same(find_similar_pairs(set, {.least = least, .most_per_row = 0, .progress = {}, .stop = {}}),
                  plain_pairs(set, least));
    }
  }
  EXPECT_TRUE(find_similar_pairs(VectorSet(4)).empty());
  EXPECT_TRUE(find_similar_pairs(themed_vectors(1, 4, 1, 0.0f, 1)).empty());
}

TEST(SimilarPairs, ShortVectorsBoundAndLoseNothing) {
  const VectorSet set = themed_vectors(9'000, 64, 20, 0.6f, 17);
  const PrefixVectors prefix = make_prefix_vectors(set, 0.8, 2, {});
  ASSERT_EQ(prefix.width, 32U);  // or the bounds are not tested here
  double previous = 0;
  const auto found = find_similar_pairs(set, {.least = 0.8,
                                              .most_per_row = 0,
                                              .threads = 2,
                                              .progress =
                                                  [&](double share) {
                                                    EXPECT_GE(share, previous);
                                                    previous = share;
                                                  },
                                              .stop = {}});
  EXPECT_GT(previous, 0.99);
  const auto plain = plain_pairs(set, 0.8);
  EXPECT_GT(plain.size(), 1'000U);
  expect_same(found, plain);
}

TEST(SimilarPairs, OnlyTheMostSimilarOfARow) {
  const VectorSet set = themed_vectors(300, 24, 1, 0.5f, 5);
  const auto all = find_similar_pairs(set, {.least = 0.5, .most_per_row = 0, .progress = {}, .stop = {}});
  const auto some = find_similar_pairs(set, {.least = 0.5, .most_per_row = 3, .progress = {}, .stop = {}});
  for (std::size_t a = 0; a < set.size(); ++a) {
    std::vector<float> of_all, of_some;
    for (const SimilarPair& pair : all) {
      if (pair.a == a) of_all.push_back(pair.similarity);
    }
    for (const SimilarPair& pair : some) {
      if (pair.a == a) of_some.push_back(pair.similarity);
    }
    std::sort(of_all.rbegin(), of_all.rend());
    std::sort(of_some.rbegin(), of_some.rend());
    of_all.resize(std::min<std::size_t>(3, of_all.size()));
    EXPECT_EQ(of_some, of_all);
  }
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(find_similar_pairs(set, {.progress = {}, .stop = source.get_token()}), Error);
}

}  // namespace
}  // namespace tessera
