// Exact neighbours and the second stage against plain arithmetic.
#include "tessera/indexer/eval_ranking.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "eval/eval_fixture.h"

namespace tessera::eval {
namespace {

using test::error_of;
using ::testing::ElementsAre;

VectorTable random_table(std::size_t rows, int width, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  VectorTable table{"t", width, {}};
  for (std::size_t i = 0; i < rows * std::size_t(width); ++i) table.values.push_back(normal(random));
  return table;
}

TokenTable random_tokens(std::size_t rows, int tokens, int width, unsigned seed) {
  const VectorTable values = random_table(rows * std::size_t(tokens), width, seed);
  TokenTable table;
  table.tokens = tokens;
  table.width = width;
  table.values = values.values;
  for (std::size_t r = 0; r < rows; ++r) {
    table.pictures.push_back(r);
    table.counts.push_back(r % 3 == 2 ? tokens - 1 : tokens);
  }
  for (std::size_t v = 0; v < rows * std::size_t(tokens); ++v) {
    const auto token = std::span(table.values).subspan(v * std::size_t(width), std::size_t(width));
    const float norm = std::sqrt(dot(token, token));
    for (float& x : token) x /= norm;
  }
  return table;
}

double plain_dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * b[i];
  return sum;
}

std::vector<std::size_t> rows_of(const Ranking& ranking) {
  std::vector<std::size_t> rows;
  for (const Neighbour& neighbour : ranking) rows.push_back(neighbour.row);
  return rows;
}

TEST(Ranking, DotIsThatOfPlainArithmetic) {
  for (const int width : {1, 15, 16, 17, 64, 100}) {
    const VectorTable table = random_table(2, width, static_cast<unsigned>(width));
    EXPECT_NEAR(dot(table.row(0), table.row(1)), plain_dot(table.row(0), table.row(1)), 1e-4) << width;
  }
}

TEST(Ranking, NearestAreThoseOfAFullSort) {
  const VectorTable queries = random_table(7, 24, 1);
  const VectorTable gallery = random_table(50, 24, 2);
  const std::vector<std::size_t> rows = {0, 3, 6};
  for (const int threads : {1, 3}) {
    const auto rankings = nearest(queries, rows, gallery, false, 10, threads);
    ASSERT_EQ(rankings.size(), 3u);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<std::size_t> expected(50);
      for (std::size_t r = 0; r < 50; ++r) expected[r] = r;
      std::sort(expected.begin(), expected.end(), [&](std::size_t a, std::size_t b) {
        return plain_dot(queries.row(rows[i]), gallery.row(a)) > plain_dot(queries.row(rows[i]), gallery.row(b));
      });
      expected.resize(10);
      EXPECT_EQ(rows_of(rankings[i]), expected);
    }
  }
  error_of([&] { nearest(queries, rows, random_table(3, 5, 3), false, 2); }, ErrorCode::kInvalidArgument);
  error_of([&] { nearest(queries, rows, gallery, false, 0); }, ErrorCode::kInvalidArgument);
}

TEST(Ranking, ARowIsNotItsOwnNeighbourAndTiesGoByRow) {
  const VectorTable same{"t", 2, {1, 0, 1, 0, 1, 0, 0, 1}};
  const std::vector<std::size_t> rows = {1};
  EXPECT_THAT(rows_of(nearest(same, rows, same, true, 9).at(0)), ElementsAre(0, 2, 3));
  EXPECT_THAT(rows_of(nearest(same, rows, same, false, 9).at(0)), ElementsAre(0, 1, 2, 3));
}

