// Nearest neighbours of evaluation: exact, deterministic, in memory.
#include "tessera/indexer/eval_ranking.h"

#include <algorithm>
#include <array>

#include "search/parallel.h"
#include "tessera/error.h"

namespace tessera::eval {
namespace {

constexpr std::size_t kLanes = 16;  // partial sums; a compiler keeps them in vector registers

int threads_or_all(int threads) { return threads > 0 ? threads : usable_threads(); }

std::vector<double> weights_of(const TokenTable& a, const TokenTable& b, const TokenMatchOptions& options) {
  const int most = std::max(a.tokens, b.tokens);
  std::vector<double> weights;
  for (int t = 0; t < most; ++t) weights.push_back(token_weight(t, most, options.weight_power));
  return weights;
}

float matched(const TokenTable& a, std::size_t row_a, const TokenTable& b, std::size_t row_b,
              const TokenMatchOptions& options, const std::vector<double>& weights) {
  const int of_a = std::min(options.tokens, a.counts[row_a]);
  const int of_b = std::min(options.tokens, b.counts[row_b]);
  if (options.match == TokenMatch::kAligned) {
    double sum = 0, total = 0;
    for (int t = 0; t < std::min(of_a, of_b); ++t) {
      sum += weights[std::size_t(t)] * double(dot(a.token(row_a, t), b.token(row_b, t)));
      total += weights[std::size_t(t)];
    }
    return static_cast<float>(sum / total);
  }
  std::vector<float> best_of_b(static_cast<std::size_t>(of_b), -1.0f);
  double sum_a = 0, total_a = 0;
  for (int i = 0; i < of_a; ++i) {
    float best = -1;
    for (int j = 0; j < of_b; ++j) {
      const float cosine = dot(a.token(row_a, i), b.token(row_b, j));
      best = std::max(best, cosine);
      best_of_b[std::size_t(j)] = std::max(best_of_b[std::size_t(j)], cosine);
    }
    sum_a += weights[std::size_t(i)] * double(best);
    total_a += weights[std::size_t(i)];
  }
  double sum_b = 0, total_b = 0;
  for (int j = 0; j < of_b; ++j) {
    sum_b += weights[std::size_t(j)] * double(best_of_b[std::size_t(j)]);
    total_b += weights[std::size_t(j)];
  }
  return static_cast<float>((sum_a / total_a + sum_b / total_b) / 2);
}

}  // namespace

float dot(std::span<const float> a, std::span<const float> b) noexcept {
  std::array<float, kLanes> sums{};
  const std::size_t whole = a.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (std::size_t i = whole; i < a.size(); ++i) sums[i - whole] += a[i] * b[i];
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

std::vector<Ranking> nearest(const VectorTable& queries, std::span<const std::size_t> rows, const VectorTable& gallery,
                             bool within, std::size_t k, int threads) {
  if (k < 1) throw Error(ErrorCode::kInvalidArgument, "a ranking needs k >= 1");
  if (queries.width != gallery.width && queries.rows() > 0 && gallery.rows() > 0) {
    throw Error(ErrorCode::kInvalidArgument, "queries and gallery have vectors of different width");
  }
  std::vector<Ranking> rankings(rows.size());
  parallel_for(rows.size(), threads_or_all(threads), [&](std::size_t i, int) {
    Ranking& ranking = rankings[i];
    ranking.reserve(gallery.rows());
    const std::span<const float> query = queries.row(rows[i]);
    for (std::size_t r = 0; r < gallery.rows(); ++r) {
      if (!within || r != rows[i]) ranking.push_back({r, dot(query, gallery.row(r))});
    }
    const std::size_t kept = std::min(k, ranking.size());
    std::partial_sort(ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(kept), ranking.end());
    ranking.resize(kept);
    ranking.shrink_to_fit();
  });
  return rankings;
}

float match_score(const TokenTable& a, std::size_t row_a, const TokenTable& b, std::size_t row_b,
                  const TokenMatchOptions& options) {
  return matched(a, row_a, b, row_b, options, weights_of(a, b, options));
}

std::vector<Ranking> rerank(const std::vector<Ranking>& rankings, const TokenTable& queries,
                            std::span<const std::size_t> rows, const TokenTable& gallery, std::size_t candidates,
                            const TokenMatchOptions& options, int threads) {
  if (options.tokens < 1) throw Error(ErrorCode::kInvalidArgument, "a rerank needs at least one token");
  std::vector<Ranking> result = rankings;
  const std::vector<double> weights = weights_of(queries, gallery, options);
  parallel_for(rankings.size(), threads_or_all(threads), [&](std::size_t i, int) {
    Ranking& ranking = result[i];
    const std::size_t scored = candidates == 0 ? ranking.size() : std::min(candidates, ranking.size());
    for (std::size_t c = 0; c < scored; ++c) {
      const double match = matched(queries, rows[i], gallery, ranking[c].row, options, weights);
      ranking[c].score = static_cast<float>((1 - options.share) * double(ranking[c].score) + options.share * match);
    }
    std::sort(ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(scored));
  });
  return result;
}

}  // namespace tessera::eval
