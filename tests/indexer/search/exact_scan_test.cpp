// The scan against a brute-force oracle over the decoded f16 vectors: same rows, same scores, same order.
#include "search/exact_scan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/half.h"
#include "store/segment_fixture.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::ImageMaker;
using test::TemporaryFolder;
using test::TestImage;

struct Part {
  std::shared_ptr<const Segment> segment;
  std::vector<ImageId> ids;
  RowMask mask;
};

std::vector<ScanSource> sources_of(const std::vector<Part>& parts) {
  std::vector<ScanSource> sources;
  for (const Part& part : parts) sources.push_back({part.segment.get(), part.ids, &part.mask});
  return sources;
}

std::vector<ScanHit> oracle(const std::vector<Part>& parts, std::span<const float> query, int k) {
  std::vector<ScanHit> all;
  for (std::uint32_t s = 0; s < parts.size(); ++s) {
    for (std::uint32_t row = 0; row < parts[s].segment->rows(); ++row) {
      if (!row_in_mask(parts[s].mask, row)) continue;
      std::vector<float> v(query.size());
      parts[s].segment->decode_coarse(row, v);
      double lanes[16] = {};
      for (std::size_t i = 0; i < v.size(); ++i) lanes[i % 16] += double(query[i]) * v[i];
      all.push_back({parts[s].ids[row], s, row, static_cast<float>(reduce_lanes(lanes))});
    }
  }
  std::sort(all.begin(), all.end());
  if (all.size() > std::size_t(k)) all.resize(std::size_t(k));
  return all;
}

void expect_same(const std::vector<ScanHit>& got, const std::vector<ScanHit>& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].id, expected[i].id) << what << " rank " << i;
    EXPECT_EQ(got[i].source, expected[i].source) << what << " rank " << i;
    EXPECT_EQ(got[i].row, expected[i].row) << what << " rank " << i;
    EXPECT_EQ(got[i].score, expected[i].score) << what << " rank " << i;
  }
}

