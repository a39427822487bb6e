// Finding originals and cutting lists: figures of made-up vectors, and the whole way from files.
#include <gmock/gmock.h>

#include <random>

#include "eval/eval_fixture.h"
#include "search/calibration.h"
#include "tessera/indexer/eval_copies.h"
#include "tessera/indexer/eval_cut.h"

namespace tessera::eval {
namespace {

using tessera::testing::FakeEncoder;
using tessera::testing::make_picture;
using test::error_of;
using test::TempDir;
using ::testing::ElementsAre;

constexpr int kCopyWidth = 24;
constexpr std::size_t kRows = 120;

std::vector<float> unit(std::vector<float> v) {
  const float norm = std::sqrt(dot(v, v));
  for (float& x : v) x /= norm;
  return v;
}

FeatureSet random_features(std::size_t rows, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  FeatureSet features;
  features.vectors.push_back({"token0", kCopyWidth, {}});
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<float> v(kCopyWidth);
    for (float& x : v) x = normal(random);
    v = unit(v);
    features.pictures.push_back(r);
    features.vectors[0].values.insert(features.vectors[0].values.end(), v.begin(), v.end());
  }
  return features;
}

// Copies of the rows, moved a little; the first `lost` of them are other vectors altogether.
FeatureSet moved(const FeatureSet& from, std::size_t lost) {
  FeatureSet copies = from;
  const FeatureSet others = random_features(from.pictures.size(), 77);
  for (std::size_t r = 0; r < from.pictures.size(); ++r) {
    std::vector<float> v;
    for (std::size_t i = 0; i < kCopyWidth; ++i) {
      const float other = others.vectors[0].row(r)[i];
      v.push_back(r < lost ? other : from.vectors[0].row(r)[i] + 0.1F * other);
    }
    v = unit(v);
    std::copy(v.begin(), v.end(), copies.vectors[0].values.begin() + std::ptrdiff_t(r * kCopyWidth));
  }
  return copies;
}

TEST(MeasureCopies, CountsOriginalsThatComeFirst) {
  const FeatureSet gallery = random_features(kRows, 1);
  const std::vector<AlteredFeatures> copies = {{Alteration::kCrop, moved(gallery, 0)},
                                               {Alteration::kBlur, moved(gallery, kRows / 4)}};
  const Measured measured = measure_copies(gallery, copies, {}, 0.9);
  EXPECT_THAT(measured.figures, ElementsAre("crop", "blur", "total", "found", "precision"));
  EXPECT_EQ(measured.queries, 2 * kRows);
  ASSERT_EQ(measured.rows.size(), 1U);
  const std::vector<Interval>& row = measured.rows[0].figures;
  EXPECT_EQ(measured.rows[0].name, "token0");
  EXPECT_EQ(row[0].mean, 100);
  EXPECT_NEAR(row[1].mean, 75, 3);  // a lost one may be first by accident
  EXPECT_NEAR(row[2].mean, (row[0].mean + row[1].mean) / 2, 1e-9);
  EXPECT_NEAR(row[3].mean, 87.5, 4);
  EXPECT_GE(row[4].mean, 80);
}

TEST(MeasureCopies, RightIsTheOriginalAlone) {
  FeatureSet gallery = random_features(kRows, 2);
  const std::vector<AlteredFeatures> copies = {{Alteration::kMirror, moved(gallery, 0)}};
  append_features(gallery, random_features(kRows, 2), kRows);  // everything once more, as distractors
  EXPECT_EQ(gallery.pictures.size(), 2 * kRows);
  EXPECT_EQ(gallery.pictures.back(), 2 * kRows - 1);
  const std::vector<Interval> row = measure_copies(gallery, copies, {}, 0.9).rows[0].figures;
  EXPECT_EQ(row[0].mean, 100);          // equal scores: the smaller row first
  EXPECT_NEAR(row.back().mean, 50, 3);  // half of each list is the twin
  FeatureSet other = random_features(3, 3);
  other.vectors.clear();
  error_of([&] { append_features(gallery, other, 0); }, ErrorCode::kInvalidArgument);
}

TEST(MeasureCopies, FilesAreAlteredEncodedAndFoundAgain) {
  const TempDir dir;
  for (unsigned i = 0; i < 60; ++i) {
    tessera::testing::write_picture(dir / (std::to_string(i) + ".png"), i, 96, 80);
  }
  test::write_text(dir / "99.png", "no picture");
  const EvalSet set = read_folder(dir.path());
  FakeEncoder encoder;
  FeatureRequest request;
  request.descriptors = {parse_descriptor("token0"), parse_descriptor("dhash")};
  request.token_sets = true;
  request.tokens.tokens = 4;
  request.encoder = &encoder;
  BatchOptions batch;
  batch.resize = parse_resize_spec("square:64");
  const FeatureSet gallery = extract_features(set, "", request, batch);
  EXPECT_EQ(gallery.pictures.size(), 60U);
  const std::vector<AlteredFeatures> copies = extract_altered(set, request, 20, 5, batch);
  ASSERT_EQ(copies.size(), 9U);
  for (const AlteredFeatures& each : copies) {
    EXPECT_GE(each.features.pictures.size(), 19U);  // the one that is no picture may be in the sample
    EXPECT_EQ(each.features.pictures, copies[0].features.pictures);
    EXPECT_EQ(each.features.tokens.rows(), each.features.pictures.size());
  }
  MeasureOptions options;
  options.rerank = {TokenMatchOptions{TokenMatch::kAligned, 4, 2}};
  const Measured measured = measure_copies(gallery, copies, options, 0.9);
  ASSERT_EQ(measured.rows.size(), 3U);
  EXPECT_EQ(measured.rows[2].name, "aligned:4");
  for (const MeasuredRow& row : measured.rows) {
    ASSERT_EQ(row.figures.size(), measured.figures.size());
    EXPECT_GE(row.figures[3].mean, 90) << row.name;  // jpeg20: nearly the same colours everywhere
  }
  const std::vector<AlteredFeatures> again = extract_altered(set, request, 20, 5, batch);
  const std::vector<AlteredFeatures> other = extract_altered(set, request, 20, 6, batch);
  for (std::size_t i = 0; i < copies.size(); ++i) {
    EXPECT_EQ(copies[i].features.vectors[0].values, again[i].features.vectors[0].values);
  }
  EXPECT_NE(copies[0].features.vectors[0].values, other[0].features.vectors[0].values);
}

TEST(CutRankings, UseTheScoresOfOthersAtEvenDistances) {
  const FeatureSet features = random_features(kRows, 4);
  const VectorTable& table = features.vectors[0];
  std::vector<std::size_t> rows;
  for (std::size_t r = 0; r < kRows; ++r) rows.push_back(r);
  const std::vector<Ranking> rankings = nearest(table, rows, table, true, kRows);
  const PairScore score = [&](std::size_t query, std::size_t row) {
    EXPECT_NE(query, row);  // the query itself takes no part
    return dot(table.row(query), table.row(row));
  };
  const std::vector<std::size_t> kept = cut_rankings(rankings, kRows, rows, score, 30, 0.1, 1);
  for (std::size_t q = 0; q < kRows; ++q) {
    std::vector<float> others;
    for (const Neighbour& each : rankings[q]) others.push_back(each.score);
    ASSERT_EQ(others.size(), kRows - 1);
    const Background background(others);
    std::vector<double> by_chance;
    for (std::size_t r = 0; r < 30; ++r) by_chance.push_back(double(kRows - 1) * background.share(others[r]));
    EXPECT_EQ(kept[q], cut_length(by_chance, 0.1)) << q;
  }
  error_of([&] { cut_rankings(rankings, 50, rows, score, 30, 0.9); }, ErrorCode::kInvalidArgument);
  EXPECT_NO_THROW(cut_rankings({}, 51, rows, score, 30, 0.9));
}

// Pairs of near copies among many others: a list is the other one of the pair or empty.
TEST(MeasureCut, FindsPairsAndLittleElse) {
  FeatureSet features = random_features(kRows, 5);
  append_features(features, moved(random_features(kRows, 5), kRows / 2), kRows);
  EvalSet set;
  for (std::size_t r = 0; r < 2 * kRows; ++r) set.pictures.push_back({"", static_cast<int>(r % kRows), {}});
  const Measured measured = measure_cut({{set, features}, std::nullopt}, {}, 0.9);
  EXPECT_THAT(measured.figures, ElementsAre("precision", "empty", "right", "wrong"));
  EXPECT_EQ(measured.queries, 2 * kRows);
  const std::vector<Interval>& row = measured.rows.at(0).figures;
  EXPECT_GE(row[0].mean, 80);
  EXPECT_NEAR(row[1].mean, 50, 15);
  EXPECT_NEAR(row[2].mean, 0.5, 0.02);
  EXPECT_LE(row[3].mean, 0.2);
}

}  // namespace
}  // namespace tessera::eval