// The documented formulas.
double expected_score(const TokenTable& a, std::size_t ra, const TokenTable& b, std::size_t rb,
                      const TokenMatchOptions& options) {
  const auto weight = [&](int t) { return std::pow(1 - double(t) / a.tokens, options.weight_power); };
  const int la = std::min(options.tokens, a.counts[ra]);
  const int lb = std::min(options.tokens, b.counts[rb]);
  double sum = 0, weights = 0;
  if (options.match == TokenMatch::kAligned) {
    for (int t = 0; t < std::min(la, lb); ++t) {
      sum += weight(t) * plain_dot(a.token(ra, t), b.token(rb, t));
      weights += weight(t);
    }
    return sum / weights;
  }
  const auto one_way = [&](const TokenTable& x, std::size_t rx, int lx, const TokenTable& y, std::size_t ry, int ly) {
    double total = 0, all = 0;
    for (int i = 0; i < lx; ++i) {
      double best = -1;
      for (int j = 0; j < ly; ++j) best = std::max(best, plain_dot(x.token(rx, i), y.token(ry, j)));
      total += weight(i) * best;
      all += weight(i);
    }
    return total / all;
  };
  return (one_way(a, ra, la, b, rb, lb) + one_way(b, rb, lb, a, ra, la)) / 2;
}

TEST(Ranking, MatchScoresAreTheFormulas) {
  const TokenTable a = random_tokens(4, 6, 12, 1);
  const TokenTable b = random_tokens(5, 6, 12, 2);
  for (const TokenMatch match : {TokenMatch::kAligned, TokenMatch::kMaxSim}) {
    for (const int tokens : {1, 3, 6, 9}) {
      for (const double power : {0.0, 1.0, 2.0}) {
        const TokenMatchOptions options{match, tokens, power};
        for (std::size_t ra = 0; ra < 4; ++ra) {
          for (std::size_t rb = 0; rb < 5; ++rb) {
            EXPECT_NEAR(match_score(a, ra, b, rb, options), expected_score(a, ra, b, rb, options), 1e-5);
          }
        }
      }
    }
  }
}

TEST(Ranking, RerankOrdersTheCandidatesAndKeepsTheRest) {
  const TokenTable tokens = random_tokens(12, 4, 16, 3);
  const VectorTable coarse = describe(tokens, parse_descriptor("token0"), 2);
  const std::vector<std::size_t> rows = {2, 7};
  const auto first = nearest(coarse, rows, coarse, true, 11);
  const TokenMatchOptions options{TokenMatch::kMaxSim, 4, 2};
  const auto second = rerank(first, tokens, rows, tokens, 5, options);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto head = rows_of(second[i]);
    auto before = rows_of(first[i]);
    EXPECT_TRUE(std::equal(head.begin() + 5, head.end(), before.begin() + 5));
    head.resize(5);
    before.resize(5);
    std::sort(before.begin(), before.end(), [&](std::size_t a, std::size_t b) {
      return match_score(tokens, rows[i], tokens, a, options) > match_score(tokens, rows[i], tokens, b, options);
    });
    EXPECT_EQ(head, before);
  }
  EXPECT_EQ(rows_of(rerank(first, tokens, rows, tokens, 0, options)[0]),
            rows_of(rerank(first, tokens, rows, tokens, 11, options)[0]));
  // A share of it is mixed with the first stage's score.
  const auto mixed = rerank(first, tokens, rows, tokens, 5, {TokenMatch::kMaxSim, 4, 2, 0.25});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t c = 0; c < 5; ++c) {
      const std::size_t row = mixed[i][c].row;
      const double before = dot(coarse.row(rows[i]), coarse.row(row));
      EXPECT_NEAR(mixed[i][c].score, 0.75 * before + 0.25 * match_score(tokens, rows[i], tokens, row, options), 1e-6);
      EXPECT_GE(mixed[i][c == 0 ? 0 : c - 1].score, mixed[i][c].score);
    }
  }
  // Aligned with one token is the first stage again.
  EXPECT_EQ(rows_of(rerank(first, tokens, rows, tokens, 0, {TokenMatch::kAligned, 1, 2})[1]), rows_of(first[1]));
}

}  // namespace
}  // namespace tessera::eval