// Three segments of different sizes whose ids are not in row order, with some rows masked out.
std::vector<Part> make_parts(const TemporaryFolder& folder, ImageMaker& maker, int width, double masked) {
  std::vector<Part> parts;
  std::vector<ImageId> ids(900);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<ImageId>(i) + 1;
  std::shuffle(ids.begin(), ids.end(), maker.random());
  std::size_t used = 0;
  for (const int rows : {600, 1, 0, 131}) {
    std::vector<TestImage> images;
    for (int i = 0; i < rows; ++i) images.push_back(maker.image(1));
    // Copies of one picture: equal scores, whose order is that of the ids.
    for (int i = 10; i + 10 < rows; i += 50) images[std::size_t(i)] = images[0];
    Part part;
    const std::string name = std::to_string(parts.size()) + ".seg";
    part.segment = test::write_segment(folder / name, test::test_spec(width, 2), images);
    part.ids.assign(ids.begin() + std::ptrdiff_t(used), ids.begin() + std::ptrdiff_t(used) + rows);
    used += std::size_t(rows);
    part.mask = make_row_mask(part.segment->rows(), true);
    for (std::uint32_t row = 0; row < part.segment->rows(); ++row) {
      if (maker.random()() % 1000 < masked * 1000) clear_row(part.mask, row);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

class ExactScan : public testing::TestWithParam<std::tuple<SimdLevel, int>> {
 protected:
  void SetUp() override {
    if (!simd_level_supported(std::get<0>(GetParam()))) GTEST_SKIP() << "not in this CPU";
  }
};
INSTANTIATE_TEST_SUITE_P(LevelsAndWidths, ExactScan,
                         testing::Combine(testing::Values(SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512),
                                          testing::Values(3, 8, 70, 384, 768, 2560)));

TEST_P(ExactScan, IsTheBruteForceAnswer) {
  const auto [level, width] = GetParam();
  TemporaryFolder folder;
  ImageMaker maker(width, 2, unsigned(width));
  for (const double masked : {0.0, 0.3, 0.98}) {
    const std::vector<Part> parts = make_parts(folder, maker, width, masked);
    const std::vector<ScanSource> sources = sources_of(parts);
    std::vector<float> stored(std::size_t(width), 0.0f);
    parts[0].segment->decode_coarse(0, stored);  // has copies: ties
    for (const std::vector<float>& query : {test::normalised(maker.vector()), stored}) {
      for (const int k : {1, 10, 200, 5000}) {
        for (const int threads : {1, 3}) {
          ScanStats stats;
          const auto hits = exact_scan(sources, query, width, {k, threads, level}, &stats);
          ASSERT_EQ(hits.size(), 1u);
          expect_same(hits[0], oracle(parts, query, k), "masked " + std::to_string(masked) + " k " + std::to_string(k));
          EXPECT_LE(stats.rescored, stats.scanned);
        }
      }
    }
  }
}

TEST_P(ExactScan, SeveralQueriesAtOnceAreEachTheSame) {
  const auto [level, width] = GetParam();
  TemporaryFolder folder;
  ImageMaker maker(width, 2, 77);
  const std::vector<Part> parts = make_parts(folder, maker, width, 0.1);
  std::vector<float> queries;
  for (int q = 0; q < 37; ++q) {
    const std::vector<float> query = test::normalised(maker.vector());
    queries.insert(queries.end(), query.begin(), query.end());
  }
  const auto hits = exact_scan(sources_of(parts), queries, width, {7, 2, level});
  ASSERT_EQ(hits.size(), 37u);
  for (std::size_t q = 0; q < hits.size(); ++q) {
    const std::span<const float> query = std::span(queries).subspan(q * std::size_t(width), std::size_t(width));
    expect_same(hits[q], oracle(parts, query, 7), "query " + std::to_string(q));
  }
}

TEST(ExactScanBound, ExcludesMostRowsWithoutLosingAny) {
  TemporaryFolder folder;
  ImageMaker maker(768, 1, 5);
  std::vector<TestImage> images;
  for (int i = 0; i < 3000; ++i) images.push_back(maker.image(1));
  Part part{test::write_segment(folder / "1.seg", test::test_spec(768, 1), images), {}, make_row_mask(3000, true)};
  for (ImageId id = 1; id <= 3000; ++id) part.ids.push_back(id);
  const std::vector<Part> parts{part};
  ScanStats stats;
  const std::vector<float> query = test::normalised(maker.vector());
  const auto hits = exact_scan(sources_of(parts), query, 768, {10, 2}, &stats);
  expect_same(hits[0], oracle(parts, query, 10), "random");
  EXPECT_EQ(stats.scanned, 3000);
  EXPECT_LT(stats.rescored, 300);
}

TEST(ExactScanBound, HoldsForVectorsWithOutliersAndACommonDirection) {
  // Anisotropic vectors, as networks make them: a large common part and a few large components; int8 is coarse there.
  TemporaryFolder folder;
  ImageMaker maker(192, 1, 6);
  const std::vector<float> common = maker.vector();
  std::vector<TestImage> images;
  for (int i = 0; i < 2000; ++i) {
    TestImage image = maker.image(1);
    for (std::size_t j = 0; j < 192; ++j) image.tokens[j] = 0.2f * image.tokens[j] + 3 * common[j];
    image.tokens[17] += 60;
    images.push_back(image);
  }
  Part part{test::write_segment(folder / "1.seg", test::test_spec(192, 1), images), {}, make_row_mask(2000, true)};
  for (ImageId id = 1; id <= 2000; ++id) part.ids.push_back(id);
  const std::vector<Part> parts{part};
  for (const std::uint32_t row : {0u, 500u, 1999u}) {
    std::vector<float> query(192);
    part.segment->decode_coarse(row, query);
    const auto hits = exact_scan(sources_of(parts), query, 192, {20, 2});
    expect_same(hits[0], oracle(parts, query, 20), "row " + std::to_string(row));
    EXPECT_EQ(hits[0][0].row, row);
  }
}

TEST(ExactScanArguments, EmptyAndWrong) {
  const std::vector<float> query(8, 0.5f);
  EXPECT_TRUE(exact_scan({}, query, 8, {5}).at(0).empty());
  EXPECT_THROW(exact_scan({}, query, 8, {0}), Error);
  EXPECT_THROW(exact_scan({}, query, 3, {5}), Error);
  TemporaryFolder folder;
  ImageMaker maker(16, 1, 1);
  Part part{test::write_segment(folder / "1.seg", test::test_spec(16, 1), test::make_images(maker, 4)),
            {1, 2, 3, 4},
            make_row_mask(4, true)};
  const std::vector<Part> parts{part};
  EXPECT_THROW(exact_scan(sources_of(parts), query, 8, {5}), Error);
}

TEST(RowMasks, CountSetAndClear) {
  for (const std::uint32_t rows : {0u, 1u, 63u, 64u, 65u, 1000u}) {
    EXPECT_EQ(count_rows(make_row_mask(rows, true)), rows);
    EXPECT_EQ(count_rows(make_row_mask(rows, false)), 0);
  }
  RowMask mask = make_row_mask(100, false);
  set_row(mask, 70);
  EXPECT_TRUE(row_in_mask(mask, 70));
  EXPECT_FALSE(row_in_mask(mask, 69));
  clear_row(mask, 70);
  EXPECT_EQ(count_rows(mask), 0);
}

}  // namespace
}  // namespace tessera
