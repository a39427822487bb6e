// Fixed-point vectors: similarities near the cosine, the same sums from every instruction set.
#include "tessera/indexer/vector_set.h"

#include <gtest/gtest.h>

#include "analyse/analyse_fixture.h"
#include "analyse/dot16.h"
#include "tessera/error.h"

namespace tessera {
namespace {

TEST(VectorSet, SimilarityIsTheCosine) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const int width : {1, 15, 16, 17, 384, 1280}) {
    std::vector<std::vector<float>> added(6, std::vector<float>(static_cast<std::size_t>(width)));
    VectorSet set(width);
    for (auto& vector : added) {
      for (float& x : vector) x = 7 * normal(random);
      set.add(vector);
    }
    for (std::size_t a = 0; a < added.size(); ++a) {
      for (std::size_t b = 0; b < added.size(); ++b) {
        double dot = 0, aa = 0, bb = 0;
        for (std::size_t i = 0; i < added[a].size(); ++i) {
          dot += double(added[a][i]) * added[b][i];
          aa += double(added[a][i]) * added[a][i];
          bb += double(added[b][i]) * added[b][i];
        }
        EXPECT_NEAR(set.similarity(a, b), dot / std::sqrt(aa * bb), 2e-4) << width;
      }
    }
  }
}

TEST(VectorSet, RefusesWhatCannotBeCompared) {
  EXPECT_THROW(VectorSet(0), Error);
  EXPECT_THROW(VectorSet(9000), Error);
  VectorSet set(4);
  EXPECT_THROW(set.add(std::vector<float>(3, 1.0f)), Error);
  EXPECT_THROW(set.add(std::vector<float>(4, 0.0f)), Error);
  EXPECT_EQ(set.size(), 0U);
}

TEST(Dot16, AllInstructionSetsGiveTheSameSums) {
  const VectorSet set = test::themed_vectors(37, 100, 3, 1.0f, 5);
  for (const SimdLevel level : {SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (!simd_level_supported(level)) continue;
    std::vector<Dot> dots(set.size());
    dot_kernels(level).dot_rows(set.row(5), set.row(0), set.stride(), set.size(), dots.data());
    for (std::size_t r = 0; r < set.size(); ++r) EXPECT_EQ(dots[r], test::plain_dot(set, 5, r));

    std::vector<std::int16_t> panel(set.stride() * kPanelRows);
    for (std::size_t i = 0; i < set.stride(); ++i) {
      for (std::size_t r = 0; r < kPanelRows; ++r) {
        panel[i / 2 * 2 * kPanelRows + 2 * r + i % 2] = set.row(10 + r)[i];
      }
    }
    for (const Dot least : {Dot{0}, kDotOne / 8, static_cast<Dot>(test::plain_dot(set, 21, 13))}) {
      const std::uint32_t hits =
          dot_kernels(level).panel_hits(set.row(20), set.stride(), panel.data(), set.stride(), least);
      for (std::size_t q = 0; q < kPanelQueries; ++q) {
        for (std::size_t r = 0; r < kPanelRows; ++r) {
          EXPECT_EQ(hits >> (q * kPanelRows + r) & 1, test::plain_dot(set, 20 + q, 10 + r) >= least ? 1U : 0U);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tessera
