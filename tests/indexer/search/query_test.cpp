// Combining examples by tokens, and names of methods.
#include "search/query.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tessera/error.h"

namespace tessera {
namespace {

QueryPart part(std::vector<float> tokens, int count, float weight = 1.0f) { return {std::move(tokens), count, weight}; }

void expect_rejected(const Query& query, const std::string& words) {
  try {
    combine_query(query);
    ADD_FAILURE() << "not rejected: " << words;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(CombineQuery, OneExampleIsItsUnitTokens) {
  const CombinedQuery combined = combine_query({{part({3, 4, 0, 0, 0, -2}, 2, 0.25f)}, 3});
  EXPECT_EQ(combined.token_count, 2);
  const std::vector<float> expected{0.6f, 0.8f, 0, 0, 0, -1};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(combined.tokens[i], expected[i]);
}

TEST(CombineQuery, WeightsApplyToUnitTokens) {
  // e1 * 2 + e2 * 1, whatever the lengths of the examples.
  const CombinedQuery combined = combine_query({{part({50, 0}, 1, 2), part({0, 0.1f}, 1, 1)}, 2});
  EXPECT_NEAR(combined.tokens[0], 2 / std::sqrt(5.0), 1e-6);
  EXPECT_NEAR(combined.tokens[1], 1 / std::sqrt(5.0), 1e-6);
}

TEST(CombineQuery, NegativeExamplesSubtractAsFarAsTheyReach) {
  const CombinedQuery combined = combine_query({{part({1, 0, 1, 0}, 2), part({0, 1}, 1, -1)}, 2});
  ASSERT_EQ(combined.token_count, 2);
  EXPECT_NEAR(combined.tokens[0], std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(combined.tokens[1], -std::sqrt(0.5), 1e-6);
  EXPECT_FLOAT_EQ(combined.tokens[2], 1);
  EXPECT_FLOAT_EQ(combined.tokens[3], 0);
}

TEST(CombineQuery, LastsUntilTheShortestPositiveExample) {
  const CombinedQuery combined = combine_query(
      {{part({1, 0, 1, 0, 1, 0}, 3), part({0, 1, 0, 1}, 2), part({1, 1, 1, 1, 1, 1, 1, 1}, 4, -0.1f)}, 2});
  EXPECT_EQ(combined.token_count, 2);
  EXPECT_EQ(combined.tokens.size(), 4u);
}

TEST(CombineQuery, TokensThatCancelOutBecomeZeros) {
  const CombinedQuery combined = combine_query({{part({1, 0, 1, 1}, 2), part({0, 1, 2, 2}, 2, -1)}, 2});
  EXPECT_EQ(combined.tokens[2], 0);
  EXPECT_EQ(combined.tokens[3], 0);
  expect_rejected({{part({1, 2, 3, 4}, 2), part({2, 4, 1, 1}, 2, -1)}, 2}, "cancel");
  expect_rejected({{part({0, 0}, 1)}, 2}, "cancel");
}

TEST(CombineQuery, RejectsWhatMakesNoSense) {
  expect_rejected({{}, 2}, "at least one example");
  expect_rejected({{part({1, 2}, 1, -1)}, 2}, "at least one example");
  expect_rejected({{part({1, 2}, 1)}, 0}, "width");
  expect_rejected({{part({1, 2, 3}, 1)}, 2}, "width 2");
  expect_rejected({{part({}, 0)}, 2}, "at least one token");
  expect_rejected({{part({1, 2}, 1, 0)}, 2}, "weight");
  expect_rejected({{part({1, 2}, 1, std::numeric_limits<float>::infinity())}, 2}, "weight");
  expect_rejected({{part({1, std::numeric_limits<float>::quiet_NaN()}, 1)}, 2}, "not finite");
}

TEST(MethodNames, ParseWhatTheyPrint) {
  for (const RerankMethod method : {RerankMethod::kNone, RerankMethod::kAligned, RerankMethod::kMaxSim}) {
    EXPECT_EQ(parse_rerank_method(rerank_method_name(method)), method);
  }
  for (const CoarseMethod method :
       {CoarseMethod::kAuto, CoarseMethod::kExact, CoarseMethod::kIvfPq, CoarseMethod::kHnsw}) {
    EXPECT_EQ(parse_coarse_method(coarse_method_name(method)), method);
  }
  EXPECT_THROW(parse_rerank_method("Aligned"), Error);
  EXPECT_THROW(parse_coarse_method(""), Error);
}

}  // namespace
}  // namespace tessera
