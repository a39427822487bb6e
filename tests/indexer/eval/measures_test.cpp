// The measures over sets whose answers are known: rows, paired differences, second stages, galleries, samples.
#include "tessera/indexer/eval_measures.h"

#include <gmock/gmock.h>

#include <numeric>
#include <random>

#include "eval/eval_fixture.h"

namespace tessera::eval {
namespace {

using test::error_of;
using ::testing::ElementsAre;

constexpr int kMadeWidth = 8;
constexpr int kMadeTokens = 4;

// Pictures of three labels; token 0 says the label, the later ones where the box of the picture is.
struct Made {
  EvalSet set;
  FeatureSet features;

  explicit Made(std::size_t count, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> noise(-0.2f, 0.2f);
    set.labels = {"a", "b", "c"};
    set.categories = {"thing"};
    TokenTable& table = features.tokens;
    table.tokens = kMadeTokens;
    table.width = kMadeWidth;
    for (std::size_t i = 0; i < count; ++i) {
      const bool right = random() % 2 == 1;
      Picture picture{"p" + std::to_string(1000 + i), int(i % 3), {{0, right ? 0.7 : 0.0, 0.1, 0.3, 0.4}}};
      set.pictures.push_back(picture);
      features.pictures.push_back(i);
      table.counts.push_back(kMadeTokens);
      for (int t = 0; t < kMadeTokens; ++t) {
        std::vector<float> token(kMadeWidth);
        for (float& x : token) x = noise(random);
        token[t == 0 ? i % 3 : right ? 6 : 7] += 1;
        const float norm = std::sqrt(std::inner_product(token.begin(), token.end(), token.begin(), 0.0f));
        for (const float x : token) table.values.push_back(x / norm);
      }
    }
    table.pictures = features.pictures;
    features.vectors = {describe(table, parse_descriptor("token0"), 2),
                        describe(table, parse_descriptor("tokens:4"), 2)};
  }
  Sides sides() const { return {{set, features}, std::nullopt}; }
};

MeasureOptions with_reranks() {
  MeasureOptions options;
  options.rerank = {
      {TokenMatch::kAligned, 4, 2, 1}, {TokenMatch::kAligned, 4, 2, 0.25}, {TokenMatch::kMaxSim, 2, 2, 0}};
  options.candidates = 0;
  return options;
}

std::vector<double> means(const MeasuredRow& row) {
  std::vector<double> values;
  for (const Interval& figure : row.figures) values.push_back(figure.mean);
  return values;
}

TEST(Measures, EveryDescriptorAndSecondStageHasARow) {
  const Made made(30);
  const Measured measured = measure_comp(made.sides(), with_reranks());
  std::vector<std::string> names;
  for (const MeasuredRow& row : measured.rows) names.push_back(row.name);
  EXPECT_THAT(names, ElementsAre("token0", "tokens:4", "aligned:4", "aligned:4:0.25", "maxsim:2:0", "oracle"));
  EXPECT_EQ(measured.queries, 30U);
  EXPECT_EQ(measured.without_match, 0U);
  EXPECT_THAT(measured.figures, ElementsAre("Comp@1", "Comp@5", "Recall@1", "Recall@5", "+Comp@1", "+Comp@5"));
}

TEST(Measures, ComposedPicturesAreFoundByTheirLaterTokens) {
  const Made made(60);
  const Measured measured = measure_comp(made.sides(), with_reranks());
  const auto figure = [&](std::size_t row, std::size_t place) { return measured.rows[row].figures[place]; };
  EXPECT_LT(figure(0, 0).mean, 80);                               // token 0 knows nothing of places
  EXPECT_NEAR(figure(2, 0).mean, 100, 1e-9);                      // all tokens find a box in the same place
  EXPECT_NEAR(figure(5, 0).mean, 100, 1e-9);                      // the oracle among all candidates
  EXPECT_THAT(means(measured.rows[4]), means(measured.rows[0]));  // a weight of 0 is the first stage
  for (std::size_t row = 0; row < measured.rows.size(); ++row) {
    EXPECT_NEAR(figure(row, 4).mean, figure(row, 0).mean - figure(0, 0).mean, 1e-9);
    EXPECT_NEAR(figure(row, 5).mean, figure(row, 1).mean - figure(0, 1).mean, 1e-9);
    EXPECT_LE(figure(row, 0).low, figure(row, 0).mean);
    EXPECT_GE(figure(row, 0).high, figure(row, 0).mean);
    EXPECT_NEAR(figure(row, 2).mean, 100, 1e-9);  // each picture has one box of the one class
  }
  EXPECT_GT(figure(2, 4).low, 0);  // the gain is beyond its interval
}

TEST(Measures, RetrievalAndVotesFollowTheLabels) {
  const Made made(30);
  MeasureOptions options;
  options.rerank = {{TokenMatch::kAligned, 1, 2, 1}};
  options.candidates = 0;
  const Measured map = measure_map(made.sides(), options);
  // Ten of a label, all before the others: P@10 counts nine of ten, R@5 five of nine.
  for (const MeasuredRow& row : {map.rows[0], map.rows[2]}) {
    EXPECT_THAT(means(row), ::testing::Pointwise(::testing::DoubleNear(1e-9), {100.0, 100.0, 100.0, 100.0, 90.0,
                                                                               100.0 / 9, 500.0 / 9, 100.0, 100.0}));
  }
  EXPECT_LT(map.rows[1].figures[0].mean, 100);  // places count in the joined tokens
  const Measured knn = measure_knn(made.sides(), {});
  EXPECT_THAT(means(knn.rows[0]), ElementsAre(100, 100, 100));
}

TEST(Measures, AGalleryIsSearchedInsteadAndNothingIsLeftOut) {
  Made queries(6);
  Made gallery(30, 2);
  align_names(queries.set, gallery.set);
  const Sides sides{{queries.set, queries.features}, Side{gallery.set, gallery.features}};
  const Measured map = measure_map(sides, {});
  EXPECT_EQ(map.queries, 6U);
  EXPECT_NEAR(map.rows[0].figures[4].mean, 100, 1e-9);  // P@10: ten of the label are there
}

TEST(Measures, ASampleIsSeededAndCounted) {
  const Made made(40);
  MeasureOptions options;
  options.queries = 9;
  const Measured once = measure_map(made.sides(), options);
  EXPECT_EQ(once.queries, 9U);
  EXPECT_EQ(means(once.rows[1]), means(measure_map(made.sides(), options).rows[1]));
}

TEST(Measures, RefusesSetsWithoutAnAnswer) {
  Made made(3);
  error_of([&] { measure_map(made.sides(), {}); }, ErrorCode::kUnsupported);  // each label once
  for (Picture& picture : made.set.pictures) picture.boxes.clear();
  error_of([&] { measure_comp(made.sides(), {}); }, ErrorCode::kUnsupported);
  made.features.pictures.clear();
  error_of([&] { measure_knn(made.sides(), {}); }, ErrorCode::kInvalidArgument);
}

TEST(Measures, AddTheirRowsToAReport) {
  const Made made(30);
  Report report;
  add_measured(report, measure_knn(made.sides(), {}));
  EXPECT_EQ(report.columns.size(), 4U);
  EXPECT_EQ(report.columns[0].name, "descriptor");
  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_EQ(std::get<std::string>(report.rows[1][0]), "tokens:4");
  EXPECT_EQ(std::get<Interval>(report.rows[0][1]).mean, 100);
}

}  // namespace
}  // namespace tessera::eval
